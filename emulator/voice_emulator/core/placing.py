"""What a provider submits for dialling: the numbers' shared properties and the receipts to push."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

from voice_emulator.core.billing import FREE, Tariff
from voice_emulator.core.plan import NO_LIMITS, Limits
from voice_emulator.core.scenario import ONCE, Retry
from voice_emulator.core.values import plain_record, plain_value
from voice_emulator.core.vocabulary import Step


@plain_value
class Batch:
    """How receipts travel together: at most ``most`` in one push, which leaves when it is full or after ``wait``.

    ``wait`` is in microseconds, from the first receipt on. Receipts that a rule sends in another way (transport,
    encoding, retry) or that go to another receiver travel apart; ``receiver`` tells receivers apart that the URL of the
    submission does not.
    """

    most: int
    wait: int
    receiver: str = ""


@plain_value
class ReceiptPlan:
    """One push that every call of a submission makes.

    ``kind`` is the provider's receipt kind, ``on`` the step of the call that causes the push, ``retry`` how the provider
    retries. ``ruled``: ``receipt`` effects of a scenario act on it. ``dropped``: a call that was never dialled is
    reported too. ``batch``: how receipts of this kind share a push; None for a push each.
    """

    kind: str
    on: Step = Step.END
    retry: Retry = ONCE
    ruled: bool = True
    dropped: bool = False
    batch: Batch | None = None


NO_DETAILS: Mapping[str, Any] = MappingProxyType({})


@plain_record
class Submission:
    """How an accepted request wants its numbers dialled; shared by all its calls, and not changed after they are placed.

    Requests with equal values may share one. ``kind`` is the provider's word for the type of call. Nothing is dialled
    before ``start_at`` or after ``drop_at``, instants on the tenant's clock. ``concurrency`` limits the calls of this
    provider that are active at once. ``callback_url`` is the receiver that the request names, ``details`` what the
    provider needs to render a receipt.
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
