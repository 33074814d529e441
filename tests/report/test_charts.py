from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from voice_emulator.report.charts import WIDTH, Lane, Series, bars, columns, legend, shares, timeline

GOOD, BAD = Series("good & well", "good"), Series("bad", "bad")
HOSTILE = "<script>\"'&"


def parsed(svg: str) -> ET.Element:
    """It must be well-formed, whatever the names hold."""
    return ET.fromstring(svg)


def marks(svg: str) -> list[tuple[str, float, float]]:
    return [
        (rect.get("class", ""), float(rect.get("width", "")), float(rect.get("height", "")))
        for rect in parsed(svg).iter("rect")
    ]


def test_bars_are_as_long_as_their_values_and_nothing_is_drawn_of_zero():
    svg = bars("fates", {"a": [3, 1], "b": [0, 2]}, [GOOD, BAD])
    drawn = marks(svg)
    assert [style for style, _, _ in drawn] == ["good", "bad", "bad"]
    (_, three, _), (_, one, _), (_, two, _) = drawn
    assert three == pytest.approx(3 * one, abs=0.05)
    assert two == pytest.approx(2 * one, abs=0.05)
    assert three + one < WIDTH
    assert [text.text for text in parsed(svg).iter("text")] == ["a", "4", "b", "2"]


def test_columns_stack_their_parts_below_the_top():
    svg = columns("latency", {"<1": [1, 3], "<2": [0, 0]}, [GOOD, BAD], "ms")
    assert [style for style, _, _ in marks(svg)] == ["good", "bad"]
    assert sum(height for _, _, height in marks(svg)) <= 200
    assert "good & well, <1 ms: 1" in [title.text for title in parsed(svg).iter("title")]


def test_timeline_draws_each_lane_on_its_own_scale():
    svg = timeline(
        "run",
        [Lane("requests", [GOOD], [[1], [2]]), Lane("pushes", [BAD], [[100], [0]])],
        [(0, "0 s"), (1, "9 s")],
    )
    heights = {
        style: max(height for kind, _, height in marks(svg) if kind == style) for style in ("good", "bad")
    }
    assert heights["good"] == heights["bad"]
    assert {"at most 2 per bar", "at most 100 per bar"} <= {text.text for text in parsed(svg).iter("text")}


def test_shares_fill_the_whole_width():
    assert sum(width for _, width, _ in marks(shares("fates", [(GOOD, 1), (BAD, 3)]))) == pytest.approx(
        WIDTH, abs=0.05
    )


def test_charts_of_nothing_are_well_formed_and_empty():
    for svg in (
        bars("x", {}, [GOOD]),
        bars("x", {"a": [0]}, [GOOD]),
        columns("x", {}, [GOOD], "ms"),
        timeline("x", [], []),
        timeline("x", [Lane("l", [GOOD], [])], []),
        shares("x", []),
        shares("x", [(GOOD, 0)]),
    ):
        assert marks(svg) == []


def test_names_in_charts_stay_text():
    series = [Series(HOSTILE, "good")]
    for svg in (
        bars(HOSTILE, {HOSTILE: [1]}, series),
        columns(HOSTILE, {HOSTILE: [1]}, series, HOSTILE),
        timeline(HOSTILE, [Lane(HOSTILE, series, [[1]])], [(0.5, HOSTILE)]),
        shares(HOSTILE, [(series[0], 1)]),
    ):
        assert parsed(svg).get("aria-label") == HOSTILE
        assert "<script>" not in svg
    assert "<script>" not in legend(series)
