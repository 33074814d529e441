"""Pushes: one receipt on its way to the customer, attempt by attempt.

This module decides when a push is due, whether it is lost, held or repeated; carrying it over the
network is the rim's work, which reports back with :meth:`Outbox.settle`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.engine import Engine
from voice_emulator.core.scenario import ONCE, PLAIN_RECEIPT, ReceiptEffect, Retry
from voice_emulator.core.vocabulary import Step, Word


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


@dataclass(slots=True)
class Push:
    """One copy of one receipt. ``subject`` is the call it reports, or what else it is about.

    ``step`` is what happened to the call, ``attempt`` counts from 1, ``copy`` from 0, ``held`` how many
    others still have to overtake it. ``by_hand`` marks a push somebody asked for, which no rule touches.
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


class Outbox:
    """Pushes of one tenant that are due, held back, or on the wire."""

    __slots__ = ("_engine", "_held", "due", "in_flight", "next_copies", "on_due", "on_schedule")

    def __init__(self, engine: Engine) -> None:
        """Schedule on ``engine``."""
        self._engine = engine
        #: Pushes to be carried now, in order.
        self.due: deque[Push] = deque()
        #: Pushes being carried, by (push id, attempt).
        self.in_flight: dict[tuple[str, int], Push] = {}
        self._held: list[Push] = []
        #: Told when :attr:`due` has something new.
        self.on_due: Callable[[], None] | None = None
        #: Told of each copy that falls due for the first time, to schedule those that follow it.
        self.next_copies: Callable[[Push], None] | None = None
        #: Told of each push that gets a due instant, the next attempt of one included.
        self.on_schedule: Callable[[Push], None] | None = None

    def schedule(self, push: Push) -> None:
        """Have ``push`` carried at its due instant."""
        self._engine.schedule(push.due, self._fall_due, push)
        if self.on_schedule is not None:
            self.on_schedule(push)

    def push_now(self, push: Push) -> None:
        """Have ``push`` carried at once, past all effects."""
        self._ready(push)

    def take(self) -> Push | None:
        """The next push to carry, which is then in flight; None when nothing is due."""
        if not self.due:
            return None
        push = self.due.popleft()
        self.in_flight[push.id, push.attempt] = push
        return push

    def settle(self, push: Push, outcome: PushOutcome, now: int) -> None:
        """Note how the attempt in flight went, and schedule the next one where the retry says so.

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
        """Let held pushes go when nothing else is pending any more."""
        if self._held and not self._engine and not self.due and not self.in_flight:
            held, self._held = self._held, []
            for push in held:
                self._ready(push)

    @property
    def idle(self) -> bool:
        """Whether nothing is due, held or in flight."""
        return not (self.due or self._held or self.in_flight)

    @property
    def held(self) -> tuple[Push, ...]:
        """Pushes held back until others have overtaken them."""
        return tuple(self._held)

    def clear(self) -> None:
        """Forget everything not yet on the wire; attempts in flight end where nobody looks."""
        self.due.clear()
        self._held.clear()
        self.in_flight.clear()

    def _fall_due(self, push: Push, due: int) -> None:
        if push.effect.copies > 1 and push.attempt == 1 and not push.by_hand and self.next_copies is not None:
            self.next_copies(push)
        if push.effect.hold and push.attempt == 1 and push.held == 0 and not push.by_hand:
            push.held = push.effect.hold
            self._held.append(push)
            # With an empty heap nothing will ever overtake it.
            self.release_if_idle()
            return
        self._ready(push)
        self._overtaken()

    def _ready(self, push: Push) -> None:
        self.due.append(push)
        if self.on_due is not None:
            self.on_due()

    def _overtaken(self) -> None:
        if not self._held:
            return
        waiting = []
        for push in self._held:
            push.held -= 1
            if push.held <= 0:
                self._ready(push)
            else:
                waiting.append(push)
        self._held = waiting
