"""Values and rules of a scenario file as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*|[0-9]+(?:ms|s|m|h)")
#: Words that YAML readers take for something else than text.
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def flow(value: Any) -> str:
    """A value in YAML's flow style; text that could be read as something else is quoted."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(name)}: {flow(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def rule_lines(rule: Mapping[str, Any]) -> Iterator[str]:
    """A rule as an item of ``rules``, a line for each member."""
    for index, (name, value) in enumerate(rule.items()):
        yield f"  {'-' if index == 0 else ' '} {name}: {flow(value)}"
