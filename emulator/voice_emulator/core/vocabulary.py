"""The states, steps and outcomes of a call, and the table of allowed steps.

A call is queued, then dialled; it may ring, may be answered, and ends exactly once.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

#: How much a finding weighs.
Severity = Literal["error", "warning"]
#: What a line of the journal is about.
EntryKind = Literal["request", "callback", "violation", "system"]


class Word(StrEnum):
    """A StrEnum with the fast hash of str: members are looked up many times per call."""

    __hash__ = str.__hash__


class State(Word):
    """The state of a call."""

    QUEUED = "queued"
    DIALLING = "dialling"
    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"


class Step(Word):
    """What can happen to a call."""

    DIAL = "dial"
    RING = "ring"
    ANSWER = "answer"
    END = "end"


class Outcome(Word):
    """How a call ends. ``time_limit`` is answered and then cut by a limit in the request."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    INVALID_NUMBER = "invalid_number"
    BARRED = "barred"
    NETWORK_FAILURE = "network_failure"
    TIME_LIMIT = "time_limit"


class Party(Word):
    """Who ended a call."""

    CALLEE = "callee"
    CALLER = "caller"
    NETWORK = "network"


class Fate(Word):
    """What the client knows of an accepted number (:mod:`voice_emulator.core.conservation`)."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    RECONCILED = "reconciled"
    UNCERTAIN = "uncertain"
    ORPHAN = "orphan"
    DROPPED = "dropped"


class PushOutcome(Word):
    """How one attempt went; INTERFACE: ``callbacks``."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    FAILED = "failed"
    BLOCKED = "blocked"
    LOST = "lost"
    NO_URL = "no_url"
    UNCERTAIN = "uncertain"
    PENDING = "pending"


#: Outcomes with an answer: only these have talk time, keys and billing cycles.
CONNECTED = frozenset({Outcome.ANSWERED, Outcome.TIME_LIMIT})
#: Outcomes of calls that ring. The others fail before ringing.
RINGS = frozenset({Outcome.ANSWERED, Outcome.TIME_LIMIT, Outcome.NO_ANSWER, Outcome.REJECTED})
#: Outcomes that ring if a scenario says so: a busy tone can follow ringing.
MAY_RING = RINGS | {Outcome.BUSY}

#: Every allowed step. A dropped call ends while it is queued.
TRANSITIONS: Mapping[tuple[State, Step], State] = {
    (State.QUEUED, Step.DIAL): State.DIALLING,
    (State.QUEUED, Step.END): State.ENDED,
    (State.DIALLING, Step.RING): State.RINGING,
    (State.DIALLING, Step.END): State.ENDED,
    (State.RINGING, Step.ANSWER): State.TALKING,
    (State.RINGING, Step.END): State.ENDED,
    (State.TALKING, Step.END): State.ENDED,
}
