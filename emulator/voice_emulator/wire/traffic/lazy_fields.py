"""The fields of requests that are over: the journal keeps their bytes, and this makes the fields again."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from functools import lru_cache
from typing import Any

from voice_emulator.providers.request import NOTHING, Request
from voice_emulator.wire.traffic.decoding import decode

#: Bodies up to so many bytes are not taken apart again for each field that somebody looks at.
REMADE_LIMIT = 64 * 1024


class LazyFields(Mapping[str, Any]):
    """The fields of a request that is over, made anew from its bytes whenever somebody looks.

    The journal keeps thousands of requests that nobody looks at, and what is made of their bytes weighs several
    times as much.
    """

    __slots__ = ("_body", "_content_type", "_query")

    def __init__(self, request: Request) -> None:
        """``request`` has its body, query and headers."""
        # Not the request itself, which is going to hold this: a cycle would live until the next full collection.
        self._body = request.body
        self._query = request.raw_query
        self._content_type = request.headers.get("content-type", "")

    def _made(self) -> Mapping[str, Any]:
        make = _fields_of if len(self._body) <= REMADE_LIMIT else _fields_of.__wrapped__
        return make(self._body, self._query, self._content_type)

    def __getitem__(self, name: str) -> Any:
        return self._made()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made())

    def __len__(self) -> int:
        return len(self._made())

    def items(self) -> ItemsView[str, Any]:
        """All fields, made once."""
        return self._made().items()


@lru_cache(maxsize=16)
def _fields_of(body: bytes, query: str, content_type: str) -> Mapping[str, Any]:
    """Who looks at one field looks at the next one too."""
    again = Request("", "", "", NOTHING, NOTHING, body, "", raw_query=query)
    decode(again, content_type)
    return again.fields
