"""The objects of the control API (INTERFACE section 4), each declared once: rendered, described and read from here.

To the client, instants are aware datetimes on the tenant's clock, money is Decimal, and ``document`` is the JSON object
as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from voice_emulator.core.members import (
    COUNT,
    FLAG,
    FLAG_SET,
    INSTANT,
    MONEY,
    NUMBER,
    OBJECT,
    PAIRS,
    TEXT,
    WHOLE,
    Shape,
    list_of,
    mapping_of,
    member,
    object_of,
    original,
    words,
)
from voice_emulator.core.vocabulary import Outcome, Party, PushOutcome, State

#: How the client learned of a call's end, or how its newest push went.
RECEIPT_WORDS = (*PushOutcome, "reconciled", "none")
ENTRY_KINDS = ("request", "callback", "violation", "system")
SEVERITIES = ("error", "warning")


@dataclass(frozen=True, slots=True)
class Health(Shape):
    """Both ports serve. ``traffic`` is the base URL of the providers, empty if the emulator does not tell."""

    status: str = member(TEXT.but(const="ok"))
    version: str = member(TEXT)
    scenario: str = member(TEXT)
    traffic: str = member(TEXT)


@dataclass(frozen=True, slots=True)
class Node(Shape):
    """A replica: its control port as the others reach it, its traffic port, and the ids of the tenants that it owns.

    One that did not answer (``answers``) has neither traffic port nor version nor tenants.
    """

    name: str = member(TEXT)
    url: str = member(TEXT)
    traffic: str = member(TEXT)
    version: str = member(TEXT)
    answers: bool = member(FLAG)
    tenants: tuple[str, ...] = member(list_of(TEXT))


@dataclass(frozen=True, slots=True)
class MutantState(Shape):
    """The way in which the providers are wrong, laid over every scenario; ``name`` is null when they are right.

    ``provider`` is the only one that is wrong, null for all that the mutant applies to. ``acted`` says how often that made
    a difference, ``requests`` how many requests came, by provider; both since it was put in force.
    """

    name: str = member(TEXT.or_empty)
    provider: str = member(TEXT.or_empty)
    acted: int = member(COUNT)
    requests: Mapping[str, int] = member(mapping_of(COUNT))


@dataclass(frozen=True, slots=True)
class ShippedScenario(Shape):
    """A scenario that comes with the emulator."""

    name: str = member(TEXT)
    description: str = member(TEXT)


@dataclass(frozen=True, slots=True)
class Tenant(Shape):
    """One customer of all providers; credentials and settings by provider."""

    id: str = member(TEXT)
    scenario: str = member(TEXT)
    seed: int = member(WHOLE)
    clock: str = member(TEXT, "real, manual, or a speed such as 60x.")
    now: datetime = member(INSTANT)
    callback_urls: Mapping[str, str] = member(mapping_of(TEXT))
    credentials: Mapping[str, Mapping[str, Any]] = member(mapping_of(OBJECT))
    settings: Mapping[str, Mapping[str, Any]] = member(mapping_of(OBJECT))
    document: Mapping[str, Any] = original()

    @property
    def manual(self) -> bool:
        """Whether time stands still until somebody advances it."""
        return self.clock == "manual"


@dataclass(frozen=True, slots=True)
class Billing(Shape):
    """What a call cost: ``cycles`` of ``cycle`` seconds each."""

    cycle: int = member(COUNT)
    cycles: int = member(COUNT)
    unit_price: Decimal = member(MONEY)
    basic_price: Decimal = member(MONEY)
    charge: Decimal = member(MONEY)


@dataclass(frozen=True, slots=True)
class TimelineStep(Shape):
    """One thing that happened to a call."""

    at: datetime = member(INSTANT)
    event: str = member(TEXT)
    detail: str = member(TEXT)


@dataclass(frozen=True, slots=True)
class Call(Shape):
    """One dialled number. What is known only at the end is null before.

    ``provider_id`` is the id that the provider gave it, ``receipt`` how the client learned of its end, or
    how the newest push went; ``references`` are other ids that the client may know it by.
    """

    id: str = member(TEXT)
    provider: str = member(TEXT)
    operation: str = member(TEXT)
    number: str = member(TEXT)
    caller: str = member(TEXT.or_empty)
    state: str = member(words(State))
    outcome: str | None = member(words(Outcome).or_none)
    cause: str | None = member(TEXT.or_none)
    ended_by: str | None = member(words(Party).or_none)
    submitted_at: datetime = member(INSTANT)
    ring_at: datetime | None = member(INSTANT.or_none)
    answered_at: datetime | None = member(INSTANT.or_none)
    ended_at: datetime | None = member(INSTANT.or_none)
    talk_seconds: int = member(COUNT.or_empty)
    keys: str = member(TEXT.or_empty)
    billing: Billing | None = member(object_of(Billing).or_none)
    provider_id: str = member(TEXT.or_empty)
    batch_id: str = member(TEXT.or_empty)
    references: tuple[str, ...] = member(list_of(TEXT))
    rule: str | None = member(TEXT.or_none)
    receipt: str = member(words(RECEIPT_WORDS))
    timeline: tuple[TimelineStep, ...] = member(list_of(TimelineStep))
    document: Mapping[str, Any] = original()


@dataclass(frozen=True, slots=True)
class Callback(Shape):
    """One attempt to push a receipt, and what the receiver answered. ``fields`` are the receipt's.

    Where a provider puts several receipts into one push, ``call_ids`` and ``numbers`` are of all of them, and
    ``receipts`` has the fields of each; ``call_id``, ``number`` and ``fields`` are those of the first.
    """

    id: str = member(TEXT)
    call_id: str | None = member(TEXT.or_none)
    call_ids: tuple[str, ...] = member(list_of(TEXT))
    number: str | None = member(TEXT.or_none)
    numbers: tuple[str, ...] = member(list_of(TEXT))
    provider: str = member(TEXT)
    kind: str = member(TEXT)
    attempt: int = member(WHOLE.but(minimum=1))
    label: str = member(TEXT, "Which push it was, and which attempt of it.")
    at: datetime = member(INSTANT)
    url: str | None = member(TEXT.or_none)
    method: str = member(TEXT)
    headers: list[list[str]] = member(PAIRS)
    body: str = member(TEXT)
    fields: Mapping[str, Any] = member(OBJECT)
    receipts: tuple[Mapping[str, Any], ...] = member(list_of(OBJECT))
    faults: tuple[str, ...] = member(list_of(TEXT))
    outcome: str = member(words(PushOutcome))
    reason: str = member(TEXT)
    status: int | None = member(WHOLE.or_none)
    reply: str | None = member(TEXT.or_none)
    duration_ms: float | None = member(NUMBER)
    rule: str | None = member(TEXT.or_none)
    document: Mapping[str, Any] = original()

    @property
    def delivered(self) -> bool:
        """Whether the receiver acknowledged as the provider expects."""
        return self.outcome == "delivered"


@dataclass(frozen=True, slots=True)
class Violation(Shape):
    """Where the client under test broke the contract; ``entry`` is the journal entry that shows it."""

    rule: str = member(TEXT)
    severity: str = member(words(SEVERITIES))
    provider: str = member(TEXT)
    operation: str = member(TEXT)
    entry: int | None = member(WHOLE.or_none)
    call_id: str | None = member(TEXT.or_none)
    message: str = member(TEXT)
    source: str = member(TEXT)
    at: datetime | None = member(INSTANT.or_none)
    document: Mapping[str, Any] = original()

    def __str__(self) -> str:
        place = f" (journal entry {self.entry})" if self.entry is not None else ""
        where = ".".join(part for part in (self.provider, self.operation) if part)
        return f"{self.severity} {self.rule} {where}{place}: {self.message} [{self.source}]"


@dataclass(frozen=True, slots=True)
class ReceivedRequest(Shape):
    """A request as it arrived; ``target`` is path and query. Rows have only method and path."""

    method: str = member(TEXT)
    path: str = member(TEXT)
    target: str = member(TEXT, optional=True)
    headers: list[list[str]] = member(PAIRS, optional=True)
    encoding: str = member(TEXT, optional=True)
    fields: Mapping[str, Any] = member(OBJECT, optional=True)
    body: str = member(TEXT, optional=True)
    peer: str = member(TEXT, optional=True)


@dataclass(frozen=True, slots=True)
class SentReply(Shape):
    """A reply as it went on the wire; ``note`` says why none did. Rows have only the status."""

    status: int | None = member(WHOLE.or_none)
    headers: list[list[str]] = member(PAIRS, optional=True)
    body: str = member(TEXT, optional=True)
    note: str = member(TEXT, optional=True)


@dataclass(frozen=True, slots=True)
class RequestProblem(Shape):
    """What was wrong with a request; ``code`` is the provider's own."""

    code: str = member(TEXT)
    place: str = member(TEXT)
    message: str = member(TEXT)


@dataclass(frozen=True, slots=True)
class ActingRules(Shape):
    """Names of the rules that made the reply, and that disturbed it."""

    reply: str | None = member(TEXT.or_none)
    fault: str | None = member(TEXT.or_none)


@dataclass(frozen=True, slots=True)
class JournalEntry(Shape):
    """One line of the journal: a request's parts in the entry itself, else under its kind."""

    id: int = member(WHOLE)
    kind: str = member(words(ENTRY_KINDS))
    at: datetime = member(INSTANT)
    provider: str = member(TEXT.or_empty, optional=True)
    operation: str = member(TEXT.or_empty, optional=True)
    attributed: bool = member(FLAG_SET, optional=True)
    request: ReceivedRequest = member(object_of(ReceivedRequest), optional=True)
    numbers: tuple[str, ...] = member(list_of(TEXT), optional=True)
    number_count: int = member(COUNT, optional=True)
    violations: tuple[RequestProblem, ...] = member(list_of(RequestProblem), optional=True)
    rule: ActingRules = member(object_of(ActingRules), optional=True)
    fault: str | None = member(TEXT.or_none, optional=True)
    code: str | None = member(TEXT.or_none, optional=True)
    refused: bool = member(FLAG, optional=True)
    reply: SentReply | None = member(object_of(SentReply).or_none, optional=True)
    calls: tuple[str, ...] = member(list_of(TEXT), optional=True)
    duration_ms: float | None = member(NUMBER, optional=True)
    why: tuple[str, ...] = member(list_of(TEXT), optional=True)
    fix: tuple[str, ...] = member(list_of(TEXT), optional=True)
    words: tuple[str, ...] = member(list_of(TEXT), optional=True)
    callback: Callback | None = member(object_of(Callback), optional=True)
    violation: Violation | None = member(object_of(Violation), optional=True)
    system: Mapping[str, Any] = member(OBJECT, optional=True)


@dataclass(frozen=True, slots=True)
class Difference(Shape):
    """One thing that did not fit."""

    place: str = member(TEXT)
    expected: str = member(TEXT)
    actual: str = member(TEXT)

    def __str__(self) -> str:
        return f"{self.place}: wanted {self.expected}, got {self.actual}"


@dataclass(frozen=True, slots=True)
class NearMiss(Shape):
    """A request that nearly matched, by its journal entry."""

    id: int = member(WHOLE)
    differences: tuple[Difference, ...] = member(list_of(Difference))

    def __str__(self) -> str:
        return f"entry {self.id}: " + "; ".join(map(str, self.differences))


@dataclass(frozen=True, slots=True)
class VerifyResult(Shape):
    """Whether as many requests matched as wanted; true in a boolean context when so."""

    satisfied: bool = member(FLAG)
    count: int = member(COUNT)
    matched: tuple[int, ...] = member(list_of(WHOLE))
    near_misses: tuple[NearMiss, ...] = member(list_of(NearMiss))

    def __bool__(self) -> bool:
        return self.satisfied


@dataclass(frozen=True, slots=True)
class Advanced(Shape):
    """A manual clock went forwards to ``now``: ``fired`` steps, and the pushes that fell due.

    ``complete`` is False when a limit was reached first; the rest waits for the next advance.
    """

    now: datetime = member(INSTANT)
    fired: int = member(COUNT)
    callbacks: tuple[Callback, ...] = member(list_of(Callback, maxItems=1000))
    complete: bool = member(FLAG_SET)
    next_due: datetime | None = member(INSTANT.or_none, "The next thing due, if anything is.")


@dataclass(frozen=True, slots=True)
class Sent(Shape):
    """One request of a test call. ``status`` and ``reply`` are what came back; null, and ``error`` why, if nothing did.

    ``entry`` is its journal entry.
    """

    method: str = member(TEXT)
    path: str = member(TEXT)
    status: int | None = member(WHOLE.or_none)
    reply: str | None = member(TEXT.or_none)
    error: str | None = member(TEXT.or_none)
    entry: int | None = member(WHOLE.or_none)


@dataclass(frozen=True, slots=True)
class Placed(Shape):
    """A test call: what went over the traffic port, and the ids of the calls that it placed."""

    exchanges: tuple[Sent, ...] = member(list_of(Sent))
    calls: tuple[str, ...] = member(list_of(TEXT))
    document: Mapping[str, Any] = original()


SHAPES: tuple[type[Shape], ...] = (
    Health, Node, MutantState, ShippedScenario, Tenant, Billing, TimelineStep, Call, Callback, Violation, ReceivedRequest,
    SentReply, RequestProblem, ActingRules, JournalEntry, Difference, NearMiss, VerifyResult, Advanced, Sent, Placed,
)  # fmt: skip
