"""Checks for ``Setting.check``: each raises ValueError with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from typing import Any

from voice_emulator.core.words import nearest


def networks(values: Iterable[str]) -> None:
    """Every value is an IP address or a network such as ``10.0.0.0/8``."""
    for value in values:
        ip_network(value, strict=False)


def at_most(limit: int) -> Callable[[Any], None]:
    """A number up to ``limit``."""

    def check(value: Any) -> None:
        if value > limit:
            raise ValueError(f"must be at most {limit}, not {value}")

    return check


def between(low: int, high: int) -> Callable[[Any], None]:
    """A number from ``low`` to ``high``."""

    def check(value: Any) -> None:
        if not low <= value <= high:
            raise ValueError(f"must be between {low} and {high}, not {value}")

    return check


def entries(allowed: Mapping[str, Iterable[str]]) -> Callable[[Any], None]:
    """A mapping whose values are mappings of text, for instance files by id.

    ``allowed`` has the keys of an entry, each with its words; no words stand for any text.
    """
    keys = tuple(allowed)

    def check(value: Any) -> None:
        for key, entry in value.items():
            if not isinstance(entry, Mapping):
                raise ValueError(f"{key}: must be a mapping of {', '.join(keys)}")
            for name, text in entry.items():
                if name not in allowed:
                    raise ValueError(f"{key}: unknown key {name!r}{nearest(str(name), keys)}")
                one_of(f"{key}: {name}", text, tuple(allowed[name]))

    return check


def one_of(name: str, text: Any, words: tuple[str, ...]) -> None:
    """A text, and one of ``words`` where there are any."""
    if words and str(text) not in words:
        raise ValueError(f"{name} must be one of {', '.join(words)}, not {text!r}{nearest(str(text), words)}")
    if not words and not isinstance(text, str):
        raise ValueError(f"{name} must be text, not {text!r}")
