"""Decides which rules act: per kind of effect the first that matches. Counts, per tenant, how often each one did.

``reply`` and ``fault`` are decided once per request, ``call`` and ``receipt`` once per number. If ``chance``, ``nth`` or
``times`` of a rule says no, the next rule is tried. Chances are drawn from a key (:mod:`voice_emulator.core.draws`), so
they do not depend on order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from voice_emulator.core.matchers import Difference, Match, Subject
from voice_emulator.core.overlay import laid_over
from voice_emulator.core.plan import Plans
from voice_emulator.core.scenario import Rule, Scenario
from voice_emulator.core.turns import Turns
from voice_emulator.core.values import plain_record

#: Draws a uniform number for (rule name, purpose) of one request or one call.
RuleDraw = Callable[[str, str], float]


class MagicNumbers:
    """The rules of the magic numbers, looked up by the last digits of a number."""

    __slots__ = ("_by_ending", "_lengths")

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Index the rules. Raises ValueError for one that matches by more than the end of the number."""
        self._by_ending: dict[str, Rule] = {}
        for rule in rules:
            number = rule.match.number
            if (
                number is None
                or rule.match != Match(number=number)
                or rule.chance is not None
                or rule.times is not None
            ):
                raise ValueError(f"the magic rule {rule.name!r} may match by the end of the number alone")
            for pattern in number.patterns:
                ending = pattern.removeprefix("*")
                if ending == pattern or not ending.isdigit():
                    raise ValueError(
                        f"the magic rule {rule.name!r} has the pattern {pattern!r}; write '*' and digits"
                    )
                self._by_ending.setdefault(ending, rule)
        # Longer endings are the more specific ones.
        self._lengths = sorted({len(ending) for ending in self._by_ending}, reverse=True)

    def find(self, number: str) -> Rule | None:
        """The rule for the last digits of ``number``."""
        for length in self._lengths:
            rule = self._by_ending.get(number[-length:])
            if rule is not None:
                return rule
        return None


#: Rules matched against a request before others have their turn.
STRIDE = 512
#: Explaining a miss costs far more than noticing one, so only the first misses of a rule are explained.
MISSES_EXPLAINED = 100


@plain_record
class Tally:
    """How often a rule matched (per request, per number) and applied; ``nearest`` is its nearest miss."""

    arrivals: int = 0
    number_arrivals: int = 0
    applied: int = 0
    misses_seen: int = 0
    nearest: tuple[Difference, ...] | None = None


class RuleBook:
    """The rules of one tenant's scenario, and those laid over it, sorted by kind of effect, with their tallies."""

    __slots__ = ("_magic", "_over", "_per_number", "_per_request", "acts_on_numbers", "acts_on_requests", "delays_replies",
                 "plans", "scenario", "size", "tallies")  # fmt: skip

    def __init__(self, scenario: Scenario, over: Sequence[Rule] = ()) -> None:
        self.scenario = scenario
        own = scenario.rules
        self._over = tuple(over)
        #: How many rules are looked at for each number, at most.
        self.size = len(own) + len(over)
        self._per_request = tuple(rule for rule in own if rule.reply or rule.fault)
        self._per_number = tuple(rule for rule in own if rule.call or rule.receipt)
        self._magic = MagicNumbers(scenario.magic)
        #: Whether any rule could change a reply.
        self.acts_on_requests = bool(self._per_request) or any(rule.reply or rule.fault for rule in over)
        #: Whether any rule of the scenario itself could decide how a call goes or is reported.
        self.acts_on_numbers = bool(self._per_number) or any(rule.call or rule.receipt for rule in over)
        #: Whether any rule could delay a reply, or break it on the wire.
        self.delays_replies = any(
            rule.fault is not None or (rule.receipt is not None and rule.receipt.before_reply)
            for rule in (*over, *own)
        )
        self.plans = Plans()
        self.tallies: dict[str, Tally] = {}
        self.forget()

    def forget(self) -> None:
        """Set all tallies to zero."""
        self.tallies = {
            rule.name: Tally() for rule in (*self.scenario.magic, *self.scenario.rules, *self._over)
        }

    def for_request(self, subject: Subject, unit: RuleDraw) -> Turns[tuple[Rule | None, Rule | None]]:
        """The rules whose ``reply`` and whose ``fault`` act on this request."""
        if not self.acts_on_requests:
            return None, None
        reply = fault = None
        over = [rule for rule in self._over if rule.reply or rule.fault]
        admitted = yield from self._arrive((*over, *self._per_request), subject, per_number=False)
        for rule in admitted:
            wanted = (rule.reply is not None and reply is None) or (rule.fault is not None and fault is None)
            if not wanted or not self._allowed(rule, unit):
                continue
            if rule.reply is not None and reply is None:
                reply = rule
            if rule.fault is not None and fault is None:
                fault = rule
        return reply, fault

    def applied(self, *rules: Rule | None) -> None:
        """Count that these rules acted, each once."""
        for rule in {id(rule): rule for rule in rules if rule is not None}.values():
            self.tallies[rule.name].applied += 1

    def for_number(self, subject: Subject, unit: RuleDraw) -> Turns[tuple[Rule | None, Rule | None]]:
        """The rules whose ``call`` and whose ``receipt`` act on one number; they count as applied.

        For ``call``, rules that name a number precede the magic numbers, and those precede the others.
        """
        if not self.acts_on_numbers:
            return self.for_plain_number(subject.numbers[0]), None
        named = general = receipt = None
        for rule in (yield from self._arrive(self._per_number, subject, per_number=True)):
            if rule.call is not None:
                if rule.match.number is None:
                    general = general or (rule if self._allowed(rule, unit) else None)
                else:
                    named = named or (rule if self._allowed(rule, unit) else None)
            if rule.receipt is not None:
                receipt = receipt or (rule if self._allowed(rule, unit) else None)
        call = named or self._magic.find(subject.numbers[0]) or general
        if call is not None:
            self.tallies[call.name].applied += 1
        if receipt is not None and receipt is not call:
            self.tallies[receipt.name].applied += 1
        for rule in (yield from self._arrive(self._over, subject, per_number=True)) if self._over else ():
            if (rule.receipt is not None or rule.call is not None) and self._allowed(rule, unit):
                self.tallies[rule.name].applied += 1
                call = rule if rule.call is not None else call
                receipt = laid_over(receipt, rule) if rule.receipt is not None else receipt
                break
        return call, receipt

    def for_plain_number(self, number: str) -> Rule | None:
        """What :meth:`for_number` decides when :attr:`acts_on_numbers` is false."""
        rule = self._magic.find(number)
        if rule is not None:
            self.tallies[rule.name].applied += 1
        return rule

    def unused(self) -> dict[str, Tally]:
        """The tallies of the scenario's own rules that never applied, by rule name."""
        tallies = {rule.name: self.tallies[rule.name] for rule in self.scenario.rules}
        return {name: tally for name, tally in tallies.items() if not tally.applied}

    def _allowed(self, rule: Rule, unit: RuleDraw) -> bool:
        if rule.times is not None and self.tallies[rule.name].applied >= rule.times:
            return False
        return rule.chance is None or unit(rule.name, "chance") < rule.chance

    def _arrive(self, rules: Sequence[Rule], subject: Subject, *, per_number: bool) -> Turns[list[Rule]]:
        """The rules that match ``subject``; each match counts for ``nth``."""
        admitted = []
        for index, rule in enumerate(rules):
            if index % STRIDE == STRIDE - 1:
                yield None
            match = rule.match
            tally = self.tallies[rule.name]
            slow = subject.heavy and match.fields
            if not ((yield partial(match.accepts, subject)) if slow else match.accepts(subject)):
                if tally.misses_seen < MISSES_EXPLAINED:
                    differ = partial(match.differences, subject)
                    self._remember(tally, (yield differ) if slow else differ())
                continue
            if per_number:
                tally.number_arrivals += 1
                count = tally.number_arrivals
            else:
                tally.arrivals += 1
                count = tally.arrivals
            if match.nth is None or match.nth(count):
                admitted.append(rule)
        return admitted

    @staticmethod
    def _remember(tally: Tally, differences: list[Difference]) -> None:
        tally.misses_seen += 1
        if tally.nearest is None or len(differences) < len(tally.nearest):
            tally.nearest = tuple(differences)
