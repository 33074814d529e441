"""Tokens: issued, checked, expired and revoked on the tenant's clock."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from voice_emulator.core.vocabulary import Word

#: Expired and revoked tokens are remembered, to tell an old token from one never issued.
REMEMBERED = 10_000


class Standing(Word):
    """What a token is worth."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(slots=True)
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
        """First instant at which the token is no longer good."""
        return self.issued_at + self.lifetime


class Tokens:
    """All tokens of one tenant."""

    __slots__ = ("_fresh", "_tokens", "on_change")

    def __init__(self) -> None:
        """Start with none."""
        self._tokens: OrderedDict[str, Token] = OrderedDict()
        self._fresh: deque[str] = deque(maxlen=REMEMBERED)
        #: Told of each token that is new or revoked.
        self.on_change: Callable[[Token], None] | None = None

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
        if self.on_change is not None:
            self.on_change(token)

    def fresh(self) -> Iterator[str]:
        """The values that are new since this was last asked."""
        try:
            while True:
                yield self._fresh.popleft()
        except IndexError:
            # All of them; not asked beforehand, since threads that show things ask too.
            return

    def get(self, value: str) -> Token | None:
        """The token with this value, good or not."""
        return self._tokens.get(value)

    def check(self, value: str, now: int) -> Standing:
        """What ``value`` is worth at ``now``."""
        return self.look_up(value, now)[0]

    def look_up(self, value: str, now: int) -> tuple[Standing, Token | None]:
        """What ``value`` is worth at ``now``, and the token that it is."""
        token = self._tokens.get(value)
        if token is None:
            return Standing.UNKNOWN, None
        if token.revoked:
            return Standing.REVOKED, token
        return (Standing.GOOD if now < token.expires_at else Standing.EXPIRED), token

    def revoke(self, value: str) -> bool:
        """Make a token worthless; False when it was not good for anything before."""
        token = self._tokens.get(value)
        if token is None or token.revoked:
            return False
        self._revoke(token)
        return True

    def revoke_all(self, family: str, holder: str) -> int:
        """Revoke every token of one family and holder; returns how many."""
        found = [
            t for t in self._tokens.values() if t.family == family and t.holder == holder and not t.revoked
        ]
        for token in found:
            self._revoke(token)
        return len(found)

    def _revoke(self, token: Token) -> None:
        token.revoked = True
        if self.on_change is not None:
            self.on_change(token)

    def newest(self) -> Token | None:
        """The token issued last, of whatever family."""
        return next(reversed(self._tokens.values()), None)

    def clear(self) -> list[str]:
        """Forget all tokens; returns their values, so that the directory can forget them too."""
        values = list(self._tokens)
        self._tokens.clear()
        return values
