"""Makes a failing scenario small: concrete instead of by chance, then fewer, weaker and more general rules.

A candidate counts only if the same thing fails: oracle, rule, provider and operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voice_emulator.client import Call, Invalid
from voice_emulator.core.vocabulary import CONNECTED, MAY_RING, Outcome
from voice_emulator.swarm.families import FAMILIES
from voice_emulator.swarm.oracles import Failure, Record
from voice_emulator.swarm.rules import KINDS, Rule, Scenario, joined, rule_of
from voice_emulator.swarm.runner import Result
from voice_emulator.swarm.subject import Stopped

#: A failure that does not repeat so many times of so many is not shrunk.
REPEATS = 3
#: Runs that shrinking one failure may take.
RUNS = 56
#: Characters of a scenario's name.
NAME_LIMIT = 64
#: Members of ``receipt`` that belong to the first of them.
_COPIES = ("copies", "gap", "repeat_set")
#: Values to try for a member, weakest first.
_WEAKER: dict[tuple[str, str], Sequence[Any]] = {
    (family.kind, name): values for family in FAMILIES for name, values in family.weaker.items()
}


@dataclass(frozen=True, slots=True)
class Atom:
    """One concrete thing that goes wrong: in ``match``, ``effect`` of one kind. Both are frozen as sorted pairs."""

    kind: str
    match: tuple[tuple[str, Any], ...]
    effect: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest scenario found. ``repeated`` is how often the failure came again of :data:`REPEATS` times."""

    scenario: Scenario
    numbers: tuple[str, ...]
    failure: Failure
    result: Result
    runs: int
    repeated: int

    @property
    def stable(self) -> bool:
        """Whether the failure repeats, so that it could be shrunk."""
        return self.repeated == REPEATS


class OutOfRuns(Exception):
    """As many runs as shrinking may take have been made."""


@dataclass
class Shrinker:
    """Shrinks one failure. ``run`` makes a run, ``may_go_on`` is asked before each."""

    run: Callable[[Scenario, tuple[str, ...]], Result]
    failure: Failure
    may_go_on: Callable[[], bool] = lambda: True
    limit: int = RUNS
    runs: int = 0
    _known: dict[tuple[str, tuple[str, ...]], Result | None] = field(default_factory=dict)
    _best: tuple[Scenario, tuple[str, ...], Result] | None = None

    def shrink(self, found: Result) -> Shrunk:
        """The smallest scenario that fails as ``found`` does."""
        start = replace(found.scenario, name=self.failure.slug[:NAME_LIMIT].strip("-"))
        atoms = concrete(found.record)
        scenario, repeated = _scenario(start, atoms), 0
        try:
            repeated = self._repeats(scenario, found.numbers)
            if repeated < REPEATS:
                # What happened does not make it fail by itself: keep the chances.
                scenario, atoms = start, []
                repeated = self._repeats(scenario, found.numbers)
            if repeated == REPEATS:
                self._reduce(start, atoms, found.numbers)
        except (OutOfRuns, Stopped):
            pass  # the best so far is kept
        if repeated < REPEATS or self._best is None:
            return Shrunk(start, found.numbers, self.failure, found, self.runs, repeated)
        scenario, numbers, result = self._best
        return Shrunk(
            scenario, numbers, result.failed_as(self.failure) or self.failure, result, self.runs, repeated
        )

    def _reduce(self, start: Scenario, atoms: Sequence[Atom], numbers: tuple[str, ...]) -> None:
        if not atoms:
            rules = minimal(start.rules, lambda rest: self._fails(replace(start, rules=tuple(rest)), numbers))
            self._fewer_numbers(replace(start, rules=tuple(rules)), numbers)
            return
        # Most failures are about some numbers; what else goes wrong has often nothing to do with them.
        about = [atom for atom in atoms if dict(atom.match).get("number") in {*self.failure.numbers, None}]
        if self.failure.numbers and about != atoms and self._fails(_scenario(start, about), numbers):
            atoms = about
        atoms = minimal(atoms, lambda rest: self._fails(_scenario(start, rest), numbers))
        numbers = self._fewer_numbers(_scenario(start, atoms), numbers)
        atoms = self._weaker(start, list(atoms), numbers)
        self._general(_scenario(start, atoms), numbers)

    def _fewer_numbers(self, scenario: Scenario, numbers: tuple[str, ...]) -> tuple[str, ...]:
        if len(numbers) < 2:
            return numbers
        named = {rule.get("match", {}).get("number") for rule in scenario.rules} | set(self.failure.numbers)
        needed = tuple(number for number in numbers if number in named) or numbers[:1]
        for fewer in (
            numbers[:1] if numbers[0] in needed else needed[:1],
            needed,
            numbers[: len(numbers) // 2],
        ):
            if 0 < len(fewer) < len(numbers) and self._fails(scenario, fewer):
                return fewer
        return numbers

    def _weaker(self, start: Scenario, atoms: list[Atom], numbers: tuple[str, ...]) -> list[Atom]:
        """Each atom with the weakest effect that still fails."""
        for index, atom in enumerate(atoms):
            for effect in _weakened(atom):
                candidate = [*atoms[:index], replace(atom, effect=effect), *atoms[index + 1 :]]
                if self._fails(_scenario(start, candidate), numbers):
                    atoms = candidate
                    break
        return atoms

    def _general(self, scenario: Scenario, numbers: tuple[str, ...]) -> None:
        """Rules that match as widely as possible."""
        for condition in ("attempt", "number", "operation"):
            index = 0
            while index < len(scenario.rules):
                rule = scenario.rules[index]
                match = {name: value for name, value in rule["match"].items() if name != condition}
                if match != rule["match"]:
                    wider = rule_of(match, {kind: rule[kind] for kind in KINDS if kind in rule})
                    rules = _once([*scenario.rules[:index], wider, *scenario.rules[index + 1 :]])
                    candidate = replace(scenario, rules=tuple(rules))
                    scenario = candidate if self._fails(candidate, numbers) else scenario
                index += 1
        # A rule that matches more than before may have made others needless.
        for rule in scenario.rules[1:] and scenario.rules:
            rest = replace(scenario, rules=tuple(other for other in scenario.rules if other is not rule))
            scenario = rest if self._fails(rest, numbers) else scenario

    def _repeats(self, scenario: Scenario, numbers: tuple[str, ...]) -> int:
        """How often of :data:`REPEATS` times the failure comes again; the first miss ends it."""
        for count in range(REPEATS):
            self._known.pop((scenario.text, numbers), None)
            if not self._fails(scenario, numbers):
                return count
        return REPEATS

    def _fails(self, scenario: Scenario, numbers: tuple[str, ...]) -> bool:
        key = (scenario.text, numbers)
        if key not in self._known:
            if self.runs >= self.limit or not self.may_go_on():
                raise OutOfRuns
            self.runs += 1
            try:
                result = self.run(scenario, numbers)
            except Invalid:
                self._known[key] = None  # parts that do not go together
            else:
                self._known[key] = result if result.failed_as(self.failure) is not None else None
        result_or_none = self._known[key]
        if result_or_none is not None:
            self._best = (scenario, numbers, result_or_none)
        return result_or_none is not None


def minimal(items: Sequence[Any], fails: Callable[[Sequence[Any]], bool]) -> list[Any]:
    """A part of ``items`` that fails and from which no single item can be left out (Zeller's delta debugging).

    ``items`` itself fails. The order is kept.
    """
    rest = list(items)
    if not rest or fails([]):
        return []
    parts = 2
    while len(rest) >= 2:
        size = -(-len(rest) // parts)
        chunks = [rest[at : at + size] for at in range(0, len(rest), size)]
        for index, chunk in enumerate(chunks):
            if fails(chunk):
                rest, parts = chunk, 2
                break
            others = [item for each in (*chunks[:index], *chunks[index + 1 :]) for item in each]
            if len(chunks) > 2 and fails(others):
                rest, parts = others, max(parts - 1, 2)
                break
        else:
            if parts >= len(rest):
                break
            parts = min(len(rest), parts * 2)
    return rest


# --- from chances to what happened ----------------------------------------------------------------------------------


def concrete(record: Record) -> list[Atom]:
    """What the rules did in a run, each by number and attempt."""
    return list(dict.fromkeys([*_of_calls(record), *_of_requests(record)]))


def _of_calls(record: Record) -> Iterator[Atom]:
    pushed = {push.call_id: str(push.rule) for push in record.callbacks if push.rule}
    counts: Counter[tuple[str, str]] = Counter()
    for call in record.calls:
        counts[call.provider, call.number] += 1
        where = {
            "provider": call.provider,
            "number": call.number,
            "attempt": counts[call.provider, call.number],
        }
        if call.rule in record.rules:
            yield _atom("call", where, _course(call))
        rule = record.rules.get(pushed.get(call.id, ""))
        if rule is not None:
            for part in _parts(rule["receipt"]):
                yield _atom("receipt", where, part)


def _course(call: Call) -> dict[str, Any]:
    """How a call went, as an effect."""
    outcome = Outcome(call.outcome) if call.outcome is not None else Outcome.ANSWERED
    found: dict[str, Any] = {"outcome": outcome.value}
    if outcome in MAY_RING and call.ring_at is not None:
        end = call.answered_at or call.ended_at
        if end is not None:
            found["ring"] = f"{(end - call.ring_at).total_seconds():g}s"
    if outcome in CONNECTED and call.talk_seconds:
        found["talk"] = f"{call.talk_seconds}s"
    if outcome is Outcome.ANSWERED and call.ended_by == "callee":
        found["hangup"] = "callee"
    if outcome in CONNECTED and call.keys:
        found["keys"] = call.keys
    return found


def _of_requests(record: Record) -> Iterator[Atom]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for entry in record.requests:
        if not entry.attributed or not entry.operation:
            continue
        first = entry.numbers[0] if entry.numbers else ""
        counts[entry.provider, entry.operation, first] += 1
        where = {"provider": entry.provider, "operation": entry.operation}
        where |= {"number": first} if first else {}
        where["attempt"] = counts[entry.provider, entry.operation, first]  # type: ignore[assignment]
        named = entry.document.get("rule") or {}
        for kind in ("reply", "fault"):
            rule = record.rules.get(str(named.get(kind)))
            if rule is not None and kind in rule:
                for part in _parts(rule[kind]) if kind == "fault" else [rule[kind]]:
                    yield _atom(kind, where, part)


def _parts(effect: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The members of an effect one by one, but for those that belong together."""
    left = dict(effect)
    together = [{name: left.pop(name) for name in _COPIES if name in left}] if "copies" in left else []
    placed = {"placed": left.pop("placed")} if "placed" in left else {}
    yield from together
    for name, value in left.items():
        yield {name: value} | (placed if name != "latency" else {})
    if placed and not left:
        yield placed


def _atom(kind: str, match: Mapping[str, Any], effect: Mapping[str, Any]) -> Atom:
    return Atom(kind, tuple(match.items()), tuple((name, _frozen(value)) for name, value in effect.items()))


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple((name, _frozen(each)) for name, each in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _thawed(name: str, value: Any) -> Any:
    """The value that :func:`_frozen` was given: pairs are a mapping, but in ``drop``."""
    if not isinstance(value, tuple):
        return value
    return list(value) if name == "drop" else {key: _thawed(key, each) for key, each in value}


def _scenario(start: Scenario, atoms: Sequence[Atom]) -> Scenario:
    """The atoms as rules: those of the same number and attempt are one, but a fault, which may hide a reply."""
    grouped: dict[tuple[Any, ...], dict[str, list[dict[str, Any]]]] = {}
    for atom in atoms:
        effect = {name: _thawed(name, value) for name, value in atom.effect}
        grouped.setdefault((atom.match, atom.kind == "fault"), {}).setdefault(atom.kind, []).append(effect)
    rules = [
        rule_of(dict(match), {kind: joined(kind, effects) for kind, effects in kinds.items()})
        for (match, _), kinds in grouped.items()
    ]
    return replace(start, rules=tuple(rules))


def _once(rules: Sequence[Rule]) -> list[Rule]:
    """The rules without repetitions."""
    found: list[Rule] = []
    for rule in rules:
        if rule not in found:
            found.append(rule)
    return found


# --- weaker effects -------------------------------------------------------------------------------------------------


def _weakened(atom: Atom) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Effects that are weaker than the atom's, weakest first: without what is not needed, then smaller values."""
    effect = dict(atom.effect)
    if atom.kind == "call" and len(effect) > 1:
        yield (("outcome", effect["outcome"]),)
    if "gap" in effect:
        yield tuple((name, value) for name, value in atom.effect if name != "gap")
    for member, usual in effect.items():
        for value in _WEAKER.get((atom.kind, member), ()):
            if value == usual:
                break
            yield tuple((name, value if name == member else old) for name, old in atom.effect)
