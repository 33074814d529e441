"""From JSON documents to frozen dataclasses: each field names the function that reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

#: The name of a member of the JSON object, and what reads it: None for the whole object.
Member = tuple[str, Callable[[Any], Any] | None]


def member(read: Callable[[Any], Any], *, name: str | None = None) -> Any:
    """A dataclass field that ``read`` makes from the JSON value of the same name (or of ``name``)."""
    return field(metadata={"read": read, "name": name})


def original() -> Any:
    """A dataclass field that holds the whole JSON object; left out where the value is shown or compared."""
    return field(repr=False, compare=False, metadata={"whole": True})


def optional(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """``read``, with null staying None."""
    return lambda value: None if value is None else read(value)


def text(value: Any) -> str:
    """A string; null is empty."""
    return "" if value is None else str(value)


def texts(value: Any) -> tuple[str, ...]:
    """A list of strings; null is empty."""
    return tuple(str(item) for item in value or ())


def whole(value: Any) -> int:
    """An integer; null is 0."""
    return int(value or 0)


def money(value: Any) -> Decimal:
    """Money, which the API writes as a decimal string; null is 0."""
    return Decimal(str(value or 0))


def instant(value: Any) -> datetime:
    """An RFC 3339 time, as an aware datetime."""
    return datetime.fromisoformat(value)


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; null is empty."""
    return dict(value or {})


def as_is(value: Any) -> Any:
    """The JSON value itself."""
    return value


def build(cls: type[T], document: Mapping[str, Any]) -> T:
    """Make the dataclass ``cls`` from a JSON object; members it does not know are passed over."""
    members: tuple[Member, ...] = _members(cls)  # type: ignore[arg-type]
    return cls(*[document if read is None else read(document.get(name)) for name, read in members])


@cache
def _members(cls: type[Any]) -> tuple[Member, ...]:
    """The members of ``cls``, in the order of its fields."""
    return tuple(
        (
            item.metadata.get("name") or item.name,
            None if "whole" in item.metadata else item.metadata.get("read", as_is),
        )
        for item in fields(cls)
    )


def reads(cls: type[T]) -> Callable[[Any], T]:
    """The function that reads a JSON object as a ``cls``."""
    return lambda value: build(cls, value or {})


def list_of(cls: type[T]) -> Callable[[Any], tuple[T, ...]]:
    """The function that reads a JSON array of objects as a tuple of ``cls``."""
    return lambda value: tuple(build(cls, item) for item in value or ())
