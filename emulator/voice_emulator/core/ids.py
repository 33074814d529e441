"""Ids and tokens: drawn like everything else, and unique in the process.

Their keys contain the tenant's id and, unless the clock is manual, its start: two tenants with the same seed and
numbers never get the same token.
"""

from __future__ import annotations

from collections.abc import Callable

from voice_emulator.core.clock import MILLISECOND
from voice_emulator.core.draws import digest_within, scope_text


class Ids:
    """Makes the ids of one tenant. ``claim(space, value)`` reserves a value and returns whether it was free."""

    __slots__ = ("_claim", "_scope")

    def __init__(self, scope: tuple[object, ...], claim: Callable[[str, str], bool]) -> None:
        """``scope`` is part of every key."""
        self._scope = scope_text(*scope)
        self._claim = claim

    def unique(self, space: str, make: Callable[[int], str]) -> str:
        """The first of ``make(0)``, ``make(1)``, ... that is still free in ``space``."""
        attempt = 0
        while True:
            value = make(attempt)
            if self._claim(space, value):
                return value
            attempt += 1

    def hexadecimal(self, space: str, length: int, *key: object) -> str:
        """A unique id of ``length`` lower-case hex digits."""
        return self.unique(space, lambda n: self.drawn_hexadecimal(length, space, *key, n))

    def increasing(self, space: str, at: int, low_digits: int, *key: object) -> str:
        """A unique decimal id that grows with time: milliseconds of ``at``, then drawn digits."""
        below = 10**low_digits
        high = at // MILLISECOND * below
        first = self.drawn_integer(below, space, *key)
        value = str(high + first)
        if self._claim(space, value):
            return value
        return self.unique(space, lambda n: str(high + (first + n + 1) % below))

    def drawn_hexadecimal(self, length: int, *key: object) -> str:
        """Hex digits that may repeat, for parts of larger ids."""
        return digest_within(self._scope, *key, size=(length + 1) // 2).hex()[:length]

    def drawn_integer(self, below: int, *key: object) -> int:
        """An integer in [0, below) that may repeat."""
        return int.from_bytes(digest_within(self._scope, *key, size=16), "big") % below
