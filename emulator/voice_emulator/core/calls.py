"""A call: how it was placed, what has happened to it, and what it costs.

Any step that :data:`voice_emulator.core.vocabulary.TRANSITIONS` does not list is a :class:`CallError`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from voice_emulator.core.billing import Bill, bill
from voice_emulator.core.placing import Submission
from voice_emulator.core.plan import Plan
from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.core.vocabulary import TRANSITIONS, Fate, Outcome, Party, State, Step


class CallError(Exception):
    """The state of the call does not allow this step."""


class Call:
    """One dialled number of one submission.

    ``ordinal`` says which call to this number it is, from 1. Instants are microseconds on the tenant's clock, None
    until they happen. ``provider_id`` is the id that the customer knows, ``batch_id`` that of the whole submission.
    ``record`` is the number of the call's record (:meth:`Ledger.number_record`), 0 until it has one. ``details`` is
    the provider's own data of this call; ``submission`` is shared by all calls of a request.
    """

    __slots__ = (
        "answered_at", "bill", "details", "dialled_at", "effect", "ended_at", "fate", "id",
        "marks", "number", "open_pushes", "ordinal", "plan", "provider_id", "query_from", "receipt_rule",
        "record", "ring_at", "rule", "state", "submission", "submitted_at",
    )  # fmt: skip

    def __init__(
        self, id: str, number: str, ordinal: int, submission: Submission, plan: Plan, submitted_at: int
    ) -> None:
        self.id = id
        self.number = number
        self.ordinal = ordinal
        self.submission = submission
        self.plan = plan
        self.submitted_at = submitted_at
        self.state = State.QUEUED
        self.dialled_at: int | None = None
        self.ring_at: int | None = None
        self.answered_at: int | None = None
        self.ended_at: int | None = None
        self.bill: Bill | None = None
        self.provider_id = ""
        self.record = 0
        self.rule: str | None = None
        self.effect: ReceiptEffect | None = None
        self.details: Any = None
        self.query_from: int | None = None
        self.receipt_rule: str | None = None
        # For core/conservation.py: kept here, so that they survive when the ledger forgets the call.
        self.fate = Fate.PENDING
        self.open_pushes = 0
        self.marks = 0

    def drop_cause(self) -> None:
        """Drop a cause that the rule names for another provider."""
        self.plan = replace(self.plan, cause=None)

    def take(self, step: Step, at: int) -> None:
        """Take ``step`` at instant ``at``. Raises CallError if the state does not allow it."""
        following = TRANSITIONS.get((self.state, step))
        if following is None:
            raise CallError(f"call {self.id} is {self.state} and cannot {step}")
        if step is Step.DIAL:
            self.dialled_at = at
        elif step is Step.RING:
            self.ring_at = at
        elif step is Step.ANSWER:
            self.answered_at = at
        else:
            self.ended_at = at
            self.bill = bill(self.submission.tariff, self.answered, self.talk_seconds)
        self.state = following

    @property
    def answered(self) -> bool:
        """Whether the callee picked up."""
        return self.answered_at is not None

    @property
    def dropped(self) -> bool:
        """Whether the call has ended without being dialled."""
        return self.dialled_at is None and self.state is State.ENDED

    @property
    def ended(self) -> bool:
        """Whether the call has ended."""
        return self.state is State.ENDED

    @property
    def outcome(self) -> Outcome | None:
        """How the call ended; None before, and for a call that was dropped."""
        return self.plan.outcome if self.ended and not self.dropped else None

    @property
    def ended_by(self) -> Party | None:
        """Who ended the call; None before, and for a call that was dropped."""
        return self.plan.ended_by if self.ended and not self.dropped else None

    @property
    def talk_seconds(self) -> int:
        """Whole seconds from answer to end; 0 without an answer and before the end."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return (self.ended_at - self.answered_at) // 1_000_000

    @property
    def keys(self) -> str:
        """What the callee pressed, once the call has ended."""
        return self.plan.keys if self.ended and self.answered else ""

    @property
    def provider(self) -> str:
        """Id of the provider."""
        return self.submission.provider

    @property
    def operation(self) -> str:
        """Name of the operation that placed the call."""
        return self.submission.operation

    @property
    def caller(self) -> str:
        """The caller number shown to the callee."""
        return self.submission.caller

    @property
    def batch_id(self) -> str:
        """The provider's id of the submission, empty if it has none."""
        return self.submission.batch_id
