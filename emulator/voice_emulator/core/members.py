"""JSON objects as frozen dataclasses: each member is declared once, with its schema, its rendering and its reading.

The server renders an object by :meth:`Shape.shown`, the OpenAPI document has :meth:`Shape.schema`, and the Python
client builds the dataclass by :meth:`Shape.read`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Self

from voice_emulator.core.billing import money
from voice_emulator.core.clock import rfc3339
from voice_emulator.core.json_schema import Json, nullable, ref


def _as_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of JSON value: its schema, ``show`` from the server's value to JSON, ``read`` from JSON to the client's.

    ``read`` takes null, or what is missing, for an empty value.
    """

    schema: Json
    read: Callable[[Any], Any] = _as_is
    show: Callable[[Any], Any] = _as_is

    @property
    def or_none(self) -> Kind:
        """Or null, which stays None."""
        return Kind(nullable(self.schema), _keep_none(self.read), _keep_none(self.show))

    @property
    def or_empty(self) -> Kind:
        """Or null, which the client reads as an empty value."""
        return Kind(nullable(self.schema), self.read, _keep_none(self.show))

    def but(self, **keywords: Any) -> Kind:
        """The same with more keywords in its schema."""
        return Kind({**self.schema, **keywords}, self.read, self.show)


def _keep_none(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else change(value)


TEXT = Kind({"type": "string"}, lambda value: "" if value is None else str(value))
FLAG = Kind({"type": "boolean"}, bool)
#: A flag that holds unless the object says otherwise.
FLAG_SET = Kind({"type": "boolean"}, lambda value: value is not False)
WHOLE = Kind({"type": "integer"}, lambda value: int(value or 0))
COUNT = WHOLE.but(minimum=0)
NUMBER = Kind({"type": "number"})
#: Microseconds on the server, an aware datetime for the client.
INSTANT = Kind({"type": "string", "format": "date-time"}, datetime.fromisoformat, rfc3339)
MONEY = Kind(
    {"type": "string", "pattern": "^[0-9]+([.][0-9]+)?$"}, lambda value: Decimal(str(value or 0)), money
)
OBJECT = Kind({"type": "object", "additionalProperties": True}, lambda value: dict(value or {}))
#: Header pairs, in order.
PAIRS = Kind(
    {"type": "array", "items": {"type": "array", "items": TEXT.schema, "minItems": 2, "maxItems": 2}}
)


def words(allowed: Iterable[str]) -> Kind:
    """One of some words; members of a StrEnum are such."""
    return Kind({"type": "string", "enum": [str(word) for word in allowed]}, TEXT.read, str)


def mapping_of(kind: Kind) -> Kind:
    """An object with any names and values of one kind."""
    return Kind({"type": "object", "additionalProperties": kind.schema}, OBJECT.read)


def list_of(item: Kind | type[Shape], **keywords: Any) -> Kind:
    """An array, for the client a tuple; its items are shown already."""
    kind = item if isinstance(item, Kind) else object_of(item)
    schema = {"type": "array", "items": kind.schema, **keywords}
    return Kind(schema, lambda value: tuple(map(kind.read, value or ())), list)


def object_of(shape: type[Shape]) -> Kind:
    """An object of this shape, shown already."""
    return Kind(ref(shape.__name__), lambda value: shape.read(value or {}))


def member(kind: Kind, description: str = "", *, optional: bool = False) -> Any:
    """A member of a :class:`Shape`; an ``optional`` one may be absent."""
    described = kind.but(description=description) if description else kind
    return field(metadata={"kind": described, "optional": optional})


def original() -> Any:
    """A field of a :class:`Shape` that holds the whole JSON object, with whatever a newer emulator adds."""
    return field(repr=False, compare=False)


class Shape:
    """Base of frozen dataclasses whose fields are :func:`member` and :func:`original`."""

    __slots__ = ()

    @classmethod
    def shown(cls, **values: Any) -> Json:
        """The JSON object. Raises TypeError for an unknown member, or if one that is not optional is missing."""
        members, required = _members(cls)
        if not (required <= values.keys() <= members.keys()):
            wrong = (required - values.keys()) | (values.keys() - members.keys())
            raise TypeError(f"members of {cls.__name__} missing or unknown: {', '.join(sorted(wrong))}")
        return {name: kind.show(values[name]) for name, kind in members.items() if name in values}

    @classmethod
    def schema(cls) -> Json:
        """The JSON Schema; other shapes are referred to as components of an OpenAPI document."""
        members, required = _members(cls)
        return {
            "type": "object",
            "description": " ".join(inspect.cleandoc(cls.__doc__ or "").partition("\n\n")[0].split()),
            "properties": {name: kind.schema for name, kind in members.items()},
            "required": [name for name in members if name in required],
            "additionalProperties": False,
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Make one from a JSON object; members that it does not declare are ignored."""
        members, _ = _members(cls)
        values = {name: kind.read(document.get(name)) for name, kind in members.items()}
        return cls(**values, **({"document": document} if "document" in cls.__slots__ else {}))


def _declared(shape: Any) -> tuple[Mapping[str, Kind], frozenset[str]]:
    declared = {each.name: each.metadata for each in fields(shape) if each.metadata}
    required = frozenset(name for name, metadata in declared.items() if not metadata["optional"])
    return {name: metadata["kind"] for name, metadata in declared.items()}, required


#: The members of a shape, and the names of those that are required.
_members: Callable[[Any], tuple[Mapping[str, Kind], frozenset[str]]] = cache(_declared)
