"""Dataclasses that cost little to define and to make: a process defines more than a hundred before it serves.

:func:`dataclass` compiles six functions for each frozen class, and a frozen class is slow to make an object of. Here it
compiles ``__init__`` alone. What compares, hashes and shows is shared by all classes, and that a value is never changed
is for the type checker to see: mypy refuses an assignment as it does for ``dataclass(frozen=True)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def plain_value(cls: type[T]) -> type[T]:
    """A dataclass with slots that is equal by value and can be hashed; it is never changed."""
    return _shared(cls, _hash)


@dataclass_transform(field_specifiers=(field,))
def plain_record(cls: type[T]) -> type[T]:
    """A dataclass with slots that is equal by value; it may be changed, so it cannot be hashed."""
    return _shared(cls, None)


def _shared(cls: type[T], hashed: Any) -> type[T]:
    made: Any = dataclass(slots=True, repr=False, eq=False)(cls)
    names = tuple(made.__dataclass_fields__)
    made.values_of = attrgetter(*names or ("__class__",))
    for name, function in (("__eq__", _equal), ("__hash__", hashed), ("__repr__", _shown)):
        if name not in cls.__dict__:
            setattr(made, name, function)
    kind: type[T] = made
    return kind


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.values_of(self) == self.values_of(other)


def _hash(self: Any) -> int:
    return hash(self.values_of(self))


def _shown(self: Any) -> str:
    shown = [each.name for each in self.__dataclass_fields__.values() if each.repr]
    fields = ", ".join([f"{name}={getattr(self, name)!r}" for name in shown])
    return f"{type(self).__qualname__}({fields})"
