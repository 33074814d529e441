"""The fixed words of a call's life, and the one table of which step may follow which state.

A call is queued, then dialled; it may ring, may be answered, and ends exactly once.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Word(StrEnum):
    """A word of a fixed set, hashed as the text that it is.

    Enum's own hash is a Python function, and these are looked up many times per call.
    """

    __hash__ = str.__hash__


class State(Word):
    """Where a call stands."""

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
    """How a call ends. ``time_limit`` was answered and then cut by a limit of the request."""

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
    """What became of an accepted number on the client's side (:mod:`voice_emulator.core.conservation`)."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    RECONCILED = "reconciled"
    UNCERTAIN = "uncertain"
    ORPHAN = "orphan"
    DROPPED = "dropped"


#: Outcomes in which somebody picked up: only these have talk time, keys and billing cycles.
CONNECTED = frozenset({Outcome.ANSWERED, Outcome.TIME_LIMIT})
#: Outcomes in which the phone rings first. The others fail before ringing.
RINGS = frozenset({Outcome.ANSWERED, Outcome.TIME_LIMIT, Outcome.NO_ANSWER, Outcome.REJECTED})
#: Outcomes that may ring when a scenario says so (a busy tone can follow a while of ringing).
MAY_RING = RINGS | {Outcome.BUSY}

#: Every legal step. A dropped call (queued, never dialled) ends without having been dialled.
TRANSITIONS: Mapping[tuple[State, Step], State] = {
    (State.QUEUED, Step.DIAL): State.DIALLING,
    (State.QUEUED, Step.END): State.ENDED,
    (State.DIALLING, Step.RING): State.RINGING,
    (State.DIALLING, Step.END): State.ENDED,
    (State.RINGING, Step.ANSWER): State.TALKING,
    (State.RINGING, Step.END): State.ENDED,
    (State.TALKING, Step.END): State.ENDED,
}
