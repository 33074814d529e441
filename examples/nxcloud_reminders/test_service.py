"""Tests of the reminder service against the emulator. Service, receiver and test share one event loop."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal

import pytest
from aiohttp.test_utils import TestClient, TestServer
from service import Account, Store, create_app

AUDIO = "https://files.example.com/appointment.mp3"

# With a manual clock, a minute of ringing takes no time.
pytestmark = pytest.mark.voice_emulator(clock="manual")


class CountingStore(Store):
    """The bug: every receipt is charged, also a repeated one."""

    def __init__(self) -> None:
        super().__init__()
        self._spent = Decimal(0)

    def settle(self, receipt: Mapping[str, str]) -> None:
        super().settle(receipt)
        self._spent += Decimal(receipt["customer_price"]) * int(receipt["size"])

    def bill(self) -> Decimal:
        return self._spent


@pytest.fixture
def store():
    store = Store()
    yield store
    store.close()


def in_a_loop(test):
    """Runs a coroutine as a test, without a plugin for pytest. With pytest-asyncio you do not need it."""

    @functools.wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


@pytest.fixture
def start(voice_emulator):
    """Start the service on a free port with the keys of this test's tenant, and register its receiver."""

    @asynccontextmanager
    async def start(store: Store) -> AsyncIterator[TestClient]:
        keys = voice_emulator.credentials.nxcloud
        app = create_app(Account(voice_emulator.url, keys.appkey, keys.secretkey), store)
        async with TestClient(TestServer(app)) as client:
            voice_emulator.callback_urls["nxcloud"] = client.make_url("/nxcloud/receipts")
            yield client

    return start


async def remind(service: TestClient, phone: str) -> int:
    async with service.post("/reminders", json={"phone": phone, "audio": AUDIO}) as reply:
        assert reply.status == 201, await reply.text()
        return (await reply.json())["id"]


async def shown(service: TestClient, path: str) -> dict:
    async with service.get(path) as reply:
        assert reply.status == 200
        return await reply.json()


@in_a_loop
async def test_an_answered_call_is_settled_by_its_receipt(start, store, voice_emulator):
    async with start(store) as service:
        reminder = await remind(service, "6281200000000")
        assert (await shown(service, f"/reminders/{reminder}"))["state"] == "called"

        await voice_emulator.aio.advance("1m")

        found = await shown(service, f"/reminders/{reminder}")
        assert (found["state"], found["seconds"]) == ("answered", 10)
        (call,) = voice_emulator.calls()
        assert datetime.fromisoformat(found["at"]) == call.answered_at.replace(microsecond=0)
        assert await shown(service, "/bill") == {"cost": "0.036"}
        assert [push.outcome for push in voice_emulator.callbacks()] == ["delivered"]
        voice_emulator.assert_no_violations()


@pytest.mark.parametrize(
    ("phone", "cause"),
    [("6281200000486", "USER_BUSY"), ("6281200000480", "NO_ANSWER")],
    ids=["busy", "no answer"],
)
@in_a_loop
async def test_an_unanswered_call_is_missed(start, store, voice_emulator, phone, cause):
    """The last four digits of the number choose the outcome."""
    async with start(store) as service:
        reminder = await remind(service, phone)
        await voice_emulator.aio.advance("1m")
        found = await shown(service, f"/reminders/{reminder}")
        assert (found["state"], found["cause"]) == ("missed", cause)


@in_a_loop
async def test_a_receipt_that_comes_before_its_own_reply_is_not_lost(start, store, voice_emulator):
    voice_emulator.load("receipt-before-reply")
    async with start(store) as service:
        reminder = await remind(service, "6281234567891")
        await voice_emulator.aio.advance("5m")
        assert (await shown(service, f"/reminders/{reminder}"))["state"] != "called"


@in_a_loop
async def test_a_repeated_receipt_is_charged_once(start, store, voice_emulator):
    voice_emulator.load("duplicate-receipts")
    async with start(store) as service:
        await remind(service, "6281200000000")
        await voice_emulator.aio.advance("5m")
        assert [push.outcome for push in voice_emulator.callbacks()] == ["delivered", "delivered"]
        assert await shown(service, "/bill") == {"cost": "0.036"}


@in_a_loop
async def test_the_emulator_catches_a_store_that_charges_repeats(start, voice_emulator):
    """The same test with the bug: the bill is twice what the call cost."""
    voice_emulator.load("duplicate-receipts")
    store = CountingStore()
    async with start(store) as service:
        await remind(service, "6281200000000")
        await voice_emulator.aio.advance("5m")
        (call,) = voice_emulator.calls()
        assert call.billing is not None
        assert store.bill() == 2 * call.billing.charge
    store.close()


@in_a_loop
async def test_an_empty_account_is_reported_to_the_user(start, store, voice_emulator):
    voice_emulator.settings["nxcloud"]["balance"] = "0"
    async with start(store) as service:
        async with service.post("/reminders", json={"phone": "6281200000000", "audio": AUDIO}) as reply:
            assert reply.status == 502
            assert (await reply.json())["code"] == "3"
        voice_emulator.verify(operation="gpsend", number="6281200000000", exactly=1)
