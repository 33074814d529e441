"""The composition root: builds all parts, connects them, starts and stops them."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from voice_emulator.contract.observer import Watch
from voice_emulator.core.layers import Layer
from voice_emulator.core.listeners import Listener
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import DEFAULT_TENANT, Bounds
from voice_emulator.errors import StateError, UsageError
from voice_emulator.providers.registry import discover, receiver_keys
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.scenarios.portable import portable
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.settings import Options, StoreAddress
from voice_emulator.version import version
from voice_emulator.wire.control.server import Control
from voice_emulator.wire.delivery.attempting import Delivery
from voice_emulator.wire.delivery.scheduler import IN_FLIGHT_LIMIT, Driver
from voice_emulator.wire.delivery.target_policy import TargetPolicy
from voice_emulator.wire.http.aiohttp_versions import tell_what_is_off
from voice_emulator.wire.http.connection_limits import ConnectionLimits, Handle, PortServer, push_limit
from voice_emulator.wire.http.server import AtOnce
from voice_emulator.wire.http.sockets import bind, dialled, is_loopback
from voice_emulator.wire.http.tls import certificates, push_trust
from voice_emulator.wire.machine_time import MachineTime
from voice_emulator.wire.mutant import MutantInForce
from voice_emulator.wire.ownership import Ownership
from voice_emulator.wire.relay.relay import Relay
from voice_emulator.wire.relay.siblings import Siblings
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.traffic.gateway import Gateway
from voice_emulator.wire.traffic.pipeline import RequestPipeline

if TYPE_CHECKING:
    from voice_emulator.replicas.membership import Membership
    from voice_emulator.state.writer import StateWriter

log = logging.getLogger(__name__)

#: Real seconds that replies and pushes in progress get to finish at the end.
GRACE = 5.0
#: Real seconds between two checks of the machine's clock.
TICK = 1.0
#: Clients of other replicas that are served at once: those replicas count them.
RELAYED_LIMIT = 1_000_000
#: Concurrent pushes with a state file: at worst so many are uncertain after a SIGKILL.
KEPT_IN_FLIGHT = 256


class Emulator(Listener):
    """One running emulator: two ports, all tenants."""

    def __init__(
        self,
        options: Options | None = None,
        *,
        scenario_text: str | None = None,
        grace: float = GRACE,
        provider_package: str = "voice_emulator.providers",
        connection_limits: ConnectionLimits | None = None,
    ) -> None:
        """Build everything; the ports open in :meth:`start`.

        ``scenario_text`` replaces the named scenario; ``grace`` is how many real seconds :meth:`close` waits for replies
        and pushes in progress; ``connection_limits`` bounds the connections to both ports.

        Raises SchemaError for an invalid schema of the emulator itself, FileError for a bad scenario, UsageError for an
        unknown one or a bad option.
        """
        self.options = options = options or Options()
        providers = discover(provider_package, plugins=options.provider_plugins)
        schemas = SchemaSet.load(providers)
        loader = ScenarioLoader(Catalogue(providers, schemas), os.environ, options.scenario_env)
        scenario = loader.text(scenario_text) if scenario_text is not None else self._scenario(loader)
        url = options.callback_url
        receivers = dict.fromkeys(receiver_keys(providers), url) if url is not None else {}
        self._time = MachineTime()
        self._ticking: asyncio.TimerHandle | None = None
        self.mutant = MutantInForce(loader, providers, os.environ)
        tenancy = Tenancy(
            providers, self._time.now,
            bounds=Bounds(entries=options.journal_limit, ended_calls=options.calls_limit),
            options=Layer(callback_urls=receivers), overlay=self.mutant.overlay,
        )  # fmt: skip
        #: What leases are measured by, in real seconds.
        self.monotonic: Callable[[], float] = time.monotonic
        self.failure: str | None = None
        #: Why the state file cannot be written any more; the process stops then.
        self.lost_state: str | None = None
        self._state_writer: StateWriter | None = None
        self._membership: Membership | None = None
        self._connection_limits = connection_limits or ConnectionLimits()
        self._tls = certificates(options)
        self._grace = grace
        self._stopped = asyncio.Event()
        pipeline = RequestPipeline(
            providers, schemas, tenancy, strict=options.strict, lenient=options.lenient
        )  # fmt: skip
        gateway = Gateway(
            providers, tenancy, pipeline,
            lambda tenant: self.runtime.driver.push_all(tenant),  # noqa: PLW0108 - there is no driver yet
        )  # fmt: skip
        self._policy = TargetPolicy(options.allow_callback_hosts, options.rewrites)
        delivery = Delivery(
            providers, schemas, pipeline.masker,
            policy=self._policy, rewrites=options.rewrites,
            timeout=options.callback_timeout, strict=options.strict, ssl=push_trust(options.callback_ca),
            listeners=tenancy.listeners,
        )  # fmt: skip
        driver = Driver(delivery, push_limit(IN_FLIGHT_LIMIT if options.state is None else KEPT_IN_FLIGHT))
        self.runtime = Runtime(
            options,
            providers,
            schemas,
            loader,
            tenancy,
            gateway,
            delivery,
            driver,
            scenario,
            version(),
            self.mutant,
        )
        self.runtime.ca_pem = self._tls.ca_pem
        self._control = Control(self.runtime)
        self._siblings: Siblings | None = None
        self._runners: list[web.ServerRunner] = []
        services = self._control.services
        # Told in this order. start() adds the writer of the state file: it comes last, to keep what the others note.
        for listener in (self, Watch(providers, schemas), services.metrics, services.waiters, driver):
            tenancy.register(listener)
        self.mutant.register = lambda: tenancy.register(self.mutant)
        if self.mutant.wanted:
            self.mutant.listen()
        self._time.listeners = tenancy.listeners
        self.runtime.open_default = partial(self._open_default, tenancy, scenario, receivers)
        try:
            if isinstance(options.state, StoreAddress):
                # The store may have it already.
                tenancy.shadow_default(scenario)
            else:
                self.runtime.open_default()
        except ValueError as error:
            raise UsageError(f"scenario {scenario.name!r}: {error}") from error

    def _scenario(self, loader: ScenarioLoader) -> Scenario:
        path = Path(self.options.scenario)
        shared = isinstance(self.options.state, StoreAddress) and path.is_file()
        return self.read_scenario(loader, path) if shared else loader.open(self.options.scenario)

    def read_scenario(self, loader: ScenarioLoader, path: Path) -> Scenario:
        """The scenario in a file. Raises FileError and UsageError."""
        scenario = loader.file(path)
        if isinstance(self.options.state, StoreAddress):
            # As one text: other replicas have neither its file nor its environment.
            scenario = replace(scenario, text=portable(path, os.environ).decode())
        return scenario

    def _open_default(self, tenancy: Tenancy, scenario: Scenario, receivers: Mapping[str, str]) -> None:
        options = self.options
        layer = Layer(seed=options.seed, callback_urls=receivers)
        tenancy.create(scenario, id=DEFAULT_TENANT, clock=options.clock, options=layer)

    def listen(self, listener: Listener) -> None:
        """Tell one more listener, before :meth:`start`."""
        self.runtime.tenancy.register(listener)

    def bug_found(self, why: str) -> None:
        """Under ``--strict``, stop; :attr:`failure` is the first bug."""
        if self.options.strict:
            self.failure = self.failure or why
            self._stopped.set()

    def state_lost(self, why: str) -> None:
        """Stop: nothing can be saved any more."""
        self.lost_state = why
        self._stopped.set()

    def stop(self) -> None:
        """Make :meth:`until_stopped` return."""
        self._stopped.set()

    async def until_stopped(self) -> None:
        """Wait for :meth:`stop`, a bug under ``--strict``, or a state file that cannot be written."""
        await self._stopped.wait()

    async def start(self) -> None:
        """Listen on both ports. Raises UsageError if a port cannot be opened, StateError for a bad state file."""
        runtime, options = self.runtime, self.options
        if isinstance(options.state, Path):
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
        if isinstance(options.state, StoreAddress):
            from voice_emulator.replicas.joining import join, membership

            self._membership = runtime.ownership = membership(
                options.state, runtime, self._time, self.monotonic
            )
        if runtime.ownership is not None:
            self._relay(runtime.ownership)
        if self._membership is not None:
            # Before any tenant is here: the last of the listeners, as the writer of a state file.
            runtime.tenancy.register(self._membership.committer)
            try:
                await join(self._membership, runtime)
            except StateError:
                await self.close()
                raise
        # Pending pushes of the state file are sent only now that our own ports are known.
        for tenant in runtime.tenancy:
            runtime.driver.tenant_opened(tenant)
        tell_what_is_off()
        runtime.ready = True
        self._tick()

    def _relay(self, ownership: Ownership) -> None:
        """Pass requests on to other replicas, and take theirs."""
        limits = ConnectionLimits(limit=RELAYED_LIMIT)
        relay = Relay(ownership, self.options.node_secret)
        gateway = self.runtime.gateway
        relay.open(
            PortServer(gateway.handle, limits, gateway.at_once, traffic=True),
            PortServer(self._control.handle, limits),
        )
        gateway.relay = self.runtime.relay = relay
        self._siblings = Siblings(relay, ownership, self.runtime.traffic, self._know_replicas)
        self._siblings.open()

    def _know_replicas(self, addresses: frozenset[tuple[str, int]]) -> None:
        self._policy.replicas = addresses

    def _tick(self) -> None:
        """Look at clock and state file, so that a jump or a loss is noticed even if nothing else happens."""
        self._time.now()
        if self._state_writer is not None:
            self._state_writer.check()
        self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _know_own_ports(self) -> None:
        """Block pushes to our own ports; warn if others can reach the control port without a token."""
        addresses = [address[:2] for runner in self._runners for address in runner.addresses]
        self._policy.own = frozenset(addresses)
        if self.options.control_token is None and not all(is_loopback(host) for host, _ in addresses):
            log.warning(
                "the control port at %s needs no token: anyone who can reach it can change everything and read the "
                "credentials; set --control-token",
                self.runtime.control,
            )

    def _keep_state(self, path: Path) -> None:
        from voice_emulator.state.database import StateFile
        from voice_emulator.state.restore import Restore
        from voice_emulator.state.writer import StateWriter

        file = StateFile(path)
        restore = Restore(file, self.runtime, self._time)
        try:
            restore.read()
            self._state_writer = StateWriter(file, self.runtime, self._time.now, restore.kept)
        except StateError:
            file.close()
            raise
        self.runtime.tenancy.register(self._state_writer)
        restore.resume()
        self._state_writer.flush()

    async def _listen(
        self, handle: Handle, port: int, tls: ssl.SSLContext | None, at_once: AtOnce | None = None
    ) -> str:
        server = PortServer(handle, self._connection_limits, at_once, traffic=at_once is not None)
        # aiohttp waits this long twice: before and after it stops reading a request's body.
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=self._grace / 2)
        await runner.setup()
        self._runners.append(runner)
        sockets = bind(self.options.hosts, port)
        for each in sockets:
            await web.SockSite(runner, each, ssl_context=tls, backlog=1024).start()
        return f"{'http' if tls is None else 'https'}://{dialled(sockets)}"

    async def close(self) -> None:
        """Stop accepting, wait up to the grace time for replies and pushes in progress, free everything."""
        self.runtime.ready = False
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        if self._membership is not None:
            # Before the ports close: what arrives meanwhile goes to the new owners.
            await self._membership.hand_over(self._grace)
        self.runtime.gateway.close()
        await self._control.close()
        if self._siblings is not None:
            self._siblings.close()
        ends = [runner.cleanup() for runner in self._runners]
        if self.runtime.relay is not None:
            ends.append(self.runtime.relay.close(self._grace))
        await asyncio.gather(*ends, self.runtime.driver.close(self._grace))
        self._connection_limits.close()
        self._runners.clear()
        await self.runtime.delivery.close()
        self.mutant.close()
        if self._state_writer is not None:
            self._state_writer.close()
            self._state_writer = None
        if self._membership is not None:
            await self._membership.close()
            self._membership = None


@asynccontextmanager
async def serving(
    options: Options | None = None, *, scenario_text: str | None = None
) -> AsyncIterator[Emulator]:
    """An emulator in the running event loop, for as long as the block runs."""
    emulator = Emulator(options, scenario_text=scenario_text, grace=0.2)
    await emulator.start()
    try:
        yield emulator
    finally:
        await emulator.close()
