"""The terms of receiver conformance: test push, response, evidence, plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from voice_emulator.core.attempts import PushReply
from voice_emulator.providers.provider import PushRequest, ReceiptKind

#: Bytes that a slow sender sends at a time.
PIECE = 64


@dataclass(frozen=True, slots=True)
class TestPush:
    """One push to be sent. ``id`` is what the receiver knows the call by.

    ``pause`` is the real microseconds between pieces of :data:`PIECE` bytes, for a slow sender; 0 for all at once.
    """

    request: PushRequest
    kind: ReceiptKind
    fields: Mapping[str, Any]
    id: str
    settings: Mapping[str, Any]
    #: The receiver's URL as the user gave it.
    receiver: str = ""
    pause: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """What came back for a push: a reply, or ``trouble``, which says why none came. ``seconds`` are real.

    With ``ours`` the trouble may be the emulator's own: it says nothing about the receiver.
    """

    push: TestPush
    reply: PushReply | None
    seconds: float
    trouble: str = ""
    ours: bool = False

    @property
    def acknowledged(self) -> bool:
        """Whether the provider takes this for an acknowledgement."""
        push, reply = self.push, self.reply
        if reply is None:
            return False
        return push.kind.judge(reply) is None or push.kind.tolerate(push.settings, reply) is not None

    @property
    def shown(self) -> str:
        """What came back, in a few words."""
        if self.reply is None:
            return self.trouble or "no reply"
        body = self.reply.body[:120].decode("utf-8", "replace")
        return f"HTTP {self.reply.status}, body {body!r}" if body else f"HTTP {self.reply.status}, empty body"


State = Mapping[str, Any]


@dataclass(slots=True)
class Evidence:
    """What a check is judged by.

    ``stages`` are the responses, stage by stage. ``usual`` is the response to a plain receipt, sent before
    everything else. ``states`` are the receiver's business state before the first stage and after each,
    by call id; None without a probe.
    """

    stages: Sequence[Sequence[Response]]
    usual: Response
    states: Sequence[State] | None = None
    slow_after: float = 3.0

    @property
    def responses(self) -> list[Response]:
        """All responses in order."""
        return [response for stage in self.stages for response in stage]

    def accepted(self, response: Response) -> bool:
        """Whether the receiver accepted a push: acknowledged it, or answered just as it does to a plain receipt.

        A receiver that never acknowledges properly fails one check for it, not every one.
        """
        if response.acknowledged:
            return True
        reply, usual = response.reply, self.usual.reply
        return (
            reply is not None
            and usual is not None
            and response.push.kind.url_key == self.usual.push.kind.url_key
            and 200 <= usual.status < 300
            and (reply.status, reply.body) == (usual.status, usual.body)
        )


class Failure(NamedTuple):
    """Why a check failed, in a sentence, and the response that shows it."""

    reason: str
    response: Response


#: None when the receiver passes.
Judge = Callable[[Evidence], Failure | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one check does: stages one after the other, the pushes of a stage all at once."""

    stages: Sequence[Sequence[TestPush]]
    judge: Judge


class NotApplicable(Exception):
    """A check does not apply here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user gave: the receiver, the keys, the ids it knows, and how long a reply may take.

    ``known_ids`` are ids that the receiver knows, by provider; ``slow_after`` is in seconds.
    """

    callback_url: str
    agent_url: str | None = None
    shared_key: str | None = None
    probe_url: str | None = None
    seed: int = 1
    slow_after: float = 3.0
    known_ids: Mapping[str, Sequence[str]] = field(default_factory=dict)
