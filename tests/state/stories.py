"""A run that may be cut in two: what the client hears and the receiver gets must not tell the difference."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.rig import START, Receiver, Running, receivers, receiving
from tests.wire.raw import GPSEND
from voice_emulator.app import Emulator
from voice_emulator.core.clock import ClockSpec
from voice_emulator.settings import Options

#: Requests name this host, whatever port answers: links in replies and receipts are made of it.
HOST = "voice.test:4880"
SEND = "/api/voiceSms/gpsend"

Step = Callable[["Story"], Awaitable[Any]]


@dataclass
class Story:
    """One emulator after the other over one state file, with one receiver."""

    receiver: Receiver
    client: aiohttp.ClientSession
    folder: Path
    scenario: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    heard: list[Any] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    deaths: int = 0
    emulator: Emulator = None  # type: ignore[assignment]  # by begin()

    @property
    def state(self) -> Path:
        return self.folder / f"state-{self.deaths}.db"

    @property
    def emu(self) -> Running:
        return Running(self.emulator, self.client, self.receiver)

    async def begin(self) -> None:
        given = {"clock": ClockSpec("manual", start=START), "strict": True, **self.options}
        options = Options(port=0, control_port=0, state=self.state, **given)
        self.emulator = Emulator(options, scenario_text=self.scenario, grace=0.1)
        await self.emulator.start()

    async def end(self) -> None:
        await self.emulator.close()
        assert self.emulator.failure is None
        assert self.emulator.lost_state is None

    async def die(self) -> None:
        """What a SIGKILL leaves behind: the file as it is now. The next emulator starts on that."""
        before = self.state
        self.deaths += 1
        for end in ("", "-wal"):
            shutil.copyfile(f"{before}{end}", f"{self.state}{end}")
        await self.end()
        await self.begin()

    async def ask(self, path: str, **options: Any) -> Any:
        """A request whose answer is noted."""
        headers = {"Host": HOST, **options.pop("headers", {})}
        method = options.pop("method", "POST")
        async with self.client.request(
            method, self.emulator.runtime.traffic + path, headers=headers, **options
        ) as reply:
            body = await reply.read()
            self.heard.append((reply.status, body))
            return await reply.json(content_type=None) if body.startswith(b"{") else body

    def pushed(self) -> list[tuple[str, str, tuple[tuple[str, str], ...], bytes]]:
        return [
            (push.method, push.path, tuple(sorted(push.query.items())), push.body)
            for push in self.receiver.received
        ]


@asynccontextmanager
async def story(folder: Path, scenario: str | None = None, **options: Any) -> AsyncIterator[Story]:
    folder.mkdir(parents=True, exist_ok=True)
    async with receiving() as receiver, aiohttp.ClientSession() as client:
        told = Story(receiver, client, folder, scenario, options)
        await told.begin()
        told.emulator.runtime.tenancy.default.change({"callback_urls": receivers(told.emulator, receiver)})
        try:
            yield told
        finally:
            await told.end()


async def tell(folder: Path, steps: Sequence[Step], scenario: str, deaths: Sequence[int]) -> Story:
    """Go through ``steps``, dying before those that ``deaths`` number."""
    async with story(folder, scenario) as told:
        for number, step in enumerate(steps):
            if number in deaths:
                await told.die()
            await step(told)
        if len(steps) in deaths:
            await told.die()
        return told


async def place(told: Story, *phones: str, **fields: str) -> None:
    """Send one gpsend to these numbers (default: the usual one), which must be accepted."""
    answer = await told.ask(SEND, data={**GPSEND, "phone": ",".join(phones) or GPSEND["phone"], **fields})
    assert answer["code"] == "0", answer


def default(told: Story) -> Any:
    """The tenant ``default``."""
    return told.emulator.runtime.tenancy.default


async def start_with(path: Path) -> None:
    emulator = Emulator(Options(port=0, control_port=0, state=path), grace=0.1)
    try:
        await emulator.start()
    finally:
        await emulator.close()
