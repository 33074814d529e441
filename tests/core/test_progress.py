from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.progress import BARS, ENDED, LATENCY_BOUNDS, REQUESTS, Latency, Timeline, merged

SECOND = 1_000_000


def test_bars_begin_at_the_second_of_the_first_count():
    timeline = Timeline()
    timeline.add(REQUESTS, 1_500_000)
    timeline.add(ENDED, 3_000_000)
    assert timeline.start == SECOND
    assert timeline.bars == [[1, 0, 0, 0, 0], [0] * 5, [0, 0, 1, 0, 0]]


def test_a_longer_run_has_wider_bars():
    timeline = Timeline()
    for second in range(BARS * 3):
        timeline.add(REQUESTS, second * SECOND)
    assert timeline.width == 4 * SECOND
    assert len(timeline.bars) == BARS * 3 // 4
    assert timeline.bars[0][REQUESTS] == 4


@given(st.lists(st.integers(0, 10**13), max_size=200))
def test_timeline_loses_nothing_and_never_has_too_many_bars(instants):
    timeline = Timeline()
    for at in instants:
        timeline.add(REQUESTS, at)
    assert sum(bar[REQUESTS] for bar in timeline.bars) == len(instants)
    assert len(timeline.bars) <= BARS


def test_quantiles_are_bounds_of_classes():
    latency = Latency()
    assert latency.quantile(0.5) is None
    for duration in (800, 1_500, 1_500, 700_000):
        latency.add(duration)
    assert latency.quantile(0.25) == 1
    assert latency.quantile(0.5) == 2
    assert latency.quantile(0.99) == 1_000
    assert latency.longest == 700_000


def test_what_is_beyond_the_last_bound_is_told_by_the_longest():
    latency = Latency()
    latency.add((LATENCY_BOUNDS[-1] + 5_000) * 1000)
    assert latency.quantile(0.5) == LATENCY_BOUNDS[-1] + 5_000


def test_latencies_add_up():
    one, two = Latency(), Latency()
    one.add(1_000)
    two.add(3_000)
    total = merged([one, two])
    assert (total.count, total.total, total.longest) == (2, 4_000, 3_000)
