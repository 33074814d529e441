from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.billing import Tariff, bill, count_cycles, money


@pytest.mark.parametrize(("second", "cycle", "size"), [(10, 60, 1), (19, 20, 1), (3, 1, 3)])
def test_the_documented_tuples(second: int, cycle: int, size: int):
    assert count_cycles(second, cycle) == size


@given(st.integers(0, 100_000), st.integers(1, 3_600))
def test_cycles_are_the_ceiling(second: int, cycle: int):
    cycles = count_cycles(second, cycle)
    assert (cycles - 1) * cycle < second <= cycles * cycle or (second == 0 and cycles == 0)


@given(st.integers(1, 100_000), st.integers(1, 3_600), st.decimals(0, 100, places=4))
def test_an_answered_call_costs_cycles_times_price(second: int, cycle: int, price: Decimal):
    made = bill(Tariff(cycle, price, Decimal("0.005")), True, second)
    assert made.charge == made.cycles * price
    assert made.cycles == count_cycles(second, cycle)


@given(st.decimals(0, 100, places=4))
def test_an_unanswered_call_costs_the_basic_price(basic: Decimal):
    made = bill(Tariff(60, Decimal("0.036"), basic), False, 0)
    assert (made.cycles, made.charge) == (0, basic)


@pytest.mark.parametrize("wrong", [{"cycle": 0}, {"price": Decimal(-1)}, {"basic_price": Decimal("-0.1")}])
def test_impossible_tariffs_are_refused(wrong: dict):
    with pytest.raises(ValueError, match=r"cycle|price"):
        Tariff(**wrong)


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0.0360", "0.036"), ("0", "0"), ("12", "12"), ("0.00", "0"), ("1E+2", "100"), ("-0.0", "0")],
)
def test_money_is_plain_digits(amount: str, text: str):
    assert money(Decimal(amount)) == text


@given(st.decimals(0, 10**6, places=6))
def test_money_keeps_its_value(amount: Decimal):
    assert Decimal(money(amount)) == amount
