"""What the routes of the control API work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from voice_emulator.core.tenants import DEFAULT_TENANT
from voice_emulator.wire.control.long_poll import Waiters
from voice_emulator.wire.control.metrics import Metrics
from voice_emulator.wire.control.problems import ControlError
from voice_emulator.wire.runtime import Runtime

if TYPE_CHECKING:
    from voice_emulator.wire.control.event_stream import Streams

T = TypeVar("T")
#: Real seconds that streams and long polls are given to end when the emulator stops.
CLOSING = 1.0


class ControlServices:
    """The running emulator, and what the control port itself keeps: long polls, event streams, metrics, tasks."""

    def __init__(self, runtime: Runtime) -> None:
        """Work on ``runtime``, which needs no tenant yet."""
        self.runtime = runtime
        self.waiters = Waiters()
        self.metrics = Metrics(runtime)
        self.metrics.subscribers = lambda: self.streams.subscribers
        #: Makes the OpenAPI document of the control API; the server, which has the routes, sets it.
        self.document: Callable[[], dict[str, Any]] = dict
        #: Makes ``/llms.txt``; the server sets it, too.
        self.guide: Callable[[], str] = str
        self._kept: set[asyncio.Task[Any]] = set()

    @cached_property
    def streams(self) -> Streams:
        """The open event streams."""
        from voice_emulator.wire.control.event_stream import Streams

        return Streams(self.runtime.providers, self.waiters)

    def health(self, path: str) -> dict[str, str]:
        """The members of :class:`voice_emulator.core.shapes.Health`.

        Raises ControlError 503 while starting or stopping; at ``/readyz`` also while a store that replicas share does not
        answer.
        """
        runtime = self.runtime
        if not runtime.ready:
            raise ControlError(503, "the emulator is starting or stopping")
        if path == "/readyz" and runtime.ownership is not None and not runtime.ownership.reachable:
            raise ControlError(503, "the store does not answer")
        # Another replica may own the tenant; a probe asks nobody.
        default = runtime.tenancy.get(DEFAULT_TENANT)
        scenario = (default.scenario if default is not None else runtime.start_scenario).name
        # A client that knows the control port alone finds the providers by "traffic".
        return {
            "status": "ok", "version": runtime.version, "scenario": scenario, "traffic": runtime.traffic
        }  # fmt: skip

    def keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Run ``work`` to its end even if the client that waits for it goes away."""
        task = asyncio.ensure_future(work)
        self._kept.add(task)
        task.add_done_callback(self._let_go)
        return asyncio.shield(task)

    def _let_go(self, task: asyncio.Task[Any]) -> None:
        self._kept.discard(task)
        if not task.cancelled():
            # Whoever waits hears of it too; marked as seen for when nobody does any more.
            task.exception()

    async def close(self) -> None:
        """End all streams and long polls, and what was kept running."""
        self.waiters.close()
        await self.waiters.all_gone(CLOSING)
        for task in tuple(self._kept):
            task.cancel()
        if self._kept:
            await asyncio.wait(tuple(self._kept), timeout=CLOSING)
