"""Durations, distributions, and the clock of a scenario."""

from __future__ import annotations

import re

from voice_emulator.core.clock import ClockSpec, parse_clock, started
from voice_emulator.core.distributions import (
    LONGEST,
    Distribution,
    Exponential,
    Fixed,
    Lognormal,
    Normal,
    Uniform,
)
from voice_emulator.core.durations import parse_duration
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.nodes import MappingNode, Node, Scalar

SHAPES = ("uniform", "normal", "lognormal", "exponential")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def duration(reading: Diagnostics, node: Node, what: str) -> int | None:
    """Microseconds of ``250ms``, ``3s``, ``2m`` or ``1h``; None after a finding."""
    if not isinstance(node, Scalar):
        reading.error(node, f"{what} must be a plain duration such as 3s; it cannot be drawn")
        return None
    text = reading.text(node, what)
    if text is None:
        return None
    try:
        span = parse_duration(text)
    except ValueError:
        if text.startswith("-"):
            hint = "; a duration cannot be negative"
        elif _NUMBER.fullmatch(text):
            hint = f"; it needs a unit, for instance {text}s"
        else:
            hint = ""
        reading.error(node, f"{what} must be a duration such as 250ms, 3s, 2m or 1h, not {text[:40]!r}{hint}")
        return None
    if span > LONGEST:
        reading.error(node, f"{what} is longer than a year: {text}")
        return None
    return span


def distribution(reading: Diagnostics, node: Node, what: str) -> Distribution | None:
    """A duration, fixed or drawn; None after a finding."""
    if isinstance(node, Scalar):
        span = duration(reading, node, what)
        return None if span is None else Fixed(span)
    members = reading.mapping(node, f"{what}, a duration or a distribution", SHAPES)
    if members is None or len(members) != 1:
        if members or (isinstance(node, MappingNode) and not node.entries):
            count = len(members or ())
            reading.error(node, f"{what} names {count} distributions; it needs one of {', '.join(SHAPES)}")
        return None
    shape, parameters = next(iter(members.items()))
    label = f"{shape} of {what}"
    if shape == "uniform":
        return _uniform(reading, parameters, label)
    names = {"normal": ("mean", "sd"), "lognormal": ("median", "p95"), "exponential": ("mean",)}[shape]
    spans = _parameters(reading, parameters, label, names)
    if spans is None:
        return None
    if shape == "lognormal":
        return _lognormal(reading, parameters, label, *spans)
    return Normal(*spans) if shape == "normal" else Exponential(*spans)


def _lognormal(reading: Diagnostics, node: Node, label: str, median: int, p95: int) -> Distribution | None:
    if median <= 0:
        reading.error(node, f"the median of the {label} must be more than 0")
    elif p95 < median:
        reading.error(node, f"p95 of the {label} is below its median: half would be longer than 19 in 20")
    else:
        return Lognormal(median, p95)
    return None


def _uniform(reading: Diagnostics, node: Node, label: str) -> Distribution | None:
    items = reading.sequence(node, label)
    if items is None:
        return None
    if len(items) != 2:
        reading.error(node, f"{label} needs two durations, [a, b], not {len(items)}")
        return None
    low, high = (duration(reading, item, f"a bound of {label}") for item in items)
    if low is None or high is None:
        return None
    if low > high:
        reading.error(node, f"{label} has its bounds in the wrong order: write the smaller one first")
        return None
    return Uniform(low, high)


def _parameters(reading: Diagnostics, node: Node, label: str, names: tuple[str, ...]) -> list[int] | None:
    members = reading.mapping(node, label, names)
    if members is None:
        return None
    spans = [duration(reading, member, f"{name} of {label}") for name, member in members.items()]
    missing = [name for name in names if name not in members]
    if missing:
        reading.error(node, f"{label} lacks {' and '.join(missing)}")
        return None
    by_name = dict(zip(members, spans, strict=True))
    ordered = [by_name[name] for name in names]
    return [span for span in ordered if span is not None] if None not in ordered else None


def clock(reading: Diagnostics, node: Node) -> ClockSpec | None:
    """``real``, ``manual``, ``60x``, or ``{mode, start}``; None after a finding."""
    if isinstance(node, Scalar):
        return _mode(reading, node)
    members = reading.mapping(node, "clock", ("mode", "start"))
    if members is None:
        return None
    if "mode" not in members:
        reading.error(node, "clock needs a mode: real, manual, or a speed such as 60x")
    spec = _mode(reading, members["mode"]) if "mode" in members else None
    start = reading.text(members["start"], "the start of a clock") if "start" in members else None
    if start is None:
        return spec
    try:
        # A start is judged even if its clock is wrong.
        clock = started(spec or ClockSpec("manual"), start)
    except ValueError as error:
        reading.error(members["start"], str(error))
        return None
    return clock if spec is not None else None


def _mode(reading: Diagnostics, node: Node) -> ClockSpec | None:
    text = reading.text(node, "clock")
    try:
        return None if text is None else parse_clock(text)
    except ValueError as error:
        reading.error(node, str(error))
    return None
