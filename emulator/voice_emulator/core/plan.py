"""Makes the timed plan of a call from the ``call`` effect of a rule and the draws.

A plan fixes how a call goes before it is dialled: how long it rings, how long they talk, who hangs up, which keys are
pressed. Limits in the request cut it: ringing past the limit becomes no answer, talking past it a time limit.
"""

from __future__ import annotations

from collections.abc import Callable

from voice_emulator.core.clock import SECOND
from voice_emulator.core.distributions import Distribution, Fixed
from voice_emulator.core.draws import choose_weighted
from voice_emulator.core.scenario import CallEffect, CallSpec
from voice_emulator.core.values import plain_value
from voice_emulator.core.vocabulary import CONNECTED, Outcome, Party

#: Default ring and talk time.
DEFAULT_RING = Fixed(3 * SECOND)
DEFAULT_TALK = Fixed(10 * SECOND)
#: Default ring time of a call that is not answered.
DEFAULT_PATIENCE = Fixed(30 * SECOND)
#: From dialling to the network's refusal, for outcomes that never ring.
SETUP = Fixed(1 * SECOND)
#: Default talk time of a call that is cut by a time limit.
DEFAULT_LIMIT = Fixed(60 * SECOND)

#: Plans kept per scenario: each combination of limits in requests makes another one.
PLANS_REMEMBERED = 1_000

DEFAULT_EFFECT = CallEffect((CallSpec(Outcome.ANSWERED),))


@plain_value
class Limits:
    """Limits in a request, in microseconds: None and 0 are unlimited."""

    ring: int | None = None
    talk: int | None = None


NO_LIMITS = Limits()


@plain_value
class Plan:
    """How one call will go. Durations are microseconds; ``setup`` is the time to a failure without ringing."""

    outcome: Outcome
    ended_by: Party
    setup: int = 0
    ring: int | None = None
    talk: int | None = None
    keys: str = ""
    cause: str | None = None

    @property
    def span(self) -> int:
        """Microseconds from dialling to the end."""
        return self.setup + (self.ring or 0) + (self.talk or 0)


class Plans:
    """Plans without a draw: made once per effect and limits, and shared, as a plan never changes.

    ``effect`` must live as long as this object, as the rules of one scenario do.
    """

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: dict[tuple[int, int | None, int | None, bool], Plan] = {}

    def certain(self, effect: CallEffect, limits: Limits, *, wants_keys: bool) -> Plan | None:
        """The plan that :func:`make_plan` makes for every draw; None if the plan depends on a draw."""
        key = (id(effect), limits.ring, limits.talk, wants_keys)
        plan = self._made.get(key)
        if plan is None and _is_certain(effect):
            plan = make_plan(effect, limits, _no_draw, wants_keys=wants_keys)
            if len(self._made) >= PLANS_REMEMBERED:
                self._made.clear()
            self._made[key] = plan
        return plan


def _is_certain(effect: CallEffect) -> bool:
    spec = effect.choices[0]
    spans = (spec.ring, spec.talk)
    return (
        len(effect.choices) == 1
        and len(spec.hangup) <= 1
        and all(span is None or type(span) is Fixed for span in spans)
    )


def _no_draw(purpose: str) -> float:
    raise AssertionError(f"{purpose} was drawn for a plan without draws")


def make_plan(
    effect: CallEffect, limits: Limits, unit: Callable[[str], float], *, wants_keys: bool = True
) -> Plan:
    """The plan of one call.

    ``unit(purpose)`` draws a uniform number for one purpose of this call. Key presses are reported only if the request
    asked for them (``wants_keys``).
    """
    choices = effect.choices
    spec = choices[0]
    if len(choices) > 1:
        spec = choices[choose_weighted([choice.weight for choice in choices], unit("mix"))]
    if spec.outcome not in CONNECTED:
        return _unanswered(spec, limits, unit)
    ring = _span(spec.ring or DEFAULT_RING, unit, "ring")
    if limits.ring and ring > limits.ring:
        return Plan(Outcome.NO_ANSWER, Party.CALLER, ring=limits.ring, cause=spec.cause)
    outcome, talk = _talk(spec, limits, unit)
    party = Party.CALLER
    if outcome is Outcome.ANSWERED and spec.hangup:
        party = spec.hangup[0][0]
        if len(spec.hangup) > 1:
            party = spec.hangup[choose_weighted([w for _, w in spec.hangup], unit("hangup"))][0]
    keys = spec.keys if wants_keys else ""
    return Plan(outcome, party, ring=ring, talk=talk, keys=keys, cause=spec.cause)


def _talk(spec: CallSpec, limits: Limits, unit: Callable[[str], float]) -> tuple[Outcome, int]:
    if spec.outcome is Outcome.TIME_LIMIT:
        drawn = limits.talk or _span(spec.talk or DEFAULT_LIMIT, unit, "talk")
        return Outcome.TIME_LIMIT, _whole_seconds(drawn)
    talk = _whole_seconds(_span(spec.talk or DEFAULT_TALK, unit, "talk"))
    if limits.talk and talk > limits.talk:
        return Outcome.TIME_LIMIT, _whole_seconds(limits.talk)
    return spec.outcome, talk


def _unanswered(spec: CallSpec, limits: Limits, unit: Callable[[str], float]) -> Plan:
    if spec.outcome is Outcome.NO_ANSWER:
        ring = _span(spec.ring, unit, "ring") if spec.ring else (limits.ring or DEFAULT_PATIENCE.value)
        if limits.ring:
            ring = min(ring, limits.ring)
        return Plan(spec.outcome, Party.CALLER, ring=ring, cause=spec.cause)
    if spec.outcome is Outcome.REJECTED or (spec.outcome is Outcome.BUSY and spec.ring):
        ring = _span(spec.ring or DEFAULT_RING, unit, "ring")
        if limits.ring and ring > limits.ring:
            return Plan(Outcome.NO_ANSWER, Party.CALLER, ring=limits.ring)
        return Plan(spec.outcome, Party.CALLEE, ring=ring, cause=spec.cause)
    party = Party.CALLEE if spec.outcome is Outcome.BUSY else Party.NETWORK
    return Plan(spec.outcome, party, setup=SETUP.value, cause=spec.cause)


def _span(distribution: Distribution, unit: Callable[[str], float], purpose: str) -> int:
    """Draw a duration; a fixed one needs no draw."""
    if type(distribution) is Fixed:
        return distribution.value
    return distribution.at(unit(purpose))


def _whole_seconds(span: int) -> int:
    """Talk time rounded up to whole seconds, as it is billed and rendered; at least one."""
    return max(1, -(-span // SECOND)) * SECOND
