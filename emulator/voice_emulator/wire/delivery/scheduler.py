"""Runs what is due: by timers on running clocks, by advancing manual ones, and by workers that send pushes.

Each tenant has one timer, for the next thing due. The number of workers is limited; pushes that wait for one stay in
the tenants' outboxes, in order.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.listeners import Listener
from voice_emulator.core.tenants import Tenant
from voice_emulator.wire.delivery.attempting import Delivery

log = logging.getLogger(__name__)

#: Pushes on the wire at once, over all tenants and receivers.
IN_FLIGHT_LIMIT = 1_024
#: Pushes that start at once. If receivers answer quickly, more gain nothing and cost connections; if they do not, as
#: many are added every PAUSE seconds, up to the limit.
AT_ONCE = 64
PAUSE = 0.005
#: Pushes that must end within a pause for no more to be added, and rounds of the event loop that follow the pause: while
#: the loop runs steps or answers requests, it reads no replies, and receivers are not slow because of that.
PROGRESS = 8
ROUNDS = 8
#: Real seconds. What falls due within them is done together; timers are not more precise.
GRAIN = 0.001
#: Steps per round of the event loop.
BATCH = 500
#: The most callbacks that one advance reports.
REPORTED = 1_000


class AdvanceBusy(Exception):
    """Another advance of the same tenant is running."""


@dataclass(slots=True)
class Advanced:
    """What an advance did; ``complete`` is False when the wall limit ended it early."""

    now: int
    fired: int = 0
    callbacks: list[Attempt] = field(default_factory=list)
    complete: bool = True


class Driver(Listener):
    """Drives the engines of all tenants."""

    def __init__(self, delivery: Delivery, limit: int = IN_FLIGHT_LIMIT) -> None:
        """Send with ``delivery``, at most ``limit`` pushes at once."""
        self._delivery = delivery
        self._limit = limit
        self._timers: dict[str, tuple[Tenant, int, asyncio.Handle]] = {}
        self._ready: deque[Tenant] = deque()
        self._waiting: set[str] = set()
        self._workers: set[asyncio.Task[None]] = set()
        self._more: asyncio.Handle | None = None
        self._ended = 0
        self._sending: dict[asyncio.Task[None], tuple[Tenant, int]] = {}
        self._advancing: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    def open(self) -> None:
        """Start; needs the running loop."""
        self._loop = asyncio.get_running_loop()

    def tenant_opened(self, tenant: Tenant) -> None:
        """Set a timer for what is pending already."""
        due = tenant.engine.next_due()
        if due is not None:
            self.due_earlier(tenant, due)

    def tenant_clearing(self, tenant: Tenant) -> None:
        """Cancel the timer and the open pushes of a tenant."""
        timer = self._timers.pop(tenant.id, None)
        if timer is not None:
            timer[2].cancel()
        for worker, (owner, _) in list(self._sending.items()):
            if owner is tenant:
                worker.cancel()

    @property
    def in_flight(self) -> int:
        """Pushes that are being sent."""
        return len(self._sending)

    def stop(self) -> None:
        """Start nothing new; what is on the wire goes on."""
        self._stopping = True
        for _, _, handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        if self._more is not None:
            self._more.cancel()

    async def some_ended(self, seconds: float) -> None:
        """Wait until a worker has sent its last push, at most ``seconds`` of real time."""
        if self._workers:
            await asyncio.wait(self._workers, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(seconds)

    async def close(self, grace: float) -> None:
        """Start nothing new, give pushes in flight ``grace`` real seconds, then cancel them."""
        self.stop()
        if self._workers and grace > 0:
            await asyncio.wait(self._workers, timeout=grace)
        for worker in list(self._workers):
            worker.cancel()
        if self._workers:
            await asyncio.wait(self._workers, timeout=1)

    # --- running clocks ----------------------------------------------------------------------

    def due_earlier(self, tenant: Tenant, due: int) -> None:
        """Set the tenant's timer."""
        if self._loop is None or self._stopping or tenant.closed:
            return
        delay = tenant.clock.wall_delay(due)
        armed = self._timers.get(tenant.id)
        if armed is not None:
            armed[2].cancel()
            del self._timers[tenant.id]
        if delay is not None:
            handle = self._loop.call_later(delay + GRAIN if delay else 0, self._fire, tenant)
            self._timers[tenant.id] = (tenant, due, handle)

    def clock_jumped(self) -> None:
        """Set all timers again: they count real seconds and would be late."""
        if self._loop is not None and not self._stopping:
            self._loop.call_soon(self._rearm)

    def _rearm(self) -> None:
        for tenant, due, _ in list(self._timers.values()):
            self.due_earlier(tenant, due)

    def _fire(self, tenant: Tenant) -> None:
        self._timers.pop(tenant.id, None)
        if tenant.closed or self._stopping or tenant.clock.manual:
            return
        tenant.engine.fire(tenant.now, BATCH)
        following = tenant.engine.next_due()
        if following is None:
            tenant.outbox.release_if_idle()
        elif tenant.id not in self._timers:
            self.due_earlier(tenant, following)

    def push_due(self, tenant: Tenant) -> None:
        """Have a worker take the push; an advance of a manual clock sends its own."""
        if tenant.clock.manual or self._stopping or self._loop is None:
            return
        if tenant.id not in self._waiting:
            self._waiting.add(tenant.id)
            self._ready.append(tenant)
        if len(self._workers) < min(AT_ONCE, self._limit):
            self._add_workers(1)
        elif self._more is None:
            self._ended = 0
            self._more = self._loop.call_later(PAUSE, self._add_more, ROUNDS)

    def _add_workers(self, count: int) -> None:
        for _ in range(min(count, self._limit - len(self._workers))):
            worker = asyncio.ensure_future(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def _add_more(self, rounds: int) -> None:
        """Pushes still wait after so many more rounds: add workers, unless those in flight end quickly."""
        self._more = None
        if not self._ready or self._stopping or self._loop is None:
            return
        if rounds and self._ended < PROGRESS:
            self._more = self._loop.call_soon(self._add_more, rounds - 1)
            return
        if self._ended < PROGRESS:
            self._add_workers(AT_ONCE)
        self._ended = 0
        self._more = self._loop.call_later(PAUSE, self._add_more, ROUNDS)

    async def _work(self) -> None:
        """Send due pushes, one tenant after the other, until none is left."""
        me = asyncio.current_task()
        if me is None:
            return
        while self._ready and not self._stopping:
            tenant = self._ready.popleft()
            push = tenant.outbox.take()
            if push is None:
                self._waiting.discard(tenant.id)
                continue
            if tenant.outbox.due:
                self._ready.append(tenant)
            else:
                self._waiting.discard(tenant.id)
            generation = tenant.resets
            self._sending[me] = (tenant, generation)
            try:
                await self._delivery.attempt(tenant, push)
            except asyncio.CancelledError:
                if not (tenant.closed or tenant.resets != generation) or self._stopping:
                    raise
                me.uncancel()
            finally:
                self._sending.pop(me, None)
                self._ended += 1

    # --- pushes that a caller waits for ------------------------------------------------------------

    async def push_all(self, tenant: Tenant) -> None:
        """Send everything due now in order, and wait for it."""
        await self._drain(tenant, Advanced(tenant.now))

    # --- clocks that stand --------------------------------------------------------------------

    async def advance(
        self, tenant: Tenant, *, to: int | None = None, until_idle: bool = False, wall_limit: float = 30.0
    ) -> Advanced:
        """Advance a manual clock, one thing due after the other, waiting for each push.

        ``to`` is an instant, None for the next thing due; with ``until_idle`` it stops early once nothing is pending,
        at ``to`` at the latest. ``wall_limit`` is in real seconds. Raises AdvanceBusy, and ClockError when the clock
        is not manual or ``to`` is in the past.
        """
        if tenant.id in self._advancing:
            raise AdvanceBusy(f"tenant {tenant.id!r} is already being advanced")
        self._advancing.add(tenant.id)
        try:
            return await self._advance(tenant, to, until_idle, wall_limit)
        finally:
            self._advancing.discard(tenant.id)

    async def _advance(self, tenant: Tenant, to: int | None, until_idle: bool, wall_limit: float) -> Advanced:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wall_limit
        engine, outbox = tenant.engine, tenant.outbox
        following = engine.next_due()
        target = to if to is not None else max(following or 0, tenant.now)
        # Refuses a running clock, and a target in the past, before anything happens.
        tenant.clock.check_advance(target)
        done = Advanced(tenant.now)
        generation = tenant.resets
        while tenant.steps.begin_more():  # noqa: ASYNC110 - each round lets some of them begin
            await asyncio.sleep(0)
        while True:
            await self._drain(tenant, done)
            following = engine.next_due()
            if following is None:
                outbox.release_if_idle()
                if outbox.due or engine:
                    continue
                break
            if following > target or tenant.closed or tenant.resets != generation:
                break
            if loop.time() > deadline:
                done.complete = False
                break
            if following > tenant.now:
                tenant.clock.advance_to(following)
            done.fired += engine.fire(tenant.now, at_most=1)
            if done.fired % 256 == 0:
                await asyncio.sleep(0)
        if done.complete and not until_idle and tenant.resets == generation and not tenant.closed:
            tenant.clock.advance_to(target)
        done.now = tenant.now
        tenant.events.publish("clock", tenant.now, tenant.clock, "advanced")
        return done

    async def _drain(self, tenant: Tenant, done: Advanced) -> None:
        while (push := tenant.outbox.take()) is not None:
            attempt = await self._delivery.attempt(tenant, push)
            if len(done.callbacks) < REPORTED:
                done.callbacks.append(attempt)
