"""The results for people: a Markdown table, and a chart of how much of each target is reached."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

from benchmarks.rows import Row

HEAD = ("", "ours", "ceiling", "measured (rounds)", "by the clock", "target", "met")
_BAR, _LEFT, _SCALE = 26, 470, 130


def markdown(rows: Sequence[Row]) -> str:
    """The table."""
    cells = [HEAD, ("---",) * len(HEAD), *(row.shown() for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells) + "\n"


def chart(rows: Sequence[Row]) -> str:
    """An SVG bar per row: 1 is the target, longer is better whichever way the target lies."""
    rows = [row for row in rows if row.target is not None]
    height = _BAR * len(rows) + 40
    target = _LEFT + _SCALE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for index, row in enumerate(rows):
        y = 10 + index * _BAR
        length = round(min(3.0, row.share) * _SCALE)
        colour = "#2e7d52" if row.met else "#b3541e"
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(_short(row.name))}</text>'
        )
        parts.append(f'<rect x="{_LEFT}" y="{y}" width="{length}" height="18" fill="{colour}"/>')
        parts.append(f'<text x="{_LEFT + length + 6}" y="{y + 14}">{row.value:.2f}{escape(row.unit)}</text>')
    parts.append(
        f'<line x1="{target}" y1="4" x2="{target}" y2="{height - 24}" stroke="#333" stroke-dasharray="4 3"/>'
    )
    parts.append(f'<text x="{target}" y="{height - 8}" text-anchor="middle">target</text></svg>')
    return "\n".join(parts) + "\n"


def _short(name: str) -> str:
    return name if len(name) <= 72 else name[:71] + "…"


def machine() -> str:
    """What it was measured on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return (
        f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}, aiohttp {version('aiohttp')}, "
        f"uvloop {version('uvloop')}; {datetime.now(UTC):%Y-%m-%d}"  # noqa: TID251 - the date of the measurement
    )


def write(folder: Path, rows: Sequence[Row], *, partial: bool) -> str:
    """Write ``latest.md`` and ``latest.svg`` (under the name ``partial`` when not everything was measured)."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "partial" if partial else "latest"
    text = (
        f"Measured on {machine()}. Load generator and receiver run on the same machine.\n\n{markdown(rows)}"
    )
    (folder / f"{name}.md").write_text(text)
    (folder / f"{name}.svg").write_text(chart(rows))
    return text
