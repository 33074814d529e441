"""Tokens are issued, checked, revoked, and expire on the tenant's clock."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

from voice_emulator.core.listeners import Listeners
from voice_emulator.core.values import plain_record
from voice_emulator.core.vocabulary import Word

#: Tokens kept per tenant. Expired and revoked ones are kept too, to tell them from tokens that were never issued.
REMEMBERED = 10_000


class Standing(Word):
    """Whether a token is valid."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@plain_record
class Token:
    """One issued token: ``lifetime`` in microseconds, ``holder`` the key it was issued for."""

    value: str
    family: str
    holder: str
    issued_at: int
    lifetime: int
    revoked: bool = False

    @property
    def expires_at(self) -> int:
        """First instant at which the token is no longer valid."""
        return self.issued_at + self.lifetime


class Tokens:
    """All tokens of one tenant."""

    __slots__ = ("_fresh", "_listeners", "_tokens")

    def __init__(self, listeners: Listeners | None = None) -> None:
        self._listeners = listeners or Listeners()
        self._tokens: OrderedDict[str, Token] = OrderedDict()
        self._fresh: deque[str] = deque(maxlen=REMEMBERED)

    def __len__(self) -> int:
        return len(self._tokens)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._tokens))

    def add(self, token: Token) -> None:
        """Keep an issued token; the oldest is forgotten past :data:`REMEMBERED`."""
        self._tokens[token.value] = token
        self._fresh.append(token.value)
        if len(self._tokens) > REMEMBERED:
            self._tokens.popitem(last=False)
        for told in self._listeners.token_changed:
            told(token)

    def fresh(self) -> Iterator[str]:
        """The values added since the last call."""
        try:
            while True:
                yield self._fresh.popleft()
        except IndexError:
            # The deque is not tested before: worker threads that mask things call this too.
            return

    def get(self, value: str) -> Token | None:
        """The token with this value, valid or not."""
        return self._tokens.get(value)

    def check(self, value: str, now: int) -> Standing:
        """Whether ``value`` is valid at ``now``."""
        return self.look_up(value, now)[0]

    def look_up(self, value: str, now: int) -> tuple[Standing, Token | None]:
        """Whether ``value`` is valid at ``now``, and its token."""
        token = self._tokens.get(value)
        if token is None:
            return Standing.UNKNOWN, None
        if token.revoked:
            return Standing.REVOKED, token
        return (Standing.GOOD if now < token.issued_at + token.lifetime else Standing.EXPIRED), token

    def revoke(self, value: str) -> bool:
        """Revoke a token; False if it is unknown or revoked already."""
        token = self._tokens.get(value)
        if token is None or token.revoked:
            return False
        token.revoked = True
        for told in self._listeners.token_changed:
            told(token)
        return True

    def revoke_all(self, family: str, holder: str) -> int:
        """Revoke every token of one family and holder; returns how many."""
        of_holder = [t.value for t in self._tokens.values() if t.family == family and t.holder == holder]
        return sum([self.revoke(value) for value in of_holder])

    def newest(self) -> Token | None:
        """The token issued last, of any family."""
        return next(reversed(self._tokens.values()), None)

    def clear(self) -> None:
        """Forget all tokens."""
        self._tokens.clear()
