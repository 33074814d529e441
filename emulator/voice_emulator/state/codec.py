"""Encodes values as JSON text and back: scalars, containers, decimals, enums and dataclasses.

Everything but a scalar becomes a JSON array whose first item is its kind. Decoding creates only dataclasses and enum
members, of modules that are already loaded: a state file from elsewhere can contain wrong values, but no code.
"""

from __future__ import annotations

import base64
import json
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

_SCALARS = (str, int, float, bool, type(None))


class Undecodable(Exception):
    """This version of the emulator cannot have written the text."""


#: What reading a text can raise that this version of the emulator cannot have written.
WRONG = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError, Undecodable,
)  # fmt: skip


def encode(value: Any) -> str:
    """``value`` as JSON text. Raises TypeError for an unsupported type."""
    return json.dumps(pack(value), separators=(",", ":"))


def decode(text: str) -> Any:
    """The value that :func:`encode` made ``text`` of. Raises Undecodable."""
    try:
        return unpack(json.loads(text))
    except WRONG as error:
        raise Undecodable(f"{type(error).__name__}: {error}") from error


def pack(value: Any, seen: dict[int, int] | None = None) -> Any:
    """``value`` as JSON values. An object that is in ``seen``, by identity, becomes a reference."""
    if type(value) in _SCALARS:
        return value
    seen = {} if seen is None else seen
    if isinstance(value, Enum):
        return ["e", _name(type(value)), value.value]
    if is_dataclass(value) and not isinstance(value, type):
        if id(value) in seen:
            return ["r", seen[id(value)]]
        seen[id(value)] = len(seen)
        return [
            "o", _name(type(value)), {each.name: pack(getattr(value, each.name), seen) for each in fields(value)}
        ]  # fmt: skip
    if isinstance(value, Mapping):
        return ["d", *(pack(part, seen) for pair in value.items() for part in pair)]
    for mark, kind in _SEQUENCES.items():
        if isinstance(value, kind):
            return [mark, *(pack(item, seen) for item in value)]
    if isinstance(value, Decimal):
        return ["D", str(value)]
    if isinstance(value, bytes):
        return ["b", base64.b64encode(value).decode()]
    raise TypeError(f"a state file cannot contain a {type(value).__name__}")


def unpack(packed: Any, made: list[Any] | None = None) -> Any:
    """What :func:`pack` made ``packed`` of; ``made`` holds the objects made so far, for references."""
    if not isinstance(packed, list):
        return packed
    made = [] if made is None else made
    mark, *rest = packed
    if mark == "o":
        return _object(rest[0], rest[1], made)
    if mark == "r":
        return made[rest[0]]
    if mark == "e":
        return _class(rest[0], Enum)(rest[1])
    if mark == "d":
        parts = [unpack(part, made) for part in rest]
        return dict(zip(parts[::2], parts[1::2], strict=True))
    if mark in _SEQUENCES:
        return _SEQUENCES[mark](unpack(item, made) for item in rest)
    if mark == "D":
        return Decimal(rest[0])
    if mark == "b":
        return base64.b64decode(rest[0])
    raise ValueError(f"unknown mark {mark!r}")


_SEQUENCES: dict[str, Any] = {"l": list, "t": tuple, "f": frozenset, "s": set, "q": deque}


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class(name: str, base: type | None = None) -> Any:
    module, _, path = name.partition(":")
    found: Any = sys.modules[module]
    for part in path.split("."):
        found = getattr(found, part)
    fits = isinstance(found, type) and (issubclass(found, base) if base is not None else is_dataclass(found))
    if not fits:
        raise TypeError(f"a state file cannot contain {name}")
    return found


def _object(name: str, members: Mapping[str, Any], made: list[Any]) -> Any:
    """An instance of the dataclass ``name``; a member that is missing gets its default."""
    kind = _class(name)
    thing = object.__new__(kind)
    made.append(thing)
    known = set()
    for each in fields(kind):
        known.add(each.name)
        if each.name in members:
            value = unpack(members[each.name], made)
        elif each.default is not MISSING:
            value = each.default
        elif each.default_factory is not MISSING:
            value = each.default_factory()
        else:
            raise KeyError(f"{name} without {each.name}")
        object.__setattr__(thing, each.name, value)
    if set(members) - known:
        raise KeyError(f"{name} has no {', '.join(set(members) - known)}")
    return thing
