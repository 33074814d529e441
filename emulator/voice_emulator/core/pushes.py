"""Pushes: receipts on their way to the customer, attempt by attempt.

This module decides when a push is due and whether it is held back or tried again.
:mod:`voice_emulator.wire.delivery` sends it and reports the outcome to :meth:`Outbox.settle`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.engine import Engine
from voice_emulator.core.listeners import Listeners
from voice_emulator.core.placing import Batch
from voice_emulator.core.scenario import ONCE, PLAIN_RECEIPT, ReceiptEffect, Retry
from voice_emulator.core.values import plain_record
from voice_emulator.core.vocabulary import PushOutcome, Step


@plain_record
class Push:
    """One copy of one receipt. ``subject`` is the call it reports, or another object of the provider.

    ``step`` is what happened to the call, ``attempt`` counts from 1, ``copy`` from 0; ``held`` is how many other pushes
    still have to overtake it. ``by_hand`` marks a push that a user asked for: no rule acts on it. ``batch`` is how it may
    share a push; ``others`` are the receipts that travel with it, in order.
    """

    id: str
    provider: str
    kind: str
    subject: Any
    call: Call | None
    due: int
    effect: ReceiptEffect = PLAIN_RECEIPT
    rule: str | None = None
    retry: Retry = ONCE
    step: Step = Step.END
    attempt: int = 1
    copy: int = 0
    held: int = 0
    by_hand: bool = False
    acknowledged: bool = False
    batch: Batch | None = None
    others: tuple[Push, ...] = ()

    @property
    def parts(self) -> tuple[Push, ...]:
        """The receipts of this push: itself, and the others that travel with it."""
        return (self, *self.others)

    @property
    def calls(self) -> Iterator[Call]:
        """The calls that it reports; one that two of its receipts report comes twice."""
        return (part.call for part in self.parts if part.call is not None)

    @property
    def by_rule(self) -> str | None:
        """The rule that acted on it, or on the first of its receipts that one acted on."""
        return next((part.rule for part in self.parts if part.rule is not None), None)

    def label(self, attempt: int) -> str:
        """Which push it is, and which attempt of it: ``voice, copy 2 of 3, attempt 1``."""
        copies = self.effect.copies
        copy = f", copy {self.copy + 1} of {copies}" if copies > 1 and not self.by_hand else ""
        company = f", {1 + len(self.others)} receipts" if self.others else ""
        return f"{self.kind}{copy}{company}{', by hand' if self.by_hand else ''}, attempt {attempt}"


class Outbox:
    """The pushes of one tenant that are due, held back, or being sent."""

    __slots__ = ("_engine", "_listeners", "due", "gathered", "held", "in_flight", "next_copies")

    def __init__(self, engine: Engine, listeners: Listeners | None = None) -> None:
        self._engine = engine
        self._listeners = listeners or Listeners()
        #: Pushes to send now, in order.
        self.due: deque[Push] = deque()
        #: Pushes being sent, by (push id, attempt).
        self.in_flight: dict[tuple[str, int], Push] = {}
        #: Pushes held back until others have overtaken them.
        self.held: list[Push] = []
        #: Receipts that wait for others to share a push with, by what those must have in common.
        self.gathered: dict[Hashable, list[Push]] = {}
        #: Called with each copy that falls due for the first time, to schedule the copies after it.
        self.next_copies: Callable[[Push], None] | None = None

    def schedule(self, push: Push) -> None:
        """Have ``push`` sent at its due instant."""
        self._engine.schedule(push.due, self._fall_due, push)
        for told in self._listeners.push_scheduled:
            told(push)

    def push_now(self, push: Push) -> None:
        """Have ``push`` sent at once, whatever its effects say."""
        self.due.append(push)
        for told in self._listeners.push_due:
            told()

    def take(self) -> Push | None:
        """The next push to send, which is then in flight; None when nothing is due."""
        if not self.due:
            return None
        push = self.due.popleft()
        self.in_flight[push.id, push.attempt] = push
        return push

    def settle(self, push: Push, outcome: PushOutcome, now: int) -> None:
        """End the attempt in flight, and schedule the next one if there is a retry.

        A push that was lost, blocked or has no receiver is not tried again: nothing would change.
        """
        self.in_flight.pop((push.id, push.attempt), None)
        if outcome is PushOutcome.DELIVERED:
            push.acknowledged = True
            for part in push.others:
                part.acknowledged = True
        elif outcome in (PushOutcome.REFUSED, PushOutcome.FAILED) and push.attempt < push.retry.attempts:
            wait = push.retry.waits[push.attempt - 1]
            push.attempt += 1
            push.due = now + wait
            self.schedule(push)
        if self.held:
            self.release_if_idle()

    def release_if_idle(self) -> None:
        """Release held pushes when nothing else is pending."""
        if self.held and not self._engine and not self.due and not self.in_flight:
            held, self.held = self.held, []
            for push in held:
                self._leave(push, push.due)

    @property
    def idle(self) -> bool:
        """Whether nothing is due, held or in flight."""
        return not (self.due or self.held or self.gathered or self.in_flight)

    def clear(self) -> None:
        """Forget all pushes; the attempts in flight are not reported any more."""
        self.due.clear()
        self.held.clear()
        self.gathered.clear()
        self.in_flight.clear()

    def _fall_due(self, push: Push, due: int) -> None:
        if push.effect.copies > 1 and push.attempt == 1 and not push.by_hand and self.next_copies is not None:
            self.next_copies(push)
        if push.effect.hold and push.attempt == 1 and push.held == 0 and not push.by_hand:
            push.held = push.effect.hold
            self.held.append(push)
            # If nothing else is scheduled, nothing will ever overtake it.
            self.release_if_idle()
            return
        self._leave(push, due)
        if self.held:
            self._overtaken(due)

    def _leave(self, push: Push, now: int) -> None:
        """Have ``push`` sent, by itself or with others; what is tried again has its company already."""
        batch, effect = push.batch, push.effect
        if batch is None or batch.most < 2 or push.attempt > 1 or effect.lost or effect.before_reply:
            self.push_now(push)
            return
        named = push.call.submission.callback_url if push.call is not None else None
        key = (push.provider, push.kind, push.retry, batch, named, effect.manner)
        parts = self.gathered.get(key)
        if parts is None:
            parts = self.gathered[key] = []
            self._engine.schedule(now + batch.wait, self._complete, (key, parts))
        parts.append(push)
        if len(parts) >= batch.most:
            self._complete((key, parts), now)

    def _complete(self, gathered: tuple[Hashable, list[Push]], due: int) -> None:
        key, parts = gathered
        if self.gathered.get(key) is not parts:
            return  # it was full before its time
        del self.gathered[key]
        first, *others = parts
        first.others, first.due = tuple(others), due
        self.push_now(first)

    def _overtaken(self, now: int) -> None:
        waiting = []
        for push in self.held:
            push.held -= 1
            if push.held <= 0:
                self._leave(push, now)
            else:
                waiting.append(push)
        self.held = waiting
