from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.distributions import Distribution, Exponential, Fixed, Lognormal, Normal, Uniform
from voice_emulator.core.draws import draw

SECOND = 1_000_000
ALL: list[Distribution] = [
    Fixed(3),
    Uniform(2 * SECOND, 12 * SECOND),
    Normal(5 * SECOND, 2 * SECOND),
    Normal(0, SECOND),
    Lognormal(18 * SECOND, 90 * SECOND),
    Exponential(4 * SECOND),
]


@given(st.sampled_from(ALL), st.floats(0, 1, exclude_max=True))
def test_no_duration_is_negative(distribution: Distribution, unit: float):
    assert distribution.at(unit) >= 0


@given(st.sampled_from(ALL), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_a_higher_quantile_is_no_shorter(distribution: Distribution, one: float, other: float):
    low, high = sorted((one, other))
    assert distribution.at(low) <= distribution.at(high)


def test_quantiles_are_where_the_names_say():
    assert Lognormal(18, 90).at(0.5) == 18
    assert Lognormal(18_000, 90_000).at(0.95) == pytest.approx(90_000, rel=1e-3)
    assert Normal(500, 20).at(0.5) == 500
    assert Uniform(0, 100).at(0.5) == 50
    assert Lognormal(0, 10).at(0.9) == 0


def test_the_mean_of_many_draws_is_the_mean():
    drawn = [Exponential(1_000_000).at(draw("mean", n)) for n in range(20_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(1_000_000, rel=0.03)
