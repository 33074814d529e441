"""The fields of finished requests: the journal keeps the bytes, and this decodes them again when needed."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from functools import lru_cache
from typing import Any

from voice_emulator.providers.request import NOTHING, Request
from voice_emulator.wire.traffic.decoding import decode

#: Bytes. The fields of smaller bodies are cached, so that reading several of them decodes once.
CACHED_LIMIT = 64 * 1024


class LazyFields(Mapping[str, Any]):
    """The fields of a finished request, decoded from its bytes whenever they are read.

    Most of the journal's requests are never read, and decoded fields take several times the memory of the bytes.
    """

    __slots__ = ("_body", "_content_type", "_query")

    def __init__(self, request: Request) -> None:
        # Not the request itself, which will refer to this: a cycle would live until the next full collection.
        self._body = request.body
        self._query = request.raw_query
        self._content_type = request.headers.get("content-type", "")

    def _decoded(self) -> Mapping[str, Any]:
        fields_of = _fields_of if len(self._body) <= CACHED_LIMIT else _fields_of.__wrapped__
        return fields_of(self._body, self._query, self._content_type)

    def __getitem__(self, name: str) -> Any:
        return self._decoded()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decoded())

    def __len__(self) -> int:
        return len(self._decoded())

    def items(self) -> ItemsView[str, Any]:
        """All fields, decoded once."""
        return self._decoded().items()


@lru_cache(maxsize=16)
def _fields_of(body: bytes, query: str, content_type: str) -> Mapping[str, Any]:
    request = Request("", "", "", NOTHING, NOTHING, body, "", raw_query=query)
    decode(request, content_type)
    return request.fields
