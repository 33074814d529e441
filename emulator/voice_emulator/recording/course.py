"""Finds out from a receipt how its call went, with the provider's own code.

Receipts of calls that went in every way are rendered as the emulator would send them. The one most like the recorded
receipt says outcome, cause and who hung up. Which fields grow with the time of ringing and of talking shows when the same
call is rendered with other times, so the recorded ones say how long this one took. No provider needs code for this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voice_emulator.core.clock import SECOND, ClockSpec
from voice_emulator.core.distributions import Fixed
from voice_emulator.core.layers import Layer
from voice_emulator.core.plan import NO_LIMITS, make_plan
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import CallEffect, CallSpec, Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.vocabulary import CONNECTED, MAY_RING, Outcome, Party
from voice_emulator.providers.examples import place_example
from voice_emulator.providers.provider import Provider
from voice_emulator.recording.values import instant, number
from voice_emulator.schemas.fields import fields as fields_of
from voice_emulator.schemas.validate import SchemaSet

#: Of the rendered calls: when they begin, seconds of ringing and talking, and the other lengths that show what they do.
BEGIN = 1_767_571_200 * SECOND
RING, TALK = 3, 10
OTHER_RING, OTHER_TALK = 8, 137
#: Seconds by which zones differ.
ZONE = 900
#: The called number of rendered calls, and a key that nothing else looks like.
NUMBER, KEYS = "6281290909090", "73*#5"
#: A rendered call is over by then.
AFTER = 3_600 * SECOND


@dataclass(frozen=True, slots=True)
class Way:
    """One way a call may go, but for its durations."""

    outcome: Outcome
    cause: str | None = None
    hangup: Party | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """How a recorded call went. ``ring`` and ``talk`` are whole seconds, None where the receipt does not say.

    ``unlike`` are fields with values that such a call does not have here, as recorded; ``extra`` are fields that no
    page documents, and ``missing`` those that a receipt has here.
    """

    way: Way
    ring: int | None
    talk: int | None
    keys: str
    unlike: Mapping[str, Any]
    extra: Mapping[str, Any]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sample:
    """Receipts of a way: plain, with another ring, with another talk time, and with keys."""

    way: Way
    plain: Mapping[str, Any]
    rung: Mapping[str, Any]
    talked: Mapping[str, Any]
    keyed: Mapping[str, Any]


class Courses:
    """Tells the courses of one provider's calls."""

    def __init__(self, provider: Provider, schemas: SchemaSet) -> None:
        self._provider = provider
        self._schemas = schemas
        self._samples: dict[tuple[str, str], list[_Sample]] = {}
        self._caused: dict[tuple[str, str], list[_Sample]] = {}

    def tell(self, operation: str, kind: str, receipt: Mapping[str, Any], submitted: int) -> Course | None:
        """The course of a call that ``operation`` placed at the instant ``submitted``.

        None when nothing in its receipt says how it went.
        """
        samples = self._of(operation, kind)
        present = [name for name in _telling(samples, self._exact(kind)) if name in receipt]
        if not present:
            return None

        measured = self._exact(kind) - set(present)

        def likeness(sample: _Sample) -> tuple[int, int]:
            alike = sum(sample.plain.get(name) == receipt[name] for name in present)
            # Of ways with the same codes, the one whose other fields may be what they are: the same fields, values that no
            # duration changes, and talk time only if there was any.
            other = len(sample.plain.keys() ^ receipt.keys())
            for name, value in sample.plain.items():
                if name not in measured or number(value) is None or name not in receipt:
                    continue
                fixed = value == sample.rung.get(name) == sample.talked.get(name)
                talked = value != sample.talked.get(name)
                other += (fixed and receipt[name] != value) or (talked and number(receipt[name]) == 0)
            return alike, -other

        # Ways come in the order of preference, and the first of the best is taken.
        best = max(samples, key=likeness)
        if likeness(best)[0] < len(present):
            # There are hundreds of these, and few calls end with a cause of their own.
            best = max((best, *self._with_causes(operation, kind)), key=likeness)
        ring, talk = _durations(best, receipt, (submitted - BEGIN) / SECOND)
        unlike = {name: receipt[name] for name in present if best.plain.get(name) != receipt[name]}
        known = self._schemas.get(self._provider.receipts[kind].schema).document.get("properties", {})
        extra = {name: value for name, value in receipt.items() if name not in known}
        missing = tuple(name for name in best.plain if name not in receipt)
        return Course(best.way, ring, talk, _keys(best, receipt), unlike, extra, missing)

    def power(self, operation: str, kind: str) -> int:
        """How many ways the receipts of a kind tell apart."""
        samples = self._of(operation, kind)
        telling = _telling(samples, self._exact(kind))
        return len({tuple(str(sample.plain.get(name)) for name in telling) for sample in samples})

    def _exact(self, kind: str) -> set[str]:
        schema = self._schemas.get(self._provider.receipts[kind].schema)
        return {path[1:] for path, one in fields_of(schema.document).items() if one.kind == "exact"}

    def _of(self, operation: str, kind: str) -> list[_Sample]:
        found = self._samples.get((operation, kind))
        if found is None:
            found = self._samples[operation, kind] = list(self._render_all(operation, kind))
        return found

    def _render_all(self, operation: str, kind: str) -> Iterator[_Sample]:
        for outcome in Outcome:
            parties = (Party.CALLER, Party.CALLEE) if outcome is Outcome.ANSWERED else (None,)
            yield from self._sampled(operation, kind, [Way(outcome, None, party) for party in parties])

    def _with_causes(self, operation: str, kind: str) -> list[_Sample]:
        found = self._caused.get((operation, kind))
        if found is None:
            ways = [
                Way(outcome, cause)
                for outcome in Outcome
                for cause in sorted(self._provider.causes, key=lambda name: (name.isdigit(), name))
            ]
            found = self._caused[operation, kind] = list(self._sampled(operation, kind, ways))
        return found

    def _sampled(self, operation: str, kind: str, ways: Iterable[Way]) -> Iterator[_Sample]:
        for way in ways:
            plain = self._render(operation, kind, way, RING, TALK, "")
            if plain is None:
                continue
            rung = self._render(operation, kind, way, OTHER_RING, TALK, "")
            talked = self._render(operation, kind, way, RING, OTHER_TALK, "")
            keyed = self._render(operation, kind, way, RING, TALK, KEYS)
            yield _Sample(way, plain, rung or plain, talked or plain, keyed or plain)

    def _render(
        self, operation: str, kind: str, way: Way, ring: int, talk: int, keys: str
    ) -> Mapping[str, Any] | None:
        provider = self._provider
        connected = way.outcome in CONNECTED
        spec = CallSpec(
            way.outcome,
            Fixed(ring * SECOND) if way.outcome in MAY_RING and way.outcome is not Outcome.BUSY else None,
            Fixed(talk * SECOND) if connected else None,
            ((way.hangup, 1.0),) if way.hangup is not None else (),
            keys if connected else "",
            way.cause,
        )
        tenancy = Tenancy({provider.id: provider}, lambda: BEGIN)
        layer = (
            Layer(settings={provider.id: dict(provider.example_settings)})
            if provider.example_settings
            else None
        )
        tenant = tenancy.create(
            Scenario("course"), id="course", clock=ClockSpec("manual", start=BEGIN), api=layer
        )
        call = place_example(
            tenant, provider, provider.operations[operation], self._schemas, NUMBER, at=BEGIN,
            plan=make_plan(CallEffect((spec,)), NO_LIMITS, lambda purpose: 0.5),
        )  # fmt: skip
        if call is None:
            return None
        tenant.engine.fire(BEGIN + AFTER)
        if not call.ended:
            return None
        push = Push("course", provider.id, kind, call, call, BEGIN)
        try:
            return dict(provider.receipts[kind].fields(tenant, push))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None  # the receipt of something else: of a review, not of a call


def _telling(samples: list[_Sample], exact: set[str]) -> list[str]:
    """The fields that say how a call went: they differ between ways, and do not follow from the durations alone."""
    found = []
    for name in exact:
        values = {str(sample.plain.get(name)) for sample in samples}
        measured = any(
            sample.plain.get(name) != sample.rung.get(name)
            or sample.plain.get(name) != sample.talked.get(name)
            for sample in samples
        )
        if len(values) > 1 and not measured:
            found.append(name)
    return sorted(found)


def _durations(
    sample: _Sample, receipt: Mapping[str, Any], submitted: float
) -> tuple[int | None, int | None]:
    """Seconds of ringing and talking, from the fields that follow from them. Counts of seconds come before times.

    ``submitted`` is how much later the call was submitted than the rendered one: it began then, if no field says when.
    """
    equations: list[tuple[bool, float, float, float]] = []
    start = _start(sample, receipt)
    for name, value in sample.plain.items():
        for reading, timed in ((number, False), (instant, True)):
            base, now = reading(value), reading(receipt.get(name))
            if base is None or now is None or (not timed and instant(value) is not None):
                continue
            by_ring = ((reading(sample.rung.get(name)) or base) - base) / (OTHER_RING - RING)
            by_talk = ((reading(sample.talked.get(name)) or base) - base) / (OTHER_TALK - TALK)
            if {by_ring, by_talk} <= {0.0, 1.0} and (by_ring or by_talk):
                shift = now - base
                if timed:
                    shift = shift - start if start is not None else _within_zone(shift - submitted)
                equations.append((timed, by_ring, by_talk, shift))
    equations.sort(key=lambda one: one[0])
    ring = next((RING + shift for _, r, t, shift in equations if r and not t), None)
    talk = next((TALK + shift for _, r, t, shift in equations if t and not r), None)
    for _, r, t, shift in equations:
        if r and t and ring is None and talk is not None:
            ring = RING + TALK + shift - talk
        if r and t and talk is None and ring is not None:
            talk = RING + TALK + shift - ring
    return (
        max(0, round(ring)) if ring is not None else None,
        max(1, round(talk)) if talk is not None else None,
    )


def _within_zone(seconds: float) -> float:
    """Without whole quarters of an hour: a wall time does not say its zone."""
    return (seconds + ZONE / 2) % ZONE - ZONE / 2


def _start(sample: _Sample, receipt: Mapping[str, Any]) -> float | None:
    """How much later the recorded call began than the rendered one, by a time that no duration moves."""
    for name, value in sample.plain.items():
        base, now = instant(value), instant(receipt.get(name))
        if base is None or now is None:
            continue
        if value == sample.rung.get(name) == sample.talked.get(name):
            return now - base
    return None


def _keys(sample: _Sample, receipt: Mapping[str, Any]) -> str:
    for name, value in sample.keyed.items():
        pressed = str(receipt.get(name) or "")
        if (
            value == KEYS
            and sample.plain.get(name) != KEYS
            and pressed
            and set(pressed) <= set("0123456789*#ABCD")
        ):
            return pressed[:32]
    return ""
