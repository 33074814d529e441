"""What the control API tells, as frozen values. Names are those of the API's JSON.

Instants are aware datetimes on the tenant's clock, money is Decimal, ``document`` holds the JSON
object as it came, with whatever a newer emulator adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from voice_emulator.client.reading import (
    as_is,
    instant,
    list_of,
    mapping,
    member,
    money,
    optional,
    original,
    reads,
    text,
    texts,
    whole,
)


@dataclass(frozen=True, slots=True)
class Health:
    """Both ports serve. ``traffic`` is the base URL of the providers, empty if the emulator does not tell."""

    status: str = member(text)
    version: str = member(text)
    scenario: str = member(text)
    traffic: str = member(text)


@dataclass(frozen=True, slots=True)
class ShippedScenario:
    """A scenario that comes with the emulator."""

    name: str = member(text)
    description: str = member(text)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer of all providers; credentials and settings by provider."""

    id: str = member(text)
    scenario: str = member(text)
    seed: int = member(whole)
    clock: Any = member(as_is)
    now: datetime = member(instant)
    callback_urls: Mapping[str, str] = member(mapping)
    credentials: Mapping[str, Mapping[str, Any]] = member(mapping)
    settings: Mapping[str, Mapping[str, Any]] = member(mapping)
    document: Mapping[str, Any] = original()

    @property
    def manual(self) -> bool:
        """Whether time stands still until somebody advances it."""
        mode = self.clock.get("mode") if isinstance(self.clock, Mapping) else self.clock
        return mode == "manual"


@dataclass(frozen=True, slots=True)
class Billing:
    """What a call cost: ``cycles`` of ``cycle`` seconds each."""

    cycle: int = member(whole)
    cycles: int = member(whole)
    unit_price: Decimal = member(money)
    basic_price: Decimal = member(money)
    charge: Decimal = member(money)


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One thing that happened to a call."""

    at: datetime = member(instant)
    event: str = member(text)
    detail: Any = member(as_is)


@dataclass(frozen=True, slots=True)
class Call:
    """One dialled number. What has not happened is None.

    ``provider_id`` is the id that the provider gave it, ``receipt`` how the client learned of its end, or
    how the newest push went; ``references`` are other ids that the client may know it by.
    """

    id: str = member(text)
    provider: str = member(text)
    operation: str = member(text)
    number: str = member(text)
    caller: str = member(text)
    state: str = member(text)
    outcome: str | None = member(as_is)
    cause: str | None = member(as_is)
    ended_by: str | None = member(as_is)
    submitted_at: datetime = member(instant)
    ring_at: datetime | None = member(optional(instant))
    answered_at: datetime | None = member(optional(instant))
    ended_at: datetime | None = member(optional(instant))
    talk_seconds: int = member(whole)
    keys: str = member(text)
    billing: Billing | None = member(optional(reads(Billing)))
    provider_id: str = member(text)
    batch_id: str = member(text)
    references: tuple[str, ...] = member(texts)
    rule: Any = member(as_is)
    receipt: str = member(text)
    timeline: tuple[TimelineStep, ...] = member(list_of(TimelineStep))
    document: Mapping[str, Any] = original()


@dataclass(frozen=True, slots=True)
class Callback:
    """One attempt to push a receipt, and what the receiver answered. ``fields`` are the receipt's.

    Where a provider puts several receipts into one push, ``call_ids`` and ``numbers`` are of all of them and
    ``receipts`` has the fields of each; ``call_id``, ``number`` and ``fields`` are those of the first.
    """

    id: str = member(text)
    call_id: str | None = member(as_is)
    call_ids: tuple[str, ...] = member(texts)
    provider: str = member(text)
    kind: str = member(text)
    attempt: int = member(whole)
    at: datetime = member(instant)
    url: str | None = member(as_is)
    method: str = member(text)
    headers: Any = member(as_is)
    body: str = member(text)
    fields: Mapping[str, Any] = member(mapping)
    receipts: tuple[Mapping[str, Any], ...] = member(lambda value: tuple(value or ()))
    faults: tuple[str, ...] = member(texts)
    outcome: str = member(text)
    status: int | None = member(as_is)
    reply: str | None = member(as_is)
    duration_ms: float | None = member(as_is)
    rule: Any = member(as_is)
    number: str | None = member(as_is)
    numbers: tuple[str, ...] = member(texts)
    reason: str = member(text)
    document: Mapping[str, Any] = original()

    @property
    def delivered(self) -> bool:
        """Whether the receiver acknowledged as the provider expects."""
        return self.outcome == "delivered"


@dataclass(frozen=True, slots=True)
class Violation:
    """Where the client under test broke the contract; ``entry`` is the journal entry that shows it."""

    rule: str = member(text)
    severity: str = member(text)
    provider: str = member(text)
    operation: str = member(text)
    entry: int | None = member(as_is)
    message: str = member(text)
    source: str = member(text)
    call_id: str | None = member(as_is)
    at: datetime | None = member(optional(instant))
    document: Mapping[str, Any] = original()

    def __str__(self) -> str:
        place = f" (journal entry {self.entry})" if self.entry is not None else ""
        where = ".".join(part for part in (self.provider, self.operation) if part)
        return f"{self.severity} {self.rule} {where}{place}: {self.message} [{self.source}]"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A request that nearly matched, by its journal entry; ``differences`` as the API words them."""

    id: Any = member(as_is)
    differences: tuple[Any, ...] = member(lambda value: tuple(value or ()))

    def __str__(self) -> str:
        return f"entry {self.id}: " + "; ".join(map(_difference, self.differences))


def _difference(found: Any) -> str:
    if not isinstance(found, Mapping):
        return str(found)
    place = found.get("place") or found.get("field")
    return f"{place}: wanted {found.get('expected')}, got {found.get('actual')}"


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """Whether as many requests matched as wanted; true in a boolean context when so."""

    satisfied: bool = member(bool)
    count: int = member(whole)
    matched: tuple[Any, ...] = member(lambda value: tuple(value or ()))
    near_misses: tuple[NearMiss, ...] = member(list_of(NearMiss))

    def __bool__(self) -> bool:
        return self.satisfied


@dataclass(frozen=True, slots=True)
class Advanced:
    """A manual clock went forwards to ``now``: ``fired`` steps, and the pushes that fell due.

    ``complete`` is False when a limit was reached first; the rest waits for the next advance.
    """

    now: datetime = member(instant)
    fired: int = member(whole)
    callbacks: tuple[Callback, ...] = member(list_of(Callback))
    complete: bool = member(lambda value: value is not False)
    next_due: datetime | None = member(optional(instant))


@dataclass(frozen=True, slots=True)
class Sent:
    """One request of a test call. ``status`` and ``reply`` are what came back; None, and ``error`` why, if nothing did.

    ``entry`` is its journal entry.
    """

    method: str = member(text)
    path: str = member(text)
    status: int | None = member(optional(whole))
    reply: str | None = member(optional(text))
    error: str | None = member(optional(text))
    entry: int | None = member(optional(whole))


@dataclass(frozen=True, slots=True)
class Placed:
    """A test call: what went over the traffic port, and the ids of the calls that it placed."""

    exchanges: tuple[Sent, ...] = member(list_of(Sent))
    calls: tuple[str, ...] = member(texts)
    document: Mapping[str, Any] = original()
