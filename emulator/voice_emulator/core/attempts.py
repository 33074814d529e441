"""Attempts: what happened each time a push was sent, or was due and not sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from typing import Any, Literal

from voice_emulator.core.masking import Masker
from voice_emulator.core.pushes import Push
from voice_emulator.core.values import plain_record
from voice_emulator.core.vocabulary import PushOutcome

ATTEMPT_LIMIT = 50_000
BYTE_LIMIT = 64 * 1024 * 1024
#: Bytes kept of a receiver's reply body, and of its headers before they are cut.
BODY_KEPT = 4_096
HEADERS_KEPT = 8_192

#: Why an attempt got no reply. Caused by the receiver: ``timeout``, ``tls``, ``connection``, and ``url`` (a URL that
#: cannot be used). Not caused by it: ``own`` (a bug, or this machine ran out of something), ``rule`` (a rule cut the
#: push off), ``unclear`` (a reused connection was closed without a reply). Empty: a reply came, or nothing was sent.
Trouble = Literal["", "timeout", "tls", "connection", "url", "own", "rule", "unclear"]


@lru_cache(maxsize=256)
def _size(headers: tuple[tuple[str, str], ...]) -> int:
    """Characters of headers; most pushes and replies of one receiver have the same ones."""
    return sum([len(name) + len(value) for name, value in headers])


@plain_record
class PushReply:
    """The reply of the customer's receiver."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def shorten(self) -> None:
        """Cut what no acknowledgement needs: tens of thousands of replies are kept."""
        if len(self.body) > BODY_KEPT:
            self.body = self.body[:BODY_KEPT]
        if _size(self.headers) > HEADERS_KEPT:
            self.headers = tuple((name[:100], value[:200]) for name, value in self.headers[:30])


@plain_record
class Attempt:
    """One attempt of one push; INTERFACE section 4, ``callbacks``.

    ``at`` is the tenant's instant of sending, ``duration`` and ``lateness`` real microseconds. ``fields`` are those of
    the first receipt, ``others`` those of the receipts that travelled with it. ``weight`` is roughly how many bytes of
    memory it takes.
    """

    id: str
    push: Push
    number: int
    at: int
    url: str | None
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fields: Mapping[str, Any]
    outcome: PushOutcome
    reason: str = ""
    reply: PushReply | None = None
    duration: int = 0
    lateness: int = 0
    masker: Masker | None = None
    faults: tuple[str, ...] = field(default=())
    entry_id: int = 0
    trouble: Trouble = ""
    others: tuple[Mapping[str, Any], ...] = ()
    weight: int = 400

    def fail(self, trouble: Trouble, reason: str) -> None:
        """Note that no reply came, and why."""
        self.outcome, self.trouble, self.reason = PushOutcome.FAILED, trouble, reason

    @property
    def ours(self) -> bool:
        """Whether it failed, or may have failed, because of the emulator and not of the receiver."""
        return self.trouble in ("own", "unclear")

    @property
    def call_id(self) -> str | None:
        """Id of the call that the push reports, if any; of the first one if it reports several."""
        return self.push.call.id if self.push.call is not None else None

    @property
    def call_ids(self) -> tuple[str, ...]:
        """Ids of all calls that the push reports, each once."""
        if not self.push.others:
            return (self.push.call.id,) if self.push.call is not None else ()
        return tuple(dict.fromkeys(call.id for call in self.push.calls))

    @property
    def numbers(self) -> tuple[str, ...]:
        """The called numbers of those calls, each once."""
        return tuple(dict.fromkeys(call.number for call in self.push.calls))

    @property
    def label(self) -> str:
        """Which push it was, and which attempt of it."""
        return self.push.label(self.number)

    def weigh(self) -> None:
        """Set :attr:`weight`, once nothing changes any more: the body is kept as sent and as the fields it was made of."""
        weight = 400 + 3 * len(self.body) + len(self.url or "") + len(self.reason)
        weight += _size(self.headers)
        reply = self.reply
        if reply is not None:
            weight += len(reply.body) + _size(reply.headers)
        self.weight = weight

    def shown(self) -> dict[str, Any]:
        """The attempt as the control API shows it."""
        from voice_emulator.core.shapes import Callback

        reply, number = self.reply, self.push.call.number if self.push.call is not None else None
        texts = [self.url or "", self.reason, number or "", *self.numbers]
        for header in self.headers:
            texts += header
        fields, masker = (self.masker or Masker(())).together(
            (self.fields, *self.others), texts, (self.body, reply.body) if reply else (self.body,)
        )
        return Callback.shown(
            id=self.id,
            call_id=self.call_id,
            call_ids=self.call_ids,
            number=masker.number(number) if number is not None else None,
            numbers=[masker.number(number) for number in self.numbers],
            provider=self.push.provider,
            kind=self.push.kind,
            attempt=self.number,
            label=self.label,
            at=self.at,
            url=masker.url(self.url) if self.url is not None else None,
            method=self.method,
            headers=masker.headers(self.headers),
            body=masker.body(self.body),
            fields=fields[0],
            receipts=fields if self.others else (),
            faults=self.faults,
            outcome=self.outcome,
            reason=masker.text(self.reason),
            status=reply.status if reply else None,
            reply=masker.body(reply.body) if reply else None,
            duration_ms=round(self.duration / 1000, 3),
            rule=self.push.by_rule,
        )


class Attempts:
    """The newest finished attempts of one tenant, in the order they ended."""

    __slots__ = ("_attempts", "_by_call", "_byte_limit", "_bytes", "_limit", "total")

    def __init__(self, limit: int = ATTEMPT_LIMIT, byte_limit: int = BYTE_LIMIT) -> None:
        self._byte_limit = byte_limit
        self._bytes = 0
        self._attempts: deque[Attempt] = deque()
        self._by_call: dict[str, list[Attempt]] = {}
        self._limit = limit
        self.total = 0

    def __len__(self) -> int:
        return len(self._attempts)

    def __iter__(self) -> Iterator[Attempt]:
        return iter(self._attempts)

    def add(self, attempt: Attempt) -> None:
        """Keep an attempt; past a limit, forget the oldest."""
        self.total += 1
        self._attempts.append(attempt)
        for call_id in attempt.call_ids:
            self._by_call.setdefault(call_id, []).append(attempt)
        self._bytes += attempt.weight
        while len(self._attempts) > self._limit or (
            self._bytes > self._byte_limit and len(self._attempts) > 1
        ):
            oldest = self._attempts.popleft()
            self._bytes -= oldest.weight
            for call_id in oldest.call_ids:
                others = self._by_call[call_id]
                others.pop(0)
                if not others:
                    del self._by_call[call_id]

    def of_call(self, call_id: str) -> list[Attempt]:
        """The attempts that reported one call, oldest first."""
        return list(self._by_call.get(call_id, ()))

    def after(self, index: int) -> Iterator[tuple[int, Attempt]]:
        """(running number, attempt) pairs with a number above ``index``, oldest first; from 1."""
        first = self.total - len(self._attempts)
        for position in range(max(0, index - first), len(self._attempts)):
            yield first + position + 1, self._attempts[position]

    def clear(self) -> None:
        """Forget all attempts."""
        self._attempts.clear()
        self._by_call.clear()
        self._bytes = 0
        self.total = 0
