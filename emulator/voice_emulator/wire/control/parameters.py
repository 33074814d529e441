"""Query parameters of the control API: what one is, and those that several routes take."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from voice_emulator.core.durations import duration_schema, duration_text, parse_duration
from voice_emulator.core.matchers import Globs
from voice_emulator.core.values import plain_value
from voice_emulator.core.words import nearest
from voice_emulator.wire.control.query import LENGTH_LIMIT, parse_query, query_pattern

DEFAULT_LIMIT = 100
LIMIT = 1_000
TEXT_LIMIT = 200
_INTEGER = re.compile(r"[0-9]{1,18}")


@plain_value
class Parameter:
    """A query parameter. ``schema`` is for the document, ``read`` gives a value or raises ValueError."""

    name: str
    description: str
    schema: Mapping[str, Any]
    read: Callable[[str], Any] = str
    default: Any = None


def read_duration(text: str, longest: int) -> int:
    """Microseconds of ``250ms``, ``5s``, ``2m``, ``1h``, at most ``longest``. Raises ValueError."""
    duration = parse_duration(text)
    if duration > longest:
        raise ValueError(f"must be at most {duration_text(longest)}, not {text}")
    return duration


def integer(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers within bounds."""

    def read(text: str) -> int:
        if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {text[:40]!r}")
        return int(text)

    return read


def one_of(words: Collection[str]) -> Callable[[str], str]:
    """A reader of one of ``words``."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text[:60]!r} is not one of {', '.join(words)}{nearest(text[:60], words)}")
        return text

    return read


def short_text(text: str) -> str:
    """A text of reasonable length, not empty."""
    if not 1 <= len(text) <= TEXT_LIMIT:
        raise ValueError(f"must have 1 to {TEXT_LIMIT} characters")
    return text


def _glob(text: str) -> Globs:
    return Globs(short_text(text))


_TEXT = {"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT}


def choice(name: str, description: str, words: Collection[str], default: Any = None) -> Parameter:
    """A parameter that takes one of some words."""
    schema: dict[str, Any] = {"type": "string", "enum": list(words)}
    if default is not None:
        schema["default"] = default
    return Parameter(name, description, schema, one_of(list(words)), default)


def switch(name: str, description: str) -> Parameter:
    """A parameter that is ``true`` or ``false``, and false by default."""
    schema = {"type": "string", "enum": ["true", "false"], "default": "false"}
    read = one_of(["true", "false"])
    return Parameter(name, description, schema, lambda given: read(given) == "true", False)


def text(name: str, description: str) -> Parameter:
    """A parameter compared exactly."""
    return Parameter(name, description, _TEXT, short_text)


def glob(name: str, description: str) -> Parameter:
    """A parameter with ``*`` and ``?``."""
    return Parameter(name, description, _TEXT, _glob)


def duration(name: str, description: str, default: int, longest: int) -> Parameter:
    """A duration; value and default are microseconds."""
    schema = {**duration_schema(longest), "default": duration_text(default)}
    return Parameter(name, description, schema, lambda text: read_duration(text, longest), default)


def query(keys: Collection[str]) -> Parameter:
    """``q``: a query over ``keys``."""
    return Parameter(
        "q", f"Terms key:value, all of which must hold; keys: {', '.join(keys)}. Values are globs.",
        {"type": "string", "maxLength": LENGTH_LIMIT, "pattern": query_pattern(keys)},
        lambda given: parse_query(given, keys),
    )  # fmt: skip


def limit() -> Parameter:
    """How many things a page holds."""
    schema = {"type": "integer", "minimum": 1, "maximum": LIMIT, "default": DEFAULT_LIMIT}
    return Parameter("limit", "How many to return at most.", schema, integer(1, LIMIT), DEFAULT_LIMIT)


def number_after(description: str = "The `next` of the page before.") -> Parameter:
    """A cursor that is a running number."""
    schema = {"type": "string", "pattern": "^[0-9]{1,18}$"}
    return Parameter("after", description, schema, integer(0, 10**18 - 1), 0)


def cursor(pattern: str) -> Parameter:
    """A cursor that is a text of this form."""

    def read(text: str) -> str:
        if len(text) > TEXT_LIMIT or not re.fullmatch(pattern, text):
            raise ValueError("is not a cursor of this list")
        return text

    schema = {"type": "string", "maxLength": TEXT_LIMIT, "pattern": f"^{pattern}$"}
    return Parameter("after", "The `next` of the page before.", schema, read)
