"""Reading nested values, and giving the attributes of an object their names on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


class View:
    """Renders attributes of an object as a dict: ``View("id crmid=userid")(record)``.

    Each word is a field, as ``name`` or as ``name=attribute``, in the order of the reply or receipt.
    """

    __slots__ = ("_get", "_names")

    def __init__(self, words: str) -> None:
        """Read the words; there must be at least two."""
        pairs = [word.partition("=") for word in words.split()]
        self._names = [name for name, _, _ in pairs]
        self._get = attrgetter(*(attribute or name for name, _, attribute in pairs))

    def __call__(self, shown: object) -> dict[str, Any]:
        """The fields of ``shown``."""
        return dict(zip(self._names, self._get(shown), strict=True))


def at(payload: Any, *path: str, of: type[T]) -> T | None:
    """The value at ``path`` of nested objects; None when it is missing or of another type than ``of``."""
    for name in path:
        payload = payload.get(name) if isinstance(payload, Mapping) else None
    return payload if isinstance(payload, of) else None
