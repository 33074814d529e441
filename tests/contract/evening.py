"""A run in which much goes wrong, for the reports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.contract.clients import Client
from tests.rig import Running, numbers, started

SCENARIO = """
name: mixed-evening
providers:
  nxcloud: {tariff: {cycle: 60, price: "0.036", basic_price: "0.005"}}
rules:
  - name: a third is busy
    match: {provider: nxcloud}
    chance: 33%
    call: {outcome: busy}
  - name: some are lost
    match: {provider: nxcloud}
    chance: 20%
    receipt: {lost: true}
  - name: never met
    match: {operation: versend, number: "999*"}
    reply: {error: rate_limited}
"""


async def misbehave(emu: Running) -> None:
    client = Client(emu)
    await client.gpsend(phone=",".join(numbers(60)))
    await client.gpsend(country_code="+62", msg_content="<script>alert('\u0000 & |')</script>")
    await client.send("/nowhere/<img src=x>")
    token = await client.cec_token()
    await client.cec_call(token)
    await client.play(destnumber=",".join(numbers(10)))
    await emu.settle()
    await client.cdr(page_size="100")
    emu.receiver.answer(200, "nope")
    await client.gpsend(phone=",".join(numbers(5, "62899")))
    await emu.settle()


@asynccontextmanager
async def evening() -> AsyncIterator[Running]:
    """The emulator after that run."""
    async with started(SCENARIO) as running:
        await misbehave(running)
        yield running
