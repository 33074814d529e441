from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.clock import (
    DAY,
    LAST,
    SECOND,
    Clock,
    ClockError,
    ClockSpec,
    parse_rfc3339,
    parse_wall_text,
    rfc3339,
    wall_text,
)


class Machine:
    """A machine whose time the test sets."""

    def __init__(self) -> None:
        self.time = 1_000 * SECOND

    def __call__(self) -> int:
        return self.time


def test_a_real_clock_shows_the_machines_time_and_ignores_a_start():
    machine = Machine()
    clock = Clock(ClockSpec("real", start=5), machine)
    machine.time += 3 * SECOND
    assert clock.now() == machine.time
    assert clock.start == 1_000 * SECOND
    assert clock.wall_delay(machine.time + SECOND) == 1.0
    assert clock.wall_delay(machine.time - SECOND) == 0.0


def test_a_scaled_clock_runs_faster_from_its_start():
    machine = Machine()
    clock = Clock(ClockSpec("scaled", 60, start=0), machine)
    machine.time += SECOND
    assert clock.now() == 60 * SECOND
    assert clock.wall_delay(120 * SECOND) == pytest.approx(1.0)
    assert str(clock.spec) == "60x"


def test_a_manual_clock_moves_only_when_told_and_only_forwards():
    machine = Machine()
    clock = Clock(ClockSpec("manual", start=7), machine)
    machine.time += SECOND
    assert clock.now() == 7
    clock.advance_to(10)
    assert clock.now() == 10
    assert clock.wall_delay(11) is None
    with pytest.raises(ClockError, match="forwards only"):
        clock.advance_to(9)
    clock.rewind()
    assert clock.now() == 7


def test_a_manual_clock_without_a_start_begins_at_the_machines_time():
    assert Clock(ClockSpec("manual"), Machine()).now() == 1_000 * SECOND


@pytest.mark.parametrize("spec", [ClockSpec("real"), ClockSpec("scaled", 2.0)])
def test_a_running_clock_cannot_be_advanced(spec: ClockSpec):
    clock = Clock(spec, Machine())
    with pytest.raises(ClockError, match="only a manual clock"):
        clock.advance_to(10**18)
    before = clock.now()
    clock.rewind()
    assert clock.now() == before


def test_a_clock_can_take_over_at_an_instant():
    clock = Clock(ClockSpec("manual"), Machine(), at=42)
    assert clock.now() == 42
    assert clock.manual


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000))
def test_rfc3339_round_trips(instant: int):
    assert parse_rfc3339(rfc3339(instant)) == instant


def test_rfc3339_wants_an_offset():
    with pytest.raises(ValueError, match="no UTC offset"):
        parse_rfc3339("2026-01-05T09:00:00")


@given(st.integers(min_value=0, max_value=4_000_000_000), st.sampled_from([-5, 0, 5.5, 8]))
def test_wall_text_round_trips_at_any_offset(second: int, offset: float):
    instant = second * SECOND
    assert parse_wall_text(wall_text(instant, offset), offset) == instant


def test_wall_text_is_at_the_offset():
    assert wall_text(0, 8) == "1970-01-01 08:00:00"


@pytest.mark.parametrize(
    "spec", [ClockSpec("manual", start=7), ClockSpec("scaled", 60, start=7), ClockSpec("manual")]
)
def test_a_clock_that_goes_on_knows_when_it_first_started(spec: ClockSpec):
    clock = Clock(spec, Machine(), at=5_000, start=7)
    assert (clock.now(), clock.start) == (5_000, 7)
    clock.rewind()
    assert clock.now() == (7 if clock.manual else 5_000)


@pytest.mark.parametrize("beyond", [1, DAY, 100 * 365 * DAY, 10**18, 10**24])
def test_a_clock_ends_where_years_have_four_digits(beyond: int):
    clock = Clock(ClockSpec("manual", start=0), lambda: 0)
    with pytest.raises(ClockError, match="a clock ends at 9989"):
        clock.advance_to(LAST + beyond)
    assert clock.now() == 0
    clock.advance_to(LAST)
    for offset in (-12, 0, 14):
        assert wall_text(clock.now() + 365 * DAY, offset)
    assert parse_rfc3339(rfc3339(LAST)) == LAST
    assert rfc3339(LAST + beyond)


def test_a_scaled_clock_ends_there_too():
    wall = [0]
    clock = Clock(ClockSpec("scaled", 100_000.0, start=0), lambda: wall[0])
    wall[0] = 365 * DAY
    assert clock.now() == LAST
