"""Golden files: what came out once, was read by somebody, and must come out again byte for byte.

They are in the folder ``golden`` of the provider's schemas, one for each example.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voice_emulator.providers.provider import Provider
from voice_emulator.resources import data_path


def folder_of(provider: Provider) -> Path:
    """Where the golden files of a provider are."""
    return (provider.schemas or data_path("schemas", provider.id)) / "golden"


def read(provider: Provider, name: str) -> Any:
    """The content of a golden file; None when there is none of that name."""
    path = folder_of(provider) / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def check(provider: Provider, name: str, found: Any, *, write: bool) -> None:
    """Compare ``found``, a JSON value, with the golden file, or ``write`` it."""
    path = folder_of(provider) / f"{name}.json"
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    hint = "read what comes out, then write it with --voice-emulator-write-golden"
    assert path.is_file(), f"there is no {path}; {hint}:\n{text}"
    assert path.read_text(encoding="utf-8") == text, (
        f"{provider.id} {name} differs from its golden file; {hint}"
    )
