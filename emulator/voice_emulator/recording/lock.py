"""The lock file of drift: differences that are known and accepted, each with a reason and an end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from voice_emulator.core.words import nearest
from voice_emulator.errors import UsageError
from voice_emulator.recording.comparison import Finding

KEYS = ("provider", "operation", "field", "kind", "reason", "until")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One entry. It accepts its difference up to and including the day ``until``."""

    key: tuple[str, str, str, str]
    reason: str
    until: date


def read_lock(path: Path) -> list[Accepted]:
    """The entries of a lock file. Raises UsageError naming the entry that is wrong."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(found, list):
        raise UsageError(f"{path}: a lock file is a list of {{{', '.join(KEYS)}}}")
    return [_entry(each, f"{path}, entry {index}") for index, each in enumerate(found, 1)]


def _entry(entry: Any, place: str) -> Accepted:
    if not isinstance(entry, dict):
        raise UsageError(f"{place}: write {{{', '.join(KEYS)}}}")
    for name in entry:
        if name not in KEYS:
            raise UsageError(f"{place}: unknown key {name!r}{nearest(str(name), KEYS)}")
    missing = [name for name in KEYS if not entry.get(name) and not (name == "field" and "field" in entry)]
    if missing:
        raise UsageError(f"{place}: {missing[0]} is missing")
    until = entry["until"]
    try:
        until = until if isinstance(until, date) else date.fromisoformat(str(until))
    except ValueError:
        raise UsageError(f"{place}: until is a day such as 2026-12-31, not {until!r}") from None
    provider, operation, field, kind = (str(entry[name] or "") for name in KEYS[:4])
    return Accepted((provider, operation, field, kind), str(entry["reason"]), until)


def split(
    findings: Sequence[Finding], lock: Iterable[Accepted], today: date
) -> tuple[list[Finding], list[Finding], list[Accepted]]:
    """The findings that are new, those that are accepted, and the entries that accept nothing (expired or unused)."""
    valid = {entry.key: entry for entry in lock if entry.until >= today}
    new = [each for each in findings if each.key not in valid]
    accepted = [each for each in findings if each.key in valid]
    used = {each.key for each in accepted}
    return new, accepted, [entry for entry in lock if entry.key not in used or entry.until < today]
