"""Puts the results into docs/performance.md: each part between markers is the file that the first marker names."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.processes import ROOT

PAGE = ROOT / "docs" / "performance.md"
_PART = re.compile(r"(<!-- from here: (\S+) -->\n).*?(<!-- to here -->)", re.DOTALL)


def filled(page: str, root: Path = ROOT) -> str:
    """``page`` with its parts as the files below ``root`` have them. Raises OSError for one that is not there."""
    return _PART.sub(lambda part: part[1] + (root / part[2]).read_text("utf-8") + part[3], page)


def update() -> str:
    """Fill the page with the results; one sentence about it."""
    before = PAGE.read_text("utf-8")
    after = filled(before)
    PAGE.write_text(after, "utf-8")
    return f"{PAGE.relative_to(ROOT)}: {'updated' if after != before else 'nothing to change'}"
