"""One table of methods for both clients: a flow becomes a method of each, blocking or awaitable."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from voice_emulator.client import observing, operations
from voice_emulator.client.exchange import Flow

__tracebackhide__ = True

P = ParamSpec("P")
T = TypeVar("T")


class Blocking(ABC):
    """Runs a flow to its end in the calling thread."""

    @abstractmethod
    def run(self, flow: Flow[T]) -> T:
        """The result of ``flow``."""


class Awaiting(ABC):
    """Runs a flow to its end in a coroutine."""

    @abstractmethod
    async def run(self, flow: Flow[T]) -> T:
        """The result of ``flow``."""


class _Runner(Protocol):
    def run(self, flow: Flow[T]) -> Any: ...


class Endpoint(Generic[P, T]):
    """A flow as a method: T on a :class:`Blocking` client, a coroutine on an :class:`Awaiting` one."""

    def __init__(self, flow: Callable[P, Flow[T]]) -> None:
        """Make a method of ``flow``, whose signature and docstring it keeps."""
        self._flow = flow

    @overload
    def __get__(self, instance: None, owner: type) -> Callable[P, Flow[T]]: ...
    @overload
    def __get__(self, instance: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, instance: _Runner | None, owner: type) -> Callable[P, Any]:
        flow = self._flow
        if instance is None:
            return flow
        runner = instance

        @functools.wraps(flow)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return runner.run(flow(*args, **kwargs))

        return method


class ControlMethods:
    """The routes of the control API as methods; see :mod:`voice_emulator.client.operations` and ``observing``."""

    health = Endpoint(operations.health)
    wait_ready = Endpoint(operations.wait_ready)
    metrics = Endpoint(operations.metrics)
    guide = Endpoint(operations.guide)
    openapi = Endpoint(operations.openapi)
    scenarios = Endpoint(operations.scenarios)
    scenario = Endpoint(operations.scenario)
    nodes = Endpoint(operations.nodes)
    mutant = Endpoint(operations.mutant)
    put_mutant = Endpoint(operations.put_mutant)

    create_tenant = Endpoint(operations.create_tenant)
    tenants = Endpoint(operations.tenants)
    tenant = Endpoint(operations.tenant)
    change_tenant = Endpoint(operations.change_tenant)
    delete_tenant = Endpoint(operations.delete_tenant)
    load_scenario = Endpoint(operations.load_scenario)
    reset = Endpoint(operations.reset)
    advance = Endpoint(operations.advance)
    place = Endpoint(operations.place)

    calls = Endpoint(observing.calls)
    call = Endpoint(observing.call)
    push = Endpoint(observing.push)
    callbacks = Endpoint(observing.callbacks)
    journal = Endpoint(observing.journal)
    har = Endpoint(observing.har)
    verify = Endpoint(observing.verify)
    wait = Endpoint(observing.wait)
    violations = Endpoint(observing.violations)
    explain = Endpoint(observing.explain)
    report = Endpoint(observing.report)
    report_text = Endpoint(observing.report_text)
