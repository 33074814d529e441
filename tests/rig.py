"""A running emulator with a receiver, for tests that work over real sockets."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from tests.patience import PATIENCE
from voice_emulator.app import Emulator
from voice_emulator.core.clock import ClockSpec, parse_rfc3339
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.registry import receiver_keys
from voice_emulator.settings import Options
from voice_emulator.wire.delivery.scheduler import Advanced

START = parse_rfc3339("2026-01-05T09:00:00+08:00")
SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass
class Received:
    """One push as it arrived: ``fields`` are decoded from query, form or JSON."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    fields: dict[str, Any]


@dataclass
class Receiver:
    """A customer's receiver. It answers as each provider expects unless :meth:`answer` says otherwise."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    _answers: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    _always: tuple[int, str, dict[str, str]] | None = None
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    #: Awaited before each answer, with the push: for receivers that hang or call back.
    before_answer: Callable[[Received], Any] | None = None

    def answer(self, status: int = 200, body: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Answer everything from now on like this."""
        self._always = (status, body, dict(headers or {}))

    def answer_once(
        self, status: int = 200, body: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer the next push like this, further calls queue up."""
        self._answers.append((status, body, dict(headers or {})))

    def answer_properly(self) -> None:
        """Back to what each provider expects."""
        self._always = None
        self._answers.clear()

    async def wait_for(self, count: int, seconds: float = PATIENCE) -> list[Received]:
        """Wait until ``count`` pushes have arrived."""
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: len(self.received) >= count), seconds)
        return self.received

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        body = await raw.read()
        query = dict(parse_qsl(raw.path_qs.partition("?")[2], keep_blank_values=True))
        fields: dict[str, Any] = dict(query)
        kind = raw.headers.get("Content-Type", "")
        text = body.decode("utf-8", "replace")
        if text.startswith("{"):
            fields |= json.loads(text)
        elif "form" in kind or "=" in text:
            fields |= dict(parse_qsl(text, keep_blank_values=True))
        push = Received(raw.method, raw.path, query, raw.headers, body, fields)
        self.received.append(push)
        async with self._arrived:
            self._arrived.notify_all()
        if self.before_answer is not None:
            await self.before_answer(push)
        if self._answers:
            status, text, headers = self._answers.pop(0)
        elif self._always is not None:
            status, text, headers = self._always
        elif "huawei" in raw.path:
            status, headers = 200, {"Content-Type": "application/json"}
            text = json.dumps({"retCode": "0", "retMsg": "success", "returnCode": "0"})
        else:
            status, text, headers = 200, "success", {}
        return web.Response(status=status, text=text, headers=headers)


@asynccontextmanager
async def served(handle: Any, tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[str]:
    """A server on a free port; its base URL."""
    runner = web.ServerRunner(web.Server(handle, access_log=None, **options), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    async with served(receiver.handle) as receiver.url:
        yield receiver


@dataclass
class Running:
    """What :func:`started` gives."""

    emulator: Emulator
    client: aiohttp.ClientSession
    receiver: Receiver

    @property
    def url(self) -> str:
        """Base URL of the traffic port."""
        return self.emulator.runtime.traffic

    @property
    def control(self) -> str:
        """Base URL of the control port."""
        return self.emulator.runtime.control

    @property
    def tenant(self) -> Tenant:
        """The tenant ``default``."""
        return self.emulator.runtime.tenancy.default

    async def advance(self, span: str | int, tenant: Tenant | None = None) -> Advanced:
        """Advance a manual clock by ``"90s"``, ``"5m"``, ``"1h"``, or microseconds."""
        micros = span if isinstance(span, int) else int(float(span[:-1]) * SPANS[span[-1]] * 1_000_000)
        return await self._advance(tenant or self.tenant, micros)

    async def settle(self, tenant: Tenant | None = None, days: int = 400) -> Advanced:
        """Advance a manual clock until nothing is pending."""
        return await self._advance(tenant or self.tenant, days * 86_400_000_000, until_idle=True)

    async def _advance(self, tenant: Tenant, span: int, *, until_idle: bool = False) -> Advanced:
        """To the end: on a busy machine an advance may reach its limit of real time, which looks like lost pushes."""
        driver = self.emulator.runtime.driver
        done = await driver.advance(tenant, to=tenant.now + span, until_idle=until_idle, wall_limit=PATIENCE)
        assert done.complete
        return done

    def change(self, changes: Mapping[str, Any], tenant: Tenant | None = None) -> None:
        """What PATCH /v1/tenants/{id} does."""
        (tenant or self.tenant).change(changes)

    def new_tenant(self, id: str, scenario: str = "happy-path", **arguments: Any) -> Tenant:
        """Create a tenant on a manual clock, pushing to the receiver."""
        runtime = self.emulator.runtime
        arguments.setdefault("clock", ClockSpec("manual", start=START))
        tenant = runtime.tenancy.create(runtime.loader.named(scenario), id=id, **arguments)
        tenant.change({"callback_urls": receivers(self.emulator, self.receiver)})
        return tenant


def receivers(emulator: Emulator, receiver: Receiver) -> dict[str, str]:
    """Every url key, at a path of its own on ``receiver``."""
    return {key: f"{receiver.url}/{key}" for key in receiver_keys(emulator.runtime.providers)}


@asynccontextmanager
async def started(
    scenario: str = "happy-path",
    clock: str | ClockSpec = "manual",
    *,
    strict: bool = True,
    receive: bool = True,
    provider_package: str = "voice_emulator.providers",
    prepare: Callable[[Emulator], None] = lambda emulator: None,
    **options: Any,
) -> AsyncIterator[Running]:
    """An emulator on free ports. ``scenario`` is a shipped name, or YAML text (with a line break)."""
    if isinstance(clock, str):
        clock = ClockSpec("manual", start=START) if clock == "manual" else parse_clock(clock)
    text = scenario if "\n" in scenario else None
    chosen = Options(
        scenario="happy-path" if text else scenario,
        port=0,
        control_port=0,
        clock=clock,
        strict=strict,
        **options,
    )
    async with receiving() as receiver:
        emulator = Emulator(chosen, scenario_text=text, grace=0.2, provider_package=provider_package)
        prepare(emulator)
        await emulator.start()
        if receive:
            emulator.runtime.tenancy.default.change({"callback_urls": receivers(emulator, receiver)})
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as client:
            try:
                yield Running(emulator, client, receiver)
            finally:
                await emulator.close()
                failure = emulator.failure
        if strict and failure:
            raise AssertionError(f"the emulator broke its own contract: {failure}")


def parse_clock(text: str) -> ClockSpec:
    """``real`` or ``60x``."""
    return ClockSpec("real") if text == "real" else ClockSpec("scaled", float(text.rstrip("x")))


def numbers(count: int, prefix: str = "62812") -> Iterable[str]:
    """Distinct numbers none of which is a magic number."""
    return (f"{prefix}{index:06d}9" for index in range(count))
