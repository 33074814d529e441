from __future__ import annotations

import pytest

from tests.scenarios.made_up import complaints, load, rule, rule_complaints
from voice_emulator.core.clock import HOUR, MILLISECOND, MINUTE, SECOND, ClockSpec, parse_rfc3339
from voice_emulator.core.distributions import Exponential, Fixed, Lognormal, Normal, Uniform


def delay(text: str):
    receipt = rule(f"receipt: {{delay: {text}}}").receipt
    assert receipt is not None
    return receipt.delay


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("250ms", 250 * MILLISECOND),
        ("3s", 3 * SECOND),
        ("1.5s", 1_500 * MILLISECOND),
        ("2m", 2 * MINUTE),
        ("48h", 48 * HOUR),
        ("0s", 0),
        ("0.1s", 100_000),
        ('"3s"', 3 * SECOND),
    ],
)
def test_durations(text: str, span: int):
    assert delay(text) == Fixed(span)


@pytest.mark.parametrize(
    ("text", "distribution"),
    [
        ("{uniform: [2s, 12s]}", Uniform(2 * SECOND, 12 * SECOND)),
        ("{uniform: [2s, 2s]}", Uniform(2 * SECOND, 2 * SECOND)),
        ("{normal: {mean: 5s, sd: 1s}}", Normal(5 * SECOND, SECOND)),
        ("{lognormal: {p95: 90s, median: 18s}}", Lognormal(18 * SECOND, 90 * SECOND)),
        ("{exponential: {mean: 10m}}", Exponential(10 * MINUTE)),
    ],
)
def test_distributions(text: str, distribution: object):
    assert delay(text) == distribution


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3", "it needs a unit, for instance 3s"),
        ("-3s", "a duration cannot be negative"),
        ("3 s", "must be a duration such as"),
        ("3d", "must be a duration such as"),
        ("1m30s", "must be a duration such as"),
        ("8785h", "longer than a year"),
        ("[3s]", "must be a mapping, not a list"),
        ("{}", "names 0 distributions"),
        ("{uniform: [1s, 2s], exponential: {mean: 1s}}", "names 2 distributions"),
        ("{unifrom: [1s, 2s]}", "did you mean 'uniform'?"),
        ("{uniform: [5s, 2s]}", "in the wrong order"),
        ("{uniform: [5s]}", "two durations, [a, b], not 1"),
        ("{uniform: 5s}", "must be a list"),
        ("{normal: {mean: 5s}}", "lacks sd"),
        ("{normal: {mean: 5s, sd: {uniform: [1s, 2s]}}}", "it cannot be drawn"),
        ("{lognormal: {}}", "lacks median and p95"),
        ("{lognormal: {median: 0s, p95: 3s}}", "median of the lognormal of delay must be more than 0"),
        ("{lognormal: {median: 4s, p95: 3s}}", "is below its median"),
        ("{exponential: {mean: 4s, sd: 2s}}", "unknown key 'sd'"),
    ],
)
def test_wrong_spans(text: str, message: str):
    found = rule_complaints(f"receipt: {{delay: {text}}}")
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("real", ClockSpec()),
        ("manual", ClockSpec("manual")),
        ("60x", ClockSpec("scaled", 60.0)),
        ("0.5x", ClockSpec("scaled", 0.5)),
        ("{mode: manual}", ClockSpec("manual")),
        (
            "{mode: manual, start: 2026-01-05T09:00:00+08:00}",
            ClockSpec("manual", start=parse_rfc3339("2026-01-05T09:00:00+08:00")),
        ),
        (
            '{mode: 60x, start: "2026-01-05T09:00:00Z"}',
            ClockSpec("scaled", 60.0, parse_rfc3339("2026-01-05T09:00:00+00:00")),
        ),
    ],
)
def test_clocks(text: str, spec: ClockSpec):
    assert load(f"name: x\nclock: {text}\n").clock == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("60", "did you mean '60x'?"),
        ("manuel", "did you mean 'manual'?"),
        ("0x", "more than 0x"),
        ("999999x", "at most 100000x"),
        ("{start: 2026-01-05T09:00:00+08:00}", "needs a mode"),
        ("{mode: real, start: 2026-01-05T09:00:00+08:00}", "a real clock has no start"),
        ("{mode: manual, start: 2026-01-05T09:00:00}", "offset included"),
        ("{mode: manual, start: 0001-01-01T00:00:00+14:00}", "between the years 1970 and 2200"),
        ("{mode: manual, start: 9999-12-31T23:59:59-14:00}", "between the years 1970 and 2200"),
        ("{mode: manual, begin: now}", "unknown key 'begin' in clock"),
        ("[manual]", "clock must be a mapping"),
    ],
)
def test_wrong_clocks(text: str, message: str):
    found = complaints(f"name: x\nclock: {text}\n")
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "{normal: {mean: 8000h, sd: 8000h}}",
        "{lognormal: {median: 1ms, p95: 8000h}}",
        "{lognormal: {median: 8000h, p95: 8000h}}",
        "{exponential: {mean: 8000h}}",
        "{uniform: [0s, 8784h]}",
    ],
)
def test_no_tail_leaves_the_calendar(text: str):
    drawn = delay(text)
    assert drawn is not None
    for unit in (0.0, 0.5, 0.999999, 1 - 2**-53):
        assert 0 <= drawn.at(unit) <= 366 * 24 * HOUR
