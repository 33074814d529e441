"""A request as the journal keeps it: what arrived, what was decided, and what was sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from voice_emulator.core.masking import Masker
from voice_emulator.errors import StateError
from voice_emulator.providers.request import NOTHING, Problem, Reply, Request
from voice_emulator.wire.traffic.lazy_fields import LazyFields


@dataclass(slots=True)
class Sent:
    """What went on the wire. ``status`` is None when no reply did."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    note: str = ""


#: Bytes. Bodies of longer replies count towards the journal's limit.
LONG_REPLY = 4_096


def weight_of(request: Request) -> int:
    """Bytes that a request and its fields keep in memory, roughly."""
    weight = 1500 + request.head_weight + 2 * (len(request.body) + len(request.raw_query))
    return weight + 64 * (len(request.numbers) - 1) if len(request.numbers) > 1 else weight


class Keeping(NamedTuple):
    """What a reply waits for: ``done`` has no result once all is kept, and the reason when it cannot be.

    A reply that is not ``needed`` to be kept, because it accepts nothing, still goes out.
    """

    done: asyncio.Future[StateError | None]
    needed: bool


@dataclass(slots=True)
class RequestRecord:
    """One request from arrival to the last byte of its reply.

    ``problems`` are all that was wrong, ``reply`` is the provider's reply, ``sent`` what the client could see of it
    (None while the reply is pending). ``duration`` is in real microseconds. ``weight`` is roughly how many bytes it keeps
    in memory, without its reply. ``finished`` numbers the tenant's finished requests, 0 until then. ``keeping`` is what
    the reply waits for, if for anything.
    """

    request: Request
    masker: Masker
    at: int
    problems: list[Problem] = field(default_factory=list)
    reply: Reply | None = None
    sent: Sent | None = None
    reply_rule: str | None = None
    fault_rule: str | None = None
    fault: str | None = None
    latency: int = 0
    calls: tuple[str, ...] = ()
    duration: int = 0
    entry_id: int = 0
    started: float = 0.0
    cancelled: bool = False
    finished: int = 0
    weight: int = 1500
    keeping: Keeping | None = None

    @property
    def more_weight(self) -> int:
        """Bytes added by the reply: problems, a long body, the calls."""
        weight = 64 * (len(self.calls) - 1) if len(self.calls) > 1 else 0
        for problem in self.problems:
            weight += 250 + len(problem.message) + len(problem.place) + len(problem.text or "")
        reply = self.reply
        if reply is not None and len(reply.body) > LONG_REPLY:
            weight += 3 * len(reply.body)
        if self.sent is not None and len(self.sent.headers) > 1:
            weight += sum([len(name) + len(value) for name, value in self.sent.headers])
        return weight

    def compact(self) -> None:
        """The request is finished: keep what was received and sent, and drop what was derived from it."""
        request = self.request
        request.fields = LazyFields(request) if request.body or request.raw_query else NOTHING
        request.query = NOTHING
        request.document, request.files = None, NOTHING
        request.scratch.clear()
        if self.reply is not None:
            self.reply.payload, self.reply.shown_calls = None, ()

    @property
    def refused(self) -> bool:
        """Whether the provider refused the request."""
        return self.reply is None or self.reply.refused

    @property
    def operation(self) -> str | None:
        """Name of the operation, None when the request found none."""
        return self.request.operation_name or None

    def shown(self) -> dict[str, Any]:
        """The record as the control API shows it (JournalEntry), without its id and instant; secrets masked."""
        from voice_emulator.core.shapes import ActingRules, ReceivedRequest, RequestProblem, SentReply

        request, masker = self.request, self.masker
        secrets = masker.secret_values(request.fields)
        query = f"?{request.raw_query}" if request.raw_query else ""
        sent = self.sent
        return {
            "provider": request.provider or None,
            "operation": self.operation,
            "attributed": request.attributed,
            "request": ReceivedRequest.shown(
                method=request.method,
                path=masker.text(request.path, secrets),
                target=masker.text(request.path + query, secrets),
                headers=masker.headers(request.headers.items(), secrets),
                encoding=request.encoding,
                fields=masker.mapping(request.fields, secrets),
                body=masker.body(request.body, secrets),
                peer=request.peer,
            ),
            "numbers": [masker.number(number) for number in request.numbers[:20]],
            "number_count": len(request.numbers),
            "violations": [
                RequestProblem.shown(
                    code=each.code,
                    place=masker.text(each.place, secrets),
                    message=masker.text(each.message, secrets),
                )
                for each in self.problems
            ],
            "rule": ActingRules.shown(reply=self.reply_rule, fault=self.fault_rule),
            "fault": self.fault,
            "code": self.reply.code if self.reply else None,
            "refused": self.refused,
            "reply": None
            if sent is None
            else SentReply.shown(
                status=sent.status,
                headers=masker.headers(sent.headers, secrets),
                body=masker.body(sent.body, secrets),
                note=sent.note,
            ),
            "calls": list(self.calls[:1000]),
            "duration_ms": round(self.duration / 1000, 3),
        }
