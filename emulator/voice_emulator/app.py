"""The composition root: builds the object graph, listens, drives, stops cleanly."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from voice_emulator.contract.observer import Watch
from voice_emulator.core.layers import Layer
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import DEFAULT_TENANT, Bounds, Tenant
from voice_emulator.errors import StateError, UsageError
from voice_emulator.providers.registry import discover, receiver_keys
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.settings import Options
from voice_emulator.version import version
from voice_emulator.wire.control.server import Control
from voice_emulator.wire.delivery.attempting import Delivery
from voice_emulator.wire.delivery.scheduler import IN_FLIGHT_LIMIT, Driver
from voice_emulator.wire.delivery.target_policy import Reach, is_loopback
from voice_emulator.wire.http.aiohttp_versions import tell_what_is_off
from voice_emulator.wire.http.connection_limits import ConnectionLimits, Handle, Listener, push_limit
from voice_emulator.wire.http.server import AtOnce
from voice_emulator.wire.http.sockets import bind, dialled
from voice_emulator.wire.http.tls import certificates, push_trust
from voice_emulator.wire.machine_time import MachineTime
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.traffic.gateway import Gateway

if TYPE_CHECKING:
    from voice_emulator.state.writer import StateWriter

log = logging.getLogger(__name__)

#: Real seconds that replies and pushes on the wire are given to end.
GRACE = 5.0
#: Real seconds between two looks at the machine's clock.
TICK = 1.0
#: Pushes on the wire at once when there is a state file: so many are uncertain, at worst, after a SIGKILL.
KEPT_IN_FLIGHT = 256


class Emulator:
    """One running emulator: two ports, all tenants."""

    def __init__(
        self,
        options: Options | None = None,
        *,
        scenario_text: str | None = None,
        grace: float = GRACE,
        provider_package: str = "voice_emulator.providers",
        doors: ConnectionLimits | None = None,
    ) -> None:
        """Build everything; nothing listens yet.

        ``scenario_text`` stands instead of a named scenario; ``grace`` is how many real seconds
        :meth:`close` gives what is on the wire; ``doors`` bound the connections to both ports.

        Raises SchemaError for a broken schema of ours, FileError for a bad scenario, UsageError for
        an unknown one or a bad option.
        """
        self.options = options = options or Options()
        providers = discover(provider_package)
        schemas = SchemaSet.load(providers)
        loader = ScenarioLoader(Catalogue(providers, schemas), os.environ, options.scenario_env)
        scenario = loader.text(scenario_text) if scenario_text is not None else loader.open(options.scenario)
        url = options.callback_url
        receivers = dict.fromkeys(receiver_keys(providers), url) if url is not None else {}
        self._time = MachineTime()
        self._ticking: asyncio.TimerHandle | None = None
        tenancy = Tenancy(
            providers, self._time.now,
            bounds=Bounds(entries=options.journal_limit, ended_calls=options.calls_limit),
            options=Layer(callback_urls=receivers),
        )  # fmt: skip
        self.failure: str | None = None
        #: Why the state file could not be written any more; the process stops then.
        self.lost_state: str | None = None
        self._keeper: StateWriter | None = None
        self._doors = doors or ConnectionLimits()
        self._tls = certificates(options)
        self._grace = grace
        self._stopped = asyncio.Event()
        strict_failure = self._fail if options.strict else None
        gateway = Gateway(
            providers, schemas, tenancy, self._push_due,
            strict=options.strict, lenient=options.lenient, on_bug=strict_failure,
        )  # fmt: skip
        self._reach = Reach(options.allow_callback_hosts, options.rewrites)
        delivery = Delivery(
            providers, schemas, gateway.passage.masker,
            reach=self._reach, rewrites=options.rewrites,
            timeout=options.callback_timeout, strict=options.strict, on_bug=strict_failure,
            ssl=push_trust(options.callback_ca),
        )  # fmt: skip
        watch = Watch(providers, schemas)
        gateway.passage.watchers.append(watch.request)
        delivery.watchers.append(watch.attempt)
        tenancy.on_open.append(watch.attach)
        driver = Driver(delivery, push_limit(IN_FLIGHT_LIMIT if options.state is None else KEPT_IN_FLIGHT))
        self.runtime = Runtime(
            options, providers, schemas, loader, tenancy, gateway, delivery, driver, scenario, version()
        )
        self.runtime.ca_pem = self._tls.ca_pem
        self._control = Control(self.runtime)
        self._runners: list[web.ServerRunner] = []
        tenancy.on_open.append(driver.attach)
        tenancy.on_close.append(driver.detach)
        self._open_default(tenancy, scenario, receivers)

    def _open_default(self, tenancy: Tenancy, scenario: Scenario, receivers: Mapping[str, str]) -> None:
        options = self.options
        try:
            tenancy.create(
                scenario, id=DEFAULT_TENANT, clock=options.clock,
                options=Layer(seed=options.seed, callback_urls=receivers),
            )  # fmt: skip
        except ValueError as error:
            raise UsageError(f"scenario {scenario.name!r}: {error}") from error

    async def _push_due(self, tenant: Tenant) -> None:
        await self.runtime.driver.push_due(tenant)

    def _fail(self, why: str) -> None:
        """Under ``--strict``: remember our own breach and stop."""
        self.failure = self.failure or why
        self._stopped.set()

    def _lose_state(self, why: str) -> None:
        self.lost_state = why
        self._stopped.set()

    def stop(self) -> None:
        """Ask :meth:`until_stopped` to return."""
        self._stopped.set()

    async def until_stopped(self) -> None:
        """Wait until somebody calls :meth:`stop`, or a breach under ``--strict``."""
        await self._stopped.wait()

    async def start(self) -> None:
        """Listen on both ports. Raises UsageError when a port cannot be had, StateError for a bad state file."""
        runtime, options = self.runtime, self.options
        if options.state is not None:
            self._keep_state(options.state)
        await runtime.delivery.open()
        runtime.driver.open()
        try:
            gateway = runtime.gateway
            runtime.traffic = await self._listen(
                gateway.handle, options.port, self._tls.traffic, gateway.at_once
            )
            runtime.control = await self._listen(
                self._control.handle, options.control_port, self._tls.control
            )
        except UsageError:
            await self.close()
            raise
        self._know_own_ports()
        # What was pending in the state file goes out only now that our own ports are known.
        for tenant in runtime.tenancy:
            runtime.driver.attach(tenant)
        tell_what_is_off()
        runtime.ready = True
        self._time.on_jump = runtime.driver.on_jump
        self._tick()

    def _tick(self) -> None:
        """Look at the clock, so that a jump is noticed though nothing happens."""
        self._time.now()
        self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _know_own_ports(self) -> None:
        """Keep pushes away from them, and warn where others can reach the control port without a token."""
        addresses = [address[:2] for runner in self._runners for address in runner.addresses]
        self._reach.own = frozenset(addresses)
        if self.options.control_token is None and not all(is_loopback(host) for host, _ in addresses):
            log.warning(
                "the control port at %s needs no token: whoever reaches it can change everything and read the "
                "credentials; set --control-token",
                self.runtime.control,
            )

    def _keep_state(self, path: Path) -> None:
        from voice_emulator.state.database import StateFile
        from voice_emulator.state.restore import keep_state

        file = StateFile(path)
        try:
            self._keeper = keep_state(file, self.runtime, self._time.now, self._lose_state)
        except StateError:
            file.close()
            raise

    async def _listen(
        self, handle: Handle, port: int, tls: ssl.SSLContext | None, at_once: AtOnce | None = None
    ) -> str:
        server = Listener(handle, self._doors, at_once, traffic=at_once is not None)
        # aiohttp waits this long twice: before and after it stops reading a request's body.
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=self._grace / 2)
        await runner.setup()
        self._runners.append(runner)
        sockets = bind(self.options.hosts, port)
        for each in sockets:
            await web.SockSite(runner, each, ssl_context=tls, backlog=1024).start()
        return f"{'http' if tls is None else 'https'}://{dialled(sockets)}"

    async def close(self) -> None:
        """Stop accepting, let what is on the wire end within the grace, free everything."""
        self.runtime.ready = False
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        self.runtime.gateway.close()
        await self._control.close()
        runners = [runner.cleanup() for runner in self._runners]
        await asyncio.gather(*runners, self.runtime.driver.close(self._grace))
        self._doors.close()
        self._runners.clear()
        await self.runtime.delivery.close()
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None


@asynccontextmanager
async def serving(
    options: Options | None = None, *, scenario_text: str | None = None
) -> AsyncIterator[Emulator]:
    """An emulator that serves inside the running loop, for as long as the block runs."""
    emulator = Emulator(options, scenario_text=scenario_text, grace=0.2)
    await emulator.start()
    try:
        yield emulator
    finally:
        await emulator.close()
