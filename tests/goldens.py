"""Golden files: what came out once, was read by somebody, and must come out again byte for byte.

``WRITE_GOLDEN=1 make test ARGS=tests/conformance`` writes them again; read the difference before you commit it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden"


def check(name: str, found: Any, *, compact: bool = False) -> None:
    """Hold ``found``, a JSON value, against ``golden/<name>.json``.

    ``compact`` puts each entry of the top-level lists on a line of its own, for long ones.
    """
    path = FOLDER / f"{name}.json"
    text = lines(found) if compact else json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("WRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"there is no {path}: read what comes out, then write it with WRITE_GOLDEN=1"
    assert path.read_text(encoding="utf-8") == text, f"{name} differs from its golden file"


def lines(found: dict[str, list[Any]]) -> str:
    """Lists of one-line entries, still JSON as a whole."""

    def one(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    parts = [
        f"{one(name)}:[\n" + ",\n".join(one(entry) for entry in entries) + "\n]"
        for name, entries in found.items()
    ]
    return "{" + ",\n".join(parts) + "}\n"
