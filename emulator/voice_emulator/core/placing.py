"""Placing calls: a provider says what was submitted, the rules say how each call goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from voice_emulator.core.billing import FREE, Tariff
from voice_emulator.core.plan import NO_LIMITS, Limits
from voice_emulator.core.scenario import ONCE, Retry
from voice_emulator.core.vocabulary import Step


@dataclass(frozen=True, slots=True)
class ReceiptPlan:
    """One push that every call of a submission makes.

    ``kind`` names the provider's receipt kind, ``on`` the step of the call that causes it, ``retry``
    the provider's own habit. ``ruled`` is whether a scenario's ``receipt`` effects act on it,
    ``dropped`` whether a call that was never dialled is reported too.
    """

    kind: str
    on: Step = Step.END
    retry: Retry = ONCE
    ruled: bool = True
    dropped: bool = False


NO_DETAILS: Mapping[str, Any] = MappingProxyType({})


@dataclass(slots=True)
class Submission:
    """How an accepted request wants its numbers dialled; shared by all its calls, and never changed once they are.

    Requests that want the same may share one too. ``kind`` is the provider's own word for the type
    of call, ``receipts`` what its calls push, ``start_at`` an instant on the tenant's clock before
    which nothing is dialled, ``drop_at`` one after which nothing is dialled any more,
    ``concurrency`` how many calls of this provider may be up at once, ``callback_url`` the receiver
    the request itself named, ``details`` whatever the provider wants to find again when it renders
    a receipt.
    """

    provider: str
    operation: str
    caller: str = ""
    kind: str = ""
    receipts: tuple[ReceiptPlan, ...] = ()
    tariff: Tariff = FREE
    limits: Limits = NO_LIMITS
    start_at: int | None = None
    drop_at: int | None = None
    concurrency: int | None = None
    wants_keys: bool = True
    callback_url: str | None = None
    batch_id: str = ""
    details: Mapping[str, Any] = field(default_factory=lambda: NO_DETAILS)
