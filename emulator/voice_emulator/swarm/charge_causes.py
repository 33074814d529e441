"""Why an amount on a bill is wrong: each guess is an amount that real billing code arrives at, and how.

A guess counts only if it gives exactly the amount billed. Several may: they come in the order of what is most specific,
and :mod:`voice_emulator.swarm.reconciliation` prefers the cause that explains most rows of the bill.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from voice_emulator.core.billing import Tariff, count_cycles, money
from voice_emulator.core.shapes import Call
from voice_emulator.core.words import counted

#: Billing cycles, in seconds, that providers use.
_CYCLES = (1, 6, 10, 12, 15, 30, 60)
_FACTORS = (100, 1_000, 10_000, 1_000_000)
#: Relative error that binary floating point makes in a few sums of double precision.
_FLOAT = Decimal("1e-9")
#: Decimals that amounts are rounded to.
_PLACES = range(5)
_ROUNDINGS = (
    ("rounded down", ROUND_DOWN), ("rounded", ROUND_HALF_UP), ("rounded", ROUND_HALF_EVEN), ("rounded up", ROUND_CEILING),
)  # fmt: skip
_TAXES = range(1, 31)
#: More decimals than prices and their products have.
_TINY = Decimal("1e-30")

#: An amount, the name of the mistake that gives it, and the text for this call.
_Guess = tuple[Decimal, str, str]


@dataclass(frozen=True, slots=True)
class Cause:
    """``name`` is the same for all rows that are wrong in this way; ``text`` explains this one."""

    name: str
    text: str


def guesses(
    call: Call, tariff: Tariff, expected: Decimal, billed: Decimal, *,
    seconds: Decimal | None, others: Iterable[tuple[Tariff, str]],
) -> Iterator[Cause]:  # fmt: skip
    """The causes that explain ``billed`` where the charge is ``expected``, the most specific first.

    ``seconds`` is the talk time by the bill; ``others`` are tariffs of other calls, each with what it is for.
    """
    if expected and abs(billed - expected) <= abs(expected) * _FLOAT:
        yield Cause("floating point", f"{billed} is binary floating point; count money in decimals")
        return
    if billed == -expected:
        yield Cause("wrong sign", "booked as a credit")
        return
    found = (
        _unanswered(call, tariff, billed)
        if call.answered_at is None
        else _answered(call, tariff, seconds, others)
    )
    for amount, name, text in (*_pushed(call, expected), *found, *_scaled(expected)):
        # An amount that does not end, such as a third, is on no bill in full.
        if amount == billed or (amount % _TINY and _rounded(amount, billed) == billed != 0):
            yield Cause(name, text)


def _rounded(amount: Decimal, like: Decimal) -> Decimal:
    exponent = like.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 - amounts of a bill are finite
    return amount.quantize(Decimal(1).scaleb(min(exponent, 0)), ROUND_HALF_UP)


def _unanswered(call: Call, tariff: Tariff, billed: Decimal) -> Iterator[_Guess]:
    not_answered = f"the call was not answered ({call.outcome})"
    base = tariff.basic_price
    if base:
        yield Decimal(0), "base fee missing", f"{not_answered}, which costs the base fee of {money(base)}"
    for count in (1, *_waits(call, tariff.cycle)):
        yield count * tariff.price, "unanswered call billed", f"{not_answered} and is billed as if it was"
    if not base:
        yield billed, "unanswered call billed", f"{not_answered}: it costs nothing"


def _answered(
    call: Call, tariff: Tariff, seconds: Decimal | None, others: Iterable[tuple[Tariff, str]]
) -> Iterator[_Guess]:
    talk, cycle, price = call.talk_seconds, tariff.cycle, tariff.price
    cycles = count_cycles(talk, cycle)
    lasted = f"{talk} s are {counted(cycles, 'begun cycle')} of {cycle} s"
    yield Decimal(0), "answered call not billed", f"the call was answered and lasted {talk} s"
    base = tariff.basic_price
    yield base, "answered call not billed", "the base fee of unanswered calls, and this one was answered"
    if seconds is not None and abs(seconds - talk) >= 1:
        why = seconds_cause(call, seconds)
        yield _charge(seconds, cycle, price), why.name, f"charged by wrong seconds: {why.text}"
    yield talk // cycle * price, "rounded down", f"the begun cycle is not charged: {lasted}"
    if cycle > 1:
        yield talk * price / cycle, "no cycles", f"charged by the second: {lasted}"
    for other, what in others:
        if (other.cycle, other.price) != (cycle, price):
            by = f"by the tariff of {what}: {money(other.price)} per {other.cycle} s"
            yield count_cycles(talk, other.cycle) * other.price, "wrong tariff", f"charged {by}"
    yield (cycles + 1) * price, "a cycle too many", f"{lasted}, not {cycles + 1}"
    yield (cycles - 1) * price, "a cycle too few", f"{lasted}, not {cycles - 1}"
    yield cycles * price + base, "base fee added", f"the base fee of {money(base)} is for unanswered calls"
    for count in _waits(call, cycle):
        yield count * price, "ringing billed", f"charged from dialling on; the talk lasted {talk} s"
    yield _charge(Decimal(talk * 1000), cycle, price), "milliseconds", "milliseconds taken for seconds"
    if cycle > 1:
        yield talk * price, "price per second", f"the price of a cycle of {cycle} s for each second"
    for size in _CYCLES:
        if size != cycle:
            count = count_cycles(talk, size)
            yield (
                count * price * size / cycle,
                "wrong cycle",
                f"rounded to {size} s, not to cycles of {cycle} s",
            )
            yield count * price, "wrong cycle", f"charged in cycles of {size} s, not of {cycle} s"


def _waits(call: Call, cycle: int) -> Iterator[int]:
    """Cycles from each instant of the call before the talk until its end."""
    if call.ended_at is not None:
        for begin in (call.submitted_at, call.ring_at):
            if begin is not None:
                yield -(-int((call.ended_at - begin).total_seconds()) // cycle)


def _charge(seconds: Decimal, cycle: int, price: Decimal) -> Decimal:
    return (seconds / cycle).to_integral_value(ROUND_CEILING) * price


def _pushed(call: Call, expected: Decimal) -> Iterator[_Guess]:
    attempts = push_attempts(call)
    if attempts > 1 and expected:
        text = f"charged for each of the {attempts} pushes of its receipt"
        yield attempts * expected, "attempt counted instead of call", text


def _scaled(expected: Decimal) -> Iterator[_Guess]:
    if not expected:
        return
    unit = "wrong currency unit"
    for factor in _FACTORS:
        yield expected * factor, unit, f"{factor:,} times as much, as where cents are taken for the currency"
        yield (
            expected / factor,
            unit,
            f"{factor:,} times too little, as where the currency is taken for cents",
        )
    for places in _PLACES:
        for name, mode in _ROUNDINGS:
            rounded = expected.quantize(Decimal(1).scaleb(-places), mode)
            yield rounded, name, f"{money(expected)} is {name} to {counted(places, 'decimal')}"
    for times in range(2, 6):
        yield times * expected, "charged more than once", f"{times} times the charge of the call"
    for rate in _TAXES:
        yield expected * (100 + rate) / 100, "tax added", f"{rate} % more, as a tax would be"


def push_attempts(call: Call) -> int:
    """How often a receipt of the call was pushed."""
    return sum(step.event == "callback" for step in call.timeline)


def seconds_cause(call: Call, seconds: Decimal) -> Cause:
    """Why ``seconds`` is not the talk time."""
    talk = call.talk_seconds
    waits = [
        (call.ended_at - begin).total_seconds()
        for begin in (call.submitted_at, call.ring_at)
        if begin is not None and call.ended_at is not None
    ]
    if talk and abs(seconds - talk * 1000) < 1000:
        return Cause("milliseconds", f"milliseconds for {talk} s")
    if any(abs(float(seconds) - wait) <= 1 for wait in waits):
        return Cause("ringing billed", f"{money(seconds)} s count from dialling on; the talk lasted {talk} s")
    if talk and abs(seconds * 60 - talk) <= 1:
        return Cause("minutes", f"minutes for {talk} s")
    return Cause("wrong seconds", f"{money(seconds)} s where the call lasted {talk} s")
