"""Charts as inline SVG: numbers in, markup out. Colours are the page's own variables, so they follow its theme.

Every chart has a text alternative, and every mark a title that browsers show beside the pointer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 720
_ROW = 26
_LEFT = 132
_RIGHT = 64


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of mark: its name for the legend, and the style class that gives its colour."""

    name: str
    style: str


def _svg(height: int, label: str, body: Sequence[str]) -> str:
    inside = "\n".join(body)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>\n{inside}\n</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", style: str = "label") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(text)}</text>'


def _bar(x: float, y: float, width: float, height: float, style: str, title: str) -> str:
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(width, 0.5):.2f}" height="{max(height, 0.5):.2f}" '
        f'class="{style}"><title>{escape(title)}</title></rect>'
    )


def legend(series: Sequence[Series]) -> str:
    """The names beside their colours."""
    items = (f'<li><i class="{each.style}"></i>{escape(each.name)}</li>' for each in series)
    return f'<ul class="legend">{"".join(items)}</ul>'


def bars(label: str, rows: Mapping[str, Sequence[int]], series: Sequence[Series]) -> str:
    """One horizontal bar per row, its parts in the order of ``series``, the sum at its end."""
    most = max((sum(values) for values in rows.values()), default=0) or 1
    room = WIDTH - _LEFT - _RIGHT
    body = []
    for index, (name, values) in enumerate(rows.items()):
        y = index * _ROW + 4
        body.append(_text(_LEFT - 8, y + 13, name, "end"))
        x = float(_LEFT)
        for value, each in zip(values, series, strict=True):
            if value:
                width = value / most * room
                body.append(_bar(x, y, width, _ROW - 8, each.style, f"{each.name}, {name}: {value:,}"))
                x += width
        body.append(_text(x + 6, y + 13, f"{sum(values):,}", style="value"))
    return _svg(len(rows) * _ROW + 6, label, body)


def columns(label: str, classes: Mapping[str, Sequence[int]], series: Sequence[Series], unit: str) -> str:
    """One column per class, its parts stacked in the order of ``series``."""
    height, top, bottom = 200, 18, 34
    room = height - top - bottom
    most = max((sum(values) for values in classes.values()), default=0) or 1
    step = (WIDTH - 48) / max(len(classes), 1)
    body = [f'<line x1="40" x2="{WIDTH - 8}" y1="{height - bottom}" y2="{height - bottom}" class="axis"/>']
    for index, (name, values) in enumerate(classes.items()):
        x = 40 + index * step
        y = float(height - bottom)
        for value, each in zip(values, series, strict=True):
            if value:
                tall = value / most * room
                y -= tall
                body.append(
                    _bar(x + 3, y, step - 6, tall, each.style, f"{each.name}, {name} {unit}: {value:,}")
                )
        if sum(values):
            body.append(_text(x + step / 2, y - 4, f"{sum(values):,}", "middle", "value"))
        body.append(_text(x + step / 2, height - bottom + 14, name, "middle"))
    body.append(_text(WIDTH / 2, height - 4, unit, "middle", "label faint"))
    return _svg(height, label, body)


@dataclass(frozen=True, slots=True)
class Lane:
    """One strip of a timeline: its name, and per bar the values of its series, stacked."""

    name: str
    series: Sequence[Series]
    values: Sequence[Sequence[int]]


def timeline(label: str, lanes: Sequence[Lane], ticks: Sequence[tuple[float, str]]) -> str:
    """Strips of columns over one axis of time. ``ticks`` are (share of the width, text)."""
    tall, gap, bottom = 64, 22, 22
    height = len(lanes) * (tall + gap) + bottom
    room = WIDTH - 48.0
    body = []
    for index, lane in enumerate(lanes):
        base = index * (tall + gap) + gap + tall
        most = max((sum(values) for values in lane.values), default=0)
        step = room / max(len(lane.values), 1)
        body.append(_text(40, base - tall - 6, lane.name))
        body.append(_text(WIDTH - 8, base - tall - 6, f"at most {most:,} per bar", "end", "label faint"))
        body.append(f'<line x1="40" x2="{WIDTH - 8}" y1="{base}" y2="{base}" class="axis"/>')
        for position, values in enumerate(lane.values):
            y = float(base)
            for value, each in zip(values, lane.series, strict=True):
                if value:
                    size = value / (most or 1) * tall
                    y -= size
                    wide = max(step - (1 if step > 3 else 0), 0.8)
                    body.append(
                        _bar(40 + position * step, y, wide, size, each.style, f"{each.name}: {value:,}")
                    )
    for share, text in ticks:
        anchor = "start" if share < 0.1 else "end" if share > 0.9 else "middle"
        x = 40 + share * room
        body.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{height - bottom}" y2="{height - bottom + 4}" class="axis"/>'
        )
        body.append(_text(x, height - 4, text, anchor, "label faint"))
    return _svg(height, label, body)


def shares(label: str, parts: Sequence[tuple[Series, int]]) -> str:
    """One bar that is the whole, divided."""
    total = sum(count for _, count in parts) or 1
    x = 0.0
    body = []
    for series, count in parts:
        if count:
            width = count / total * WIDTH
            body.append(_bar(x, 0, width, 22, series.style, f"{series.name}: {count:,} of {total:,}"))
            x += width
    return _svg(22, label, body)
