from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.draws import choose_weighted, digest, draw, hexadecimal, integer


def test_a_draw_depends_on_its_key_alone():
    assert draw(1, "a", 2) == draw(1, "a", 2)
    assert len({draw(1, "a"), draw(2, "a"), draw(1, "b"), draw(1, "a", ""), draw("1a")}) == 5


def test_key_parts_do_not_run_into_each_other():
    assert digest("ab", "c") != digest("a", "bc")


def test_draws_are_uniform():
    drawn = [draw("uniform", n) for n in range(20_000)]
    assert all(0 <= value < 1 for value in drawn)
    for tenth in range(10):
        share = sum(tenth / 10 <= value < (tenth + 1) / 10 for value in drawn) / len(drawn)
        assert share == pytest.approx(0.1, abs=0.01)


@given(st.integers(1, 10**12), st.text())
def test_integers_stay_below(below: int, key: str):
    assert 0 <= integer(below, key) < below


def test_hexadecimal_has_the_length_asked_for():
    assert [len(hexadecimal(n, "x")) for n in (1, 2, 31, 32)] == [1, 2, 31, 32]


@pytest.mark.parametrize(("unit", "index"), [(0.0, 0), (0.24, 0), (0.26, 2), (0.99, 2)])
def test_weights_divide_the_line(unit: float, index: int):
    assert choose_weighted([1, 0, 3], unit) == index


def test_a_weightless_choice_is_refused():
    with pytest.raises(ValueError, match="positive"):
        choose_weighted([0, 0], 0.5)


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=8).filter(lambda w: sum(w) > 0),
    st.floats(0, 1, exclude_max=True),
)
def test_a_choice_without_weight_is_never_made(weights: list[float], unit: float):
    assert weights[choose_weighted(weights, unit)] > 0
