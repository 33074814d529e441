"""An emulator on a manual clock with a receiver of its pushes, for as long as a test of the suite runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from voice_emulator.app import Emulator, serving
from voice_emulator.core.clock import ClockSpec, parse_rfc3339
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import receiver_keys
from voice_emulator.settings import Options

START = parse_rfc3339("2026-01-05T09:00:00+08:00")
#: Microseconds within which everything that a call causes must have ended.
LONGEST = 400 * 86_400_000_000


@dataclass(frozen=True)
class Push:
    """One push as it arrived."""

    method: str
    query: dict[str, str]
    content_type: str | None
    body: bytes


@dataclass
class Session:
    """The emulator, the provider that is tested, and what its receiver got. It acknowledges every push."""

    emulator: Emulator
    provider: Provider
    client: aiohttp.ClientSession
    received: list[Push] = field(default_factory=list)
    receiver: str = ""

    @property
    def tenant(self) -> Tenant:
        """The tenant ``default``."""
        return self.emulator.runtime.tenancy.default

    async def settle(self) -> None:
        """Advance the clock until nothing is pending."""
        driver, tenant = self.emulator.runtime.driver, self.tenant
        await driver.advance(tenant, to=tenant.now + LONGEST, until_idle=True)

    async def take(self, raw: web.BaseRequest) -> web.Response:
        """Receive one push."""
        query = dict(parse_qsl(raw.path_qs.partition("?")[2], keep_blank_values=True))
        self.received.append(Push(raw.method, query, raw.headers.get("Content-Type"), await raw.read()))
        # On a manual clock one push is on the wire at a time.
        (push,) = self.tenant.outbox.in_flight.values()
        text = self.provider.receipts[push.kind].accepted_body
        return web.Response(
            text=text, content_type="application/json" if text.startswith("{") else "text/plain"
        )


@asynccontextmanager
async def emulating(provider: str) -> AsyncIterator[Session]:
    """Run an emulator under ``strict`` for one provider. Raises AssertionError when it breaks its own schemas."""
    options = Options(port=0, control_port=0, seed=1, strict=True, clock=ClockSpec("manual", start=START))
    async with serving(options) as emulator, aiohttp.ClientSession() as client:
        session = Session(emulator, emulator.runtime.providers[provider], client)
        runner = web.ServerRunner(web.Server(session.take, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        session.receiver = f"http://127.0.0.1:{runner.addresses[0][1]}"
        session.tenant.change(
            {
                "callback_urls": {
                    key: f"{session.receiver}/{key}" for key in receiver_keys(emulator.runtime.providers)
                },
                "settings": {provider: dict(session.provider.example_settings)},
            }
        )
        try:
            yield session
        finally:
            await runner.cleanup()
    assert emulator.failure is None, f"the emulator broke its own contract: {emulator.failure}"
