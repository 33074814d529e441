"""A client of the control API, synchronous (:class:`Client`) and asynchronous (:class:`AsyncClient`).

Both have the same methods, one per route, with the same typed results. :class:`VoiceEmulator` is
what a test holds: one tenant, with everything a test wants to say about it.

What goes wrong is the caller's to read: exceptions say it in a sentence and name no cause, and ``__tracebackhide__``
in each module keeps its frames out of pytest's reports (``--full-trace`` shows them).
"""

from __future__ import annotations

from voice_emulator.client.asynchronous import AsyncClient
from voice_emulator.client.blocking import Client
from voice_emulator.client.durations import Duration
from voice_emulator.client.entries import Entry, StreamEvent
from voice_emulator.client.errors import (
    ClientError,
    Conflict,
    ControlError,
    Forbidden,
    InputError,
    Invalid,
    NotFound,
    NotReady,
    Unauthorized,
    UnexpectedReply,
    Unsatisfied,
    WouldDeadlock,
)
from voice_emulator.client.pages import Page
from voice_emulator.client.voice import VoiceEmulator
from voice_emulator.client.waiting import WaitResult
from voice_emulator.core.shapes import (
    Advanced,
    Billing,
    Call,
    Callback,
    Health,
    NearMiss,
    Placed,
    Sent,
    ShippedScenario,
    Tenant,
    TimelineStep,
    VerifyResult,
    Violation,
)

__all__ = [
    "Advanced",
    "AsyncClient",
    "Billing",
    "Call",
    "Callback",
    "Client",
    "ClientError",
    "Conflict",
    "ControlError",
    "Duration",
    "Entry",
    "Forbidden",
    "Health",
    "InputError",
    "Invalid",
    "NearMiss",
    "NotFound",
    "NotReady",
    "Page",
    "Placed",
    "Sent",
    "ShippedScenario",
    "StreamEvent",
    "Tenant",
    "TimelineStep",
    "Unauthorized",
    "UnexpectedReply",
    "Unsatisfied",
    "VerifyResult",
    "Violation",
    "VoiceEmulator",
    "WaitResult",
    "WouldDeadlock",
]
