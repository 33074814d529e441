"""What a test holds: one tenant of a running emulator, and all a test wants to say about it."""

from __future__ import annotations

import asyncio
import functools
import ssl
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from voice_emulator.client import waits
from voice_emulator.client.asynchronous import AsyncClient
from voice_emulator.client.blocking import Client
from voice_emulator.client.entries import Entry
from voice_emulator.client.errors import WouldDeadlock
from voice_emulator.client.exchange import Flow
from voice_emulator.client.live import Attributes, Live
from voice_emulator.client.operations import DEFAULT_TENANT, Callbacks, Scenario
from voice_emulator.client.pages import PAGE_LIMIT
from voice_emulator.client.timeline import timeline
from voice_emulator.core.shapes import Call, Callback, Tenant, Violation

__tracebackhide__ = True

P = ParamSpec("P")
T = TypeVar("T")


def _always(arguments: Mapping[str, Any]) -> bool:
    return True


class Waiting(Generic[P, T]):
    """A flow over a tenant as a method: blocking on :class:`VoiceEmulator`, a coroutine on :class:`Aio`."""

    def __init__(
        self,
        flow: Callable[Concatenate[str, P], Flow[T]],
        waits_with: Callable[[Mapping[str, Any]], bool] = _always,
    ) -> None:
        """``waits_with`` says whether a call with these keyword arguments waits at all."""
        self._flow = flow
        self._waits_with = waits_with
        self._name = ""
        self.__doc__ = flow.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Waiting[P, T]: ...
    @overload
    def __get__(self, instance: VoiceEmulator, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: Aio, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, instance: VoiceEmulator | Aio | None, owner: type) -> Any:
        if instance is None:
            return self
        holder = instance

        @functools.wraps(self._flow)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            if isinstance(holder, VoiceEmulator) and self._waits_with(kwargs):
                _refuse_in_a_loop(self._name)
            return holder.run(self._flow(holder.id, *args, **kwargs))

        return method


def _refuse_in_a_loop(name: str) -> None:
    trio = sys.modules.get("trio")
    if trio is not None and _in_trio(trio):
        raise WouldDeadlock(
            f"voice_emulator.{name}() would stop the trio run of this thread, and with it a receiver that lives "
            f"there; write: await trio.to_thread.run_sync(lambda: voice_emulator.{name}(...))"
        )
    if "asyncio" not in sys.modules:
        return
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise WouldDeadlock(
        f"voice_emulator.{name}() would stop the event loop that runs in this thread, and with it a receiver "
        f"that lives there; write: await voice_emulator.aio.{name}(...)"
    )


def _in_trio(trio: Any) -> bool:
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


class WaitingMethods:
    """The methods that wait; see :mod:`voice_emulator.client.waits`."""

    advance = Waiting(waits.advance)
    wait_for_callback = Waiting(waits.wait_for_callback)
    wait_for_callbacks = Waiting(waits.wait_for_callbacks)
    wait_for_calls = Waiting(waits.wait_for_calls)
    wait_for_requests = Waiting(waits.wait_for_requests)
    verify = Waiting(waits.verify, lambda arguments: bool(arguments.get("within")))
    push = Waiting(waits.push)


class Aio(WaitingMethods):
    """The waiting methods as coroutines, for tests whose receiver runs in their own event loop."""

    def __init__(
        self, id: str, control_url: str, token: str | None, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        """Work on tenant ``id`` of the emulator at ``control_url``."""
        self.id = id
        self._control_url = control_url
        self._token = token
        self._ssl = ssl_context

    async def run(self, flow: Flow[T]) -> T:
        """Carry out ``flow``, over a connection of its own: nothing is left open in the test's loop."""
        async with AsyncClient(self._control_url, token=self._token, ssl_context=self._ssl) as client:
            return await client.run(flow)


class VoiceEmulator(WaitingMethods):
    """One tenant of a running emulator. Every method raises a ClientError when the emulator refuses."""

    def __init__(
        self,
        control_url: str,
        *,
        id: str = DEFAULT_TENANT,
        url: str | None = None,
        token: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Hold tenant ``id`` of the emulator at ``control_url``.

        ``url`` is the traffic base URL; when absent, the port the emulator tells, on the control host.
        ``ssl_context`` says whom to trust at an https control URL; without one, the system's authorities.
        """
        self.id = id
        #: Whom to trust at both ports, for the client under test too; None: the system's authorities.
        self.ssl_context = ssl_context
        self.client = Client(control_url, token=token, ssl_context=ssl_context)
        self.control_url = self.client.url
        self.aio = Aio(id, self.control_url, token, ssl_context)
        self._url = url

    def run(self, flow: Flow[T]) -> T:
        """Carry out a flow of the client."""
        return self.client.run(flow)

    @property
    def url(self) -> str:
        """The base URL of all providers: what the client under test puts in place of theirs."""
        if self._url is None:
            self._url = self.client.address.with_port(self.client.health().traffic)
        return self._url

    @property
    def tenant(self) -> Tenant:
        """The tenant as it is now: scenario, seed, clock, now, callback URLs, credentials, settings."""
        return self.client.tenant(self.id)

    @property
    def scenario(self) -> str:
        """Name of the scenario in force."""
        return self.tenant.scenario

    @property
    def credentials(self) -> Any:
        """Its credentials: ``credentials.nxcloud.appkey`` or ``credentials["nxcloud"]["appkey"]``."""
        return Attributes(self.tenant.credentials)

    @property
    def callback_urls(self) -> Live:
        """Where receipts go: ``callback_urls["nxcloud"] = "http://127.0.0.1:9000/dr"``."""
        return Live(
            lambda: self.tenant.callback_urls, lambda urls: self.change(callback_urls=urls), "callback_urls"
        )

    @property
    def settings(self) -> Live:
        """The account settings: ``settings["nxcloud"]["balance"] = "0.01"``; documented per provider."""
        return Live(lambda: self.tenant.settings, lambda values: self.change(settings=values), "settings")

    def change(
        self,
        *,
        callback_urls: Callbacks | None = None,
        credentials: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        seed: int | None = None,
    ) -> Tenant:
        """Change several things at once; merged into what is there, and None inside a mapping removes."""
        return self.client.change_tenant(
            self.id, callback_urls=callback_urls, credentials=credentials, settings=settings, seed=seed
        )

    def load(self, scenario: Scenario) -> None:
        """Put a scenario in force: the name of a shipped one, a Path, YAML text, or a mapping.

        Raises Invalid with the findings of ``voice-emulator check``, and then nothing has changed.
        """
        self.client.load_scenario(self.id, scenario)

    def reset(self) -> None:
        """Forget calls, tokens, journal, counters, not the scenario; a manual clock goes to its start."""
        self.client.reset(self.id)

    def calls(
        self, *, provider: str | None = None, number: str | None = None, state: str | None = None
    ) -> list[Call]:
        """All calls so far, oldest first."""
        first = self.client.calls(self.id, provider=provider, number=number, state=state, limit=PAGE_LIMIT)
        return self.client.every(first)

    def call(self, id: str) -> Call:
        """One call with its timeline."""
        return self.client.call(self.id, id)

    def requests(self, *, provider: str | None = None, operation: str | None = None) -> list[Entry]:
        """All requests so far, oldest first; secrets are masked."""
        first = self.client.journal(self.id, kind="request", provider=provider, limit=PAGE_LIMIT)
        return [entry for entry in self.client.every(first) if operation in (None, entry.operation)]

    def callbacks(self, *, provider: str | None = None, number: str | None = None) -> list[Callback]:
        """All attempts to push a receipt so far, oldest first; those under way come last, as ``pending``."""
        first = self.client.callbacks(self.id, provider=provider, number=number, limit=PAGE_LIMIT)
        return self.client.every(first)

    def journal(self) -> list[Entry]:
        """Everything that went over the wire, in order."""
        return self.client.every(self.client.journal(self.id, limit=PAGE_LIMIT))

    def timeline(self) -> str:
        """The journal as text, a line each: what a failing test shows."""
        return timeline(self.tenant, self.journal(), self.calls())

    def violations(self) -> list[Violation]:
        """Where the client under test broke the providers' contract."""
        return self.client.every(self.client.violations(self.id, limit=PAGE_LIMIT))

    def assert_no_violations(self, warnings: bool = False) -> None:
        """Fail when the client under test broke the contract: errors, and ``warnings`` too if asked."""
        self.run(waits.assert_no_violations(self.id, warnings))

    def report(self) -> dict[str, Any]:
        """The contract report: violations, conservation, coverage."""
        return self.client.report(self.id)

    def close(self) -> None:
        """Close the connections to the emulator; the tenant stays."""
        self.client.close()

    def __repr__(self) -> str:
        return f"<voice emulator {self.control_url}, tenant {self.id!r}>"
