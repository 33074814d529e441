"""Lists come in pages; a page knows how to ask for the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, overload

from voice_emulator.client.exchange import Exchange, Flow, ask

__tracebackhide__ = True

T = TypeVar("T")

#: The most that one page may hold.
PAGE_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Page(Sequence[T], Generic[T]):
    """A part of a list: a sequence of its items. ``next`` is the cursor of what follows, None at the end."""

    items: tuple[T, ...]
    next: str | None
    exchange: Exchange
    plural: str
    read: Callable[[dict[str, Any]], T]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self.items[index]


def page(exchange: Exchange, plural: str, read: Callable[[dict[str, Any]], T]) -> Flow[Page[T]]:
    """Ask for a list; ``read`` makes an item of each object under ``plural``."""
    found = (yield from ask(exchange)).document()
    following = found.get("next")
    return Page(
        tuple(read(item) for item in found.get(plural) or ()),
        None if following is None else str(following),
        exchange,
        plural,
        read,
    )


def every(first: Page[T]) -> Flow[list[T]]:
    """All items from ``first`` to the last page."""
    items = list(first)
    current = first
    while current.next is not None:
        exchange = replace(current.exchange, query={**current.exchange.query, "after": current.next})
        current = yield from page(exchange, current.plural, current.read)
        items.extend(current)
    return items
