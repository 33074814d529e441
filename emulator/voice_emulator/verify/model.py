"""The words of receiver conformance: letter, answer, evidence, check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice_emulator.core.attempts import PushReply
from voice_emulator.providers.provider import PushRequest, ReceiptKind


@dataclass(frozen=True, slots=True)
class TestPush:
    """One push to be sent. ``id`` is what the receiver knows the call by, ``at`` an instant it is about.

    ``pause`` is the real microseconds between pieces of 64 bytes, for a slow sender; 0 for all at once.
    ``to`` names another receiver than the one under test (``agent``).
    """

    request: PushRequest
    kind: ReceiptKind
    fields: Mapping[str, Any]
    id: str
    settings: Mapping[str, Any]
    pause: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a letter: a reply, or the trouble that kept it from coming. ``seconds`` are real.

    ``ours`` is whether the trouble may be the emulator's own: then it says nothing about the receiver.
    """

    letter: TestPush
    reply: PushReply | None
    seconds: float
    trouble: str = ""
    ours: bool = False

    @property
    def acknowledged(self) -> bool:
        """Whether the provider takes this for an acknowledgement."""
        letter, reply = self.letter, self.reply
        if reply is None:
            return False
        return letter.kind.judge(reply) is None or letter.kind.tolerate(letter.settings, reply) is not None

    @property
    def shown(self) -> str:
        """The answer in a few words."""
        if self.reply is None:
            return self.trouble or "no answer"
        body = self.reply.body[:120].decode("utf-8", "replace")
        return f"HTTP {self.reply.status}, body {body!r}" if body else f"HTTP {self.reply.status}, empty body"


State = Mapping[str, Any]


@dataclass(slots=True)
class Evidence:
    """Everything a check has to judge by.

    ``stages`` are the answers, stage by stage. ``usual`` is the answer to a plain receipt, sent before
    everything else. ``states`` are the receiver's business state before the first stage and after each,
    when a probe was given: call id to whatever the receiver's owner shows of the call.
    """

    stages: Sequence[Sequence[Answer]]
    usual: Answer
    states: Sequence[State] | None = None
    slow_after: float = 3.0

    @property
    def answers(self) -> list[Answer]:
        """All answers in order."""
        return [answer for stage in self.stages for answer in stage]

    def taken(self, answer: Answer) -> bool:
        """Whether the receiver took a letter: acknowledged it, or answered just as it does to a plain receipt.

        A receiver that never acknowledges properly is told so once, not by every check.
        """
        if answer.acknowledged:
            return True
        reply, usual = answer.reply, self.usual.reply
        return (
            reply is not None
            and usual is not None
            and answer.letter.kind.url_key == self.usual.letter.kind.url_key
            and 200 <= usual.status < 300
            and (reply.status, reply.body) == (usual.status, usual.body)
        )


#: None when all is well, else what is wrong in a sentence.
Judge = Callable[[Evidence], str | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one check does: stages one after the other, the letters of a stage all at once."""

    stages: Sequence[Sequence[TestPush]]
    judge: Judge
    #: Where the letters go: ``callback``, or ``agent``.
    target: str = "callback"


class NotApplicable(Exception):
    """A check has nothing to go by; the message says what is missing, for the report."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user said: the receiver, the keys, the ids it knows, and how patient to be.

    ``known_ids`` are ids the receiver was told of beforehand, by provider; ``slow_after`` is in seconds.
    """

    callback_url: str
    agent_url: str | None = None
    shared_key: str | None = None
    probe_url: str | None = None
    seed: int = 1
    slow_after: float = 3.0
    known_ids: Mapping[str, Sequence[str]] = field(default_factory=dict)
