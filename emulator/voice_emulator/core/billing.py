"""What a call costs, in exact decimals.

Rule: cycles = ceil(talk seconds / cycle), charge = cycles * price ("Voice Receipt Callback" and
"Voice Record Query", NXCloud wiki: three documented tuples agree). A call that did not connect has
no cycles and costs the tariff's basic price where it has one ("base fee for unsuccessful calls").
"""

from __future__ import annotations

from decimal import Decimal

from voice_emulator.core.values import plain_value

_ZERO = Decimal(0)


@plain_value
class Tariff:
    """Price list of an account: ``cycle`` in seconds, prices per cycle and per unsuccessful call."""

    cycle: int = 60
    price: Decimal = _ZERO
    basic_price: Decimal = _ZERO

    def __post_init__(self) -> None:
        """Raise ValueError for a cycle below one second and for negative prices."""
        if self.cycle < 1:
            raise ValueError(f"a billing cycle is at least 1 second, not {self.cycle}")
        if self.price < 0 or self.basic_price < 0:
            raise ValueError("a price cannot be negative")


#: For providers that state no prices.
FREE = Tariff()


@plain_value
class Bill:
    """The billed side of one ended call."""

    cycle: int
    cycles: int
    unit_price: Decimal
    basic_price: Decimal
    charge: Decimal


def count_cycles(seconds: int, cycle: int) -> int:
    """Cycles begun in ``seconds`` of talk: ceil(seconds / cycle)."""
    return -(-seconds // cycle)


def bill(tariff: Tariff, answered: bool, seconds: int) -> Bill:
    """The bill of a call that talked for ``seconds``, 0 if it was not answered."""
    cycles = count_cycles(seconds, tariff.cycle) if answered else 0
    charge = cycles * tariff.price if answered else tariff.basic_price
    return Bill(tariff.cycle, cycles, tariff.price, tariff.basic_price, charge)


def money(amount: Decimal) -> str:
    """``amount`` as plain digits without padding or exponent: ``0.036``, ``0``, ``12``."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
