"""demo: the emulator, a receiver and a client of all three providers in one process, over real sockets."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import TYPE_CHECKING

import click

from voice_emulator.cli.demo.calls import DIALLED, RECEIPT_FIELDS, Client, RequestRefused
from voice_emulator.cli.demo.screen import Result, Row, Screen, screen_for
from voice_emulator.cli.receiver import Arrival, Receiver, receiving
from voice_emulator.core.words import visible
from voice_emulator.settings import Options
from voice_emulator.wire.traffic.push_fields import Guesser

if TYPE_CHECKING:
    from voice_emulator.app import Emulator

#: Real seconds after which the demo gives up.
PATIENCE = 30.0
#: How calls go, except those to magic numbers; at 60x each takes a few seconds.
SCENARIO = """\
name: demo
description: People pick up after a few seconds and talk for a while; magic numbers are busy or do not answer.
seed: 7
clock: 60x
rules:
  - name: people pick up
    call:
      outcome: answered
      ring: {uniform: [2s, 9s]}
      talk: {lognormal: {median: 35s, p95: 2m}}
      hangup: {callee: 70, caller: 30}
      keys: "1"
"""


@click.command("demo")
def demo() -> None:
    """Place calls at all three providers and show every receipt as it arrives.

    Starts the emulator and a receiver on free ports and needs nothing else. Exits 0 when every receipt
    has arrived.
    """
    from voice_emulator.cli import logs
    from voice_emulator.cli.event_loop import run

    logs.set_up("text", logging.WARNING)
    problem = run(_Demo(screen_for(sys.stdout.isatty())).play())
    if problem is not None:
        raise click.ClickException(problem)


class _Demo:
    """One run: what is still missing, and what has come."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._missing = {(provider, number) for provider, numbers in DIALLED.items() for number in numbers}
        self._wanted = len(self._missing)
        self._rows: list[Row] = []
        self._complete = asyncio.Event()
        self._emulator: Emulator | None = None

    async def play(self) -> str | None:
        """Run to the end; what went wrong, or None when everything arrived."""
        from voice_emulator.app import serving

        begun = time.monotonic()
        options = Options(port=0, control_port=0)
        try:
            async with asyncio.timeout(PATIENCE), serving(options, scenario_text=SCENARIO) as emulator:
                self._emulator = emulator
                guesser = Guesser(emulator.runtime.providers, emulator.runtime.schemas)
                async with receiving(Receiver(self._take, guesser)) as receiver:
                    await self._place(emulator, receiver)
                    await self._complete.wait()
        except TimeoutError:
            self._screen.end(None)
            missing = ", ".join(f"{provider} {number}" for provider, number in sorted(self._missing))
            came = f"only {len(self._rows)} of {self._wanted} receipts came within {PATIENCE:g} s"
            return f"{came}; missing: {missing}"
        except RequestRefused as error:
            self._screen.end(None)
            return str(error)
        self._screen.end(Result(tuple(self._rows), self._wanted, time.monotonic() - begun))
        return None

    async def _place(self, emulator: Emulator, receiver: str) -> None:
        import aiohttp

        tenant = emulator.runtime.tenancy.default
        tenant.change({"callback_urls": {provider: f"{receiver}/{provider}" for provider in DIALLED}})
        traffic = emulator.runtime.traffic
        self._screen.begin(traffic, receiver, self._wanted)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
            async for sent in Client(session, traffic, tenant.credentials, receiver).place_all():
                self._screen.sent(sent)

    def _take(self, push: Arrival) -> None:
        """Note a receipt of one of the calls; others are ignored."""
        if push.provider not in RECEIPT_FIELDS:
            return
        number_field, id_field, cause_field = RECEIPT_FIELDS[push.provider]
        number = str(push.fields.get(number_field, ""))
        if (push.provider, number) not in self._missing:
            return
        self._missing.discard((push.provider, number))
        outcome, talk = self._how_it_went(push.provider, number)
        says = f"{cause_field}={push.fields.get(cause_field)}"
        row = Row(
            push.provider, number, visible(str(push.fields.get(id_field, ""))), outcome, talk, visible(says)
        )
        self._rows.append(row)
        self._screen.arrived(row)
        if not self._missing:
            self._complete.set()

    def _how_it_went(self, provider: str, number: str) -> tuple[str, int]:
        """Outcome and talk time as the emulator itself has them: a receipt may say less."""
        if self._emulator is not None:
            ledger = self._emulator.runtime.tenancy.default.ledger
            for call in ledger.of_provider(provider):
                if call.number == number and call.outcome is not None:
                    return call.outcome.value, call.talk_seconds
        return "", 0
