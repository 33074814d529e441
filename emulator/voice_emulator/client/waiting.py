"""What a wait came back with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from voice_emulator.client.entries import Entry
from voice_emulator.core.shapes import Call, Callback

__tracebackhide__ = True

T = TypeVar("T")

_ITEMS: Mapping[str, type[Any]] = {"callbacks": Callback, "calls": Call, "requests": Entry}


@dataclass(frozen=True, slots=True)
class WaitResult(Generic[T]):
    """Whether there were enough in time, and what there was; true in a boolean context when enough.

    ``next`` as ``after`` of a following wait leaves these out.
    """

    satisfied: bool
    items: tuple[T, ...]
    next: str | None = None

    def __bool__(self) -> bool:
        return self.satisfied

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)


def wait_result(kind: str, document: Mapping[str, Any]) -> WaitResult[Any]:
    """Read the API's answer to a wait for ``kind``: callbacks, calls or requests."""
    cls = _ITEMS[kind]
    items = tuple(map(cls.read, document.get("items") or ()))
    following = document.get("next")
    return WaitResult(bool(document.get("satisfied")), items, None if following is None else str(following))
