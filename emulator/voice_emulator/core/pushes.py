"""Pushes: receipts on their way to the customer, attempt by attempt.

This module decides when a push is due and whether it is held back or tried again.
:mod:`voice_emulator.wire.delivery` sends it and reports the outcome to :meth:`Outbox.settle`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.engine import Engine
from voice_emulator.core.listeners import Listeners
from voice_emulator.core.scenario import ONCE, PLAIN_RECEIPT, ReceiptEffect, Retry
from voice_emulator.core.vocabulary import PushOutcome, Step


@dataclass(slots=True)
class Push:
    """One copy of one receipt. ``subject`` is the call it reports, or another object of the provider.

    ``step`` is what happened to the call, ``attempt`` counts from 1, ``copy`` from 0; ``held`` is how many other pushes
    still have to overtake it. ``by_hand`` marks a push that a user asked for: no rule acts on it.
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

    def label(self, attempt: int) -> str:
        """Which push it is, and which attempt of it: ``voice, copy 2 of 3, attempt 1``."""
        copies = self.effect.copies
        copy = f", copy {self.copy + 1} of {copies}" if copies > 1 and not self.by_hand else ""
        return f"{self.kind}{copy}{', by hand' if self.by_hand else ''}, attempt {attempt}"


class Outbox:
    """The pushes of one tenant that are due, held back, or being sent."""

    __slots__ = ("_engine", "_listeners", "due", "held", "in_flight", "next_copies")

    def __init__(self, engine: Engine, listeners: Listeners | None = None) -> None:
        self._engine = engine
        self._listeners = listeners or Listeners()
        #: Pushes to send now, in order.
        self.due: deque[Push] = deque()
        #: Pushes being sent, by (push id, attempt).
        self.in_flight: dict[tuple[str, int], Push] = {}
        #: Pushes held back until others have overtaken them.
        self.held: list[Push] = []
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
        elif outcome in (PushOutcome.REFUSED, PushOutcome.FAILED) and push.attempt < push.retry.attempts:
            wait = push.retry.waits[push.attempt - 1]
            push.attempt += 1
            push.due = now + wait
            self.schedule(push)
        self.release_if_idle()

    def release_if_idle(self) -> None:
        """Release held pushes when nothing else is pending."""
        if self.held and not self._engine and not self.due and not self.in_flight:
            held, self.held = self.held, []
            for push in held:
                self.push_now(push)

    @property
    def idle(self) -> bool:
        """Whether nothing is due, held or in flight."""
        return not (self.due or self.held or self.in_flight)

    def clear(self) -> None:
        """Forget all pushes; the attempts in flight are not reported any more."""
        self.due.clear()
        self.held.clear()
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
        self.push_now(push)
        self._overtaken()

    def _overtaken(self) -> None:
        if not self.held:
            return
        waiting = []
        for push in self.held:
            push.held -= 1
            if push.held <= 0:
                self.push_now(push)
            else:
                waiting.append(push)
        self.held = waiting
