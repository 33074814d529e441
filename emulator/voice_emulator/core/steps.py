"""The steps of calls on the tenant's clock: dial, ring, answer, end, report.

Each step schedules the next one, so a pending call takes one heap entry.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from voice_emulator.core.calls import Call
from voice_emulator.core.conservation import Conservation
from voice_emulator.core.draws import draw
from voice_emulator.core.engine import Action, Engine
from voice_emulator.core.events import Events
from voice_emulator.core.ledger import Ledger
from voice_emulator.core.listeners import Listeners
from voice_emulator.core.placing import ReceiptPlan
from voice_emulator.core.pushes import Outbox, Push
from voice_emulator.core.scenario import PLAIN_RECEIPT, ReceiptEffect
from voice_emulator.core.totals import Totals
from voice_emulator.core.values import plain_record
from voice_emulator.core.vocabulary import State, Step

#: Calls started before others have their turn.
BEGUN_AT_ONCE = 250
#: Copies of a receipt that are scheduled together; the others follow when the last of them falls due.
COPIES_AHEAD = 10


@plain_record
class Dialler:
    """Calls of one provider that wait for a free line."""

    active: int = 0
    waiting: deque[Call] = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class Steps:
    """The scheduled actions of one tenant, on these parts of it; each has the engine's (argument, due) form.

    ``seed`` is kept equal to the tenant's.
    """

    _engine: Engine
    _outbox: Outbox
    _ledger: Ledger
    _totals: Totals
    _conservation: Conservation
    _events: Events
    _listeners: Listeners
    seed: int = 0
    _diallers: dict[str, Dialler] = field(default_factory=dict)
    _beginning: deque[tuple[Call, int]] = field(default_factory=deque)
    _on_answer: Action = field(init=False)
    _on_finish: Action = field(init=False)

    def __post_init__(self) -> None:
        """Let the outbox ask for further copies."""
        self._outbox.next_copies = self._next_copies
        # Bound once, so that the heap entry of a pending call needs no bound method of its own.
        self._on_answer, self._on_finish = self.answer, self.finish

    def clear(self) -> None:
        """Forget the queues."""
        self._diallers.clear()
        self._beginning.clear()

    def start(self, calls: Sequence[Call], now: int) -> None:
        """Start placed calls: at once, at the time the submission names, or when a line is free."""
        for call in calls:
            if call.state is not State.QUEUED:
                continue
            begin = call.submission.start_at
            if begin is not None and begin > now:
                self._engine.schedule(begin, self.enqueue, call)
            else:
                self.enqueue(call, now)

    def begin(self, calls: Sequence[Call], now: int) -> bool:
        """Start ``calls`` and return False, or return True if they are too many for one turn.

        Then :meth:`begin_more` starts them, in order and at the same instant ``now``.
        """
        if not self._beginning and len(calls) <= BEGUN_AT_ONCE:
            self.start(calls, now)
            return False
        self._beginning.extend((call, now) for call in calls)
        return True

    def begin_more(self) -> bool:
        """Start some of the calls left by :meth:`begin`; True if there are more."""
        for _ in range(min(BEGUN_AT_ONCE, len(self._beginning))):
            call, now = self._beginning.popleft()
            self.start((call,), now)
        return bool(self._beginning)

    def waiting(self, provider: str) -> int:
        """How many calls of a provider wait for a free line."""
        dialler = self._diallers.get(provider)
        return len(dialler.waiting) if dialler else 0

    def resume(self, calls: Sequence[Call], now: int) -> None:
        """Continue calls of an earlier process; each pending step keeps its instant.

        Busy lines are counted before any waiting call asks for one.
        """
        schedule = self._engine.schedule
        for call in calls:
            plan = call.plan
            if call.state is State.TALKING:
                schedule((call.answered_at or 0) + (plan.talk or 0), self.finish, call)
            elif call.state is State.RINGING:
                following = self.answer if plan.talk is not None else self.finish
                schedule((call.ring_at or 0) + (plan.ring or 0), following, call)
            elif call.state is State.DIALLING:
                schedule((call.dialled_at or 0) + plan.setup, self.finish, call)
            if call.submission.concurrency is not None and call.state not in (State.QUEUED, State.ENDED):
                self._diallers.setdefault(call.provider, Dialler()).active += 1
        queued = [call for call in calls if call.state is State.QUEUED]
        self.finish_at_once(queued, now)
        for call in queued:
            last, begin = call.submission.drop_at, call.submission.start_at
            if call.state is not State.QUEUED:
                continue
            if last is not None and now >= last:
                self.drop(call, last)
            elif begin is not None:
                schedule(begin, self.enqueue, call)
            else:
                self.enqueue(call, now)

    def finish_at_once(self, calls: Sequence[Call], now: int) -> None:
        """End calls whose receipt must precede the reply: their plan is moved so that they end ``now``."""
        for call in calls:
            if call.effect is None or not call.effect.before_reply:
                continue
            plan = call.plan
            begun = now - plan.span
            call.submitted_at = begun
            call.take(Step.DIAL, begun)
            if plan.ring is not None:
                call.take(Step.RING, begun)
                if plan.talk is not None:
                    call.take(Step.ANSWER, begun + plan.ring)
            self.finish(call, now)

    def enqueue(self, call: Call, due: int) -> None:
        """Dial now, or wait for a line if the submission limits the number of concurrent calls."""
        limit = call.submission.concurrency
        if limit is None:
            self.dial(call, due)
            return
        dialler = self._diallers.setdefault(call.provider, Dialler())
        if dialler.active < limit:
            dialler.active += 1
            self.dial(call, due)
            return
        dialler.waiting.append(call)

    def drop(self, call: Call, due: int) -> None:
        """End a queued call without dialling it: no call and no charge."""
        call.take(Step.END, due)
        if any(plan.dropped for plan in call.submission.receipts):
            self._ledger.number_record(call)
        self._ledger.ended(call)
        self._totals.ended(call)
        self._conservation.ended(call)
        self._events.publish("call", due, call, "dropped")
        for plan in call.submission.receipts:
            if plan.dropped and plan.on is Step.END:
                self._schedule_receipt(call, plan, due)

    def dial(self, call: Call, due: int) -> None:
        """Dial. A phone that rings at all rings at once."""
        plan = call.plan
        call.take(Step.DIAL, due)
        self._announce(call, Step.DIAL, due)
        if plan.ring is None:
            self._engine.schedule(due + plan.setup, self._on_finish, call)
            return
        call.take(Step.RING, due)
        self._announce(call, Step.RING, due)
        following = self._on_answer if plan.talk is not None else self._on_finish
        self._engine.schedule(due + plan.ring, following, call)

    def answer(self, call: Call, due: int) -> None:
        """The callee picks up."""
        call.take(Step.ANSWER, due)
        self._announce(call, Step.ANSWER, due)
        self._engine.schedule(due + (call.plan.talk or 0), self._on_finish, call)

    def finish(self, call: Call, due: int) -> None:
        """End the call and schedule its receipts."""
        call.take(Step.END, due)
        effect = call.effect
        if effect is not None and effect.query_lag is not None:
            call.query_from = due + effect.query_lag.at(self._unit(call, "query_lag"))
        self._ledger.number_record(call)
        self._ledger.ended(call)
        self._totals.ended(call)
        self._conservation.ended(call)
        self._announce(call, Step.END, due)
        # A call whose receipt preceded the reply ended before it could take a line.
        if call.submission.concurrency is not None and not (effect is not None and effect.before_reply):
            self._free_line(call.provider, due)

    def _free_line(self, provider: str, due: int) -> None:
        dialler = self._diallers.get(provider)
        if dialler is None:
            return
        dialler.active -= 1
        while dialler.waiting:
            following = dialler.waiting.popleft()
            last = following.submission.drop_at
            # Checked only when a line is free: a timer per waiting call would keep the tenant from being idle.
            if last is not None and due >= last:
                self.drop(following, last)
            else:
                dialler.active += 1
                self.dial(following, due)
                return

    def _announce(self, call: Call, step: Step, due: int) -> None:
        self._events.publish("call", due, call, step)
        if step is Step.END:
            for told in self._listeners.call_ended:
                told(call, due)
        for plan in call.submission.receipts:
            if plan.on is step:
                self._schedule_receipt(call, plan, due)

    def _schedule_receipt(self, call: Call, plan: ReceiptPlan, due: int) -> None:
        effect = call.effect if plan.ruled and call.effect is not None else PLAIN_RECEIPT
        at = due
        if effect.delay is not None:
            at += effect.delay.at(self._unit(call, "delay"))
        self._schedule_copies(call, plan, effect, at, 0)

    def _schedule_copies(
        self, call: Call, plan: ReceiptPlan, effect: ReceiptEffect, at: int, first: int
    ) -> None:
        """Schedule some copies of a receipt, from ``first`` on, which is due at ``at``."""
        provider = call.submission.provider
        step = "" if plan.on is Step.END else f"-{plan.on.value}"
        for copy in range(first, min(first + COPIES_AHEAD, effect.copies)):
            if copy > first:
                at += self._gap(call, effect, copy)
            push = Push(
                id=f"{call.id}-{plan.kind}{f'-{copy}' if copy else ''}{step}",
                provider=provider,
                kind=plan.kind,
                subject=call,
                call=call,
                due=at,
                effect=effect,
                rule=call.receipt_rule if effect is not PLAIN_RECEIPT else None,
                retry=effect.retry_of(provider) or plan.retry,
                step=plan.on,
                copy=copy,
                batch=plan.batch,
            )
            self._outbox.schedule(push)

    def _gap(self, call: Call, effect: ReceiptEffect, copy: int) -> int:
        return effect.gap.at(self._unit(call, f"gap{copy}")) if effect.gap is not None else 0

    def _next_copies(self, push: Push) -> None:
        """When ``push`` is the last scheduled copy, schedule some more: a rule may ask for very many."""
        call, following = push.call, push.copy + 1
        if call is None or following % COPIES_AHEAD or following >= push.effect.copies:
            return
        for plan in call.submission.receipts:
            if plan.kind == push.kind and plan.on is push.step:
                at = push.due + self._gap(call, push.effect, following)
                self._schedule_copies(call, plan, push.effect, at, following)
                return

    def _unit(self, call: Call, purpose: str) -> float:
        return draw(
            self.seed, call.provider, call.operation, call.number, call.ordinal,
            call.receipt_rule or "", purpose,
        )  # fmt: skip
