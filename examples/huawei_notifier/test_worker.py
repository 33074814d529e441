"""Tests of the notification worker against the emulator, with a manual clock."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from worker import (
    Account,
    Notification,
    NotificationFailed,
    Tokens,
    Worker,
    create_receiver,
    genuine,
)

KEY = "0123456789abcdef"

pytestmark = pytest.mark.voice_emulator(clock="manual", settings={"huawei_cec": {"shared_key": KEY}})


class NeverRenewed(Tokens):
    """The bug: a token is fetched once and never renewed."""

    def expired(self, token: str) -> None:
        pass


class Run:
    """A worker and its receiver, in one process."""

    def __init__(self, worker: Worker, events: list[dict[str, Any]]) -> None:
        self.worker = worker
        self.events = events

    @property
    def reasons(self) -> dict[str, str]:
        """Release reason by called number."""
        return {event["called"]: event["releaseReason"] for event in self.events}


def in_a_loop(test):
    """Runs a coroutine as a test, without a plugin for pytest. With pytest-asyncio you do not need it."""

    @functools.wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


@pytest.fixture
def start(voice_emulator):
    """Start the worker's receiver, and make a worker with the keys of this test's tenant."""
    keys = voice_emulator.credentials.huawei_cec
    account = Account(voice_emulator.url, keys.app_key, keys.app_secret, KEY)

    @asynccontextmanager
    async def start(tokens: type[Tokens] = Tokens, genuine=genuine) -> AsyncIterator[Run]:
        events: list[dict[str, Any]] = []
        receiver = TestServer(create_receiver(KEY, events.append, genuine))
        async with aiohttp.ClientSession() as session, receiver:
            url = str(receiver.make_url("/released"))
            yield Run(Worker(session, account, tokens(session, account), url), events)

    return start


@in_a_loop
async def test_ten_workers_share_one_token(start, voice_emulator):
    async with start() as run:
        jobs: asyncio.Queue[Notification] = asyncio.Queue()
        for number in range(40):
            jobs.put_nowait(Notification(f"8613800{number:06d}", "100001"))
        workers = [asyncio.create_task(run.worker.work(jobs)) for _ in range(10)]
        await jobs.join()
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

        assert len(run.worker.placed) == 40
        assert run.worker.failed == []
        voice_emulator.verify(operation="tokenByAkSk", exactly=1)
        voice_emulator.assert_no_violations(warnings=True)


@in_a_loop
async def test_release_events_say_how_calls_ended(start, voice_emulator):
    async with start() as run:
        for number in ("8613800000000", "8613800000480", "8613800000403"):
            await run.worker.notify(Notification(number, "100001"))
        await voice_emulator.aio.advance("2m")
        assert run.reasons["8613800000480"] == "4"
        assert run.reasons["8613800000403"] == "10"
        assert run.reasons["8613800000000"] in ("0", "1")
        assert {event["callSerialNo"] for event in run.events} == set(run.worker.placed)
        assert [push.outcome for push in voice_emulator.callbacks()] == ["delivered"] * 3
        voice_emulator.assert_no_violations()


@in_a_loop
async def test_an_expired_token_is_renewed(start, voice_emulator):
    async with start() as run:
        await run.worker.notify(Notification("8613800000000", "100001"))
        await voice_emulator.aio.advance("11m")
        await run.worker.notify(Notification("8613800010000", "100001"))
        voice_emulator.verify(operation="tokenByAkSk", exactly=2)


@in_a_loop
async def test_the_emulator_catches_a_worker_that_never_renews_its_token(start, voice_emulator):
    """The same test with the bug: after ten minutes every call fails."""
    async with start(NeverRenewed) as run:
        await run.worker.notify(Notification("8613800000000", "100001"))
        await voice_emulator.aio.advance("11m")
        with pytest.raises(NotificationFailed, match="refuses"):
            await run.worker.notify(Notification("8613800010000", "100001"))
        voice_emulator.verify(operation="tokenByAkSk", exactly=1)


@in_a_loop
async def test_a_forged_event_is_refused(start, voice_emulator):
    voice_emulator.load("bad-signatures")
    async with start() as run:
        await run.worker.notify(Notification("8613800000000", "100001"))
        await voice_emulator.aio.advance("2m")
        assert run.events == []
        push = await voice_emulator.aio.wait_for_callback(provider="huawei_cec")
        assert push.outcome == "refused"


@pytest.mark.parametrize(
    ("scenario", "fault"), [("stale-timestamps", "stale_timestamp"), ("repeated-nonces", "duplicate_nonce")]
)
@in_a_loop
async def test_an_event_that_is_sent_again_is_refused(start, voice_emulator, scenario, fault):
    """Half of the events are a day old, or have the nonce of the event before."""
    voice_emulator.load(scenario)
    async with start() as run:
        for number in range(10):
            await run.worker.notify(Notification(f"861380001000{number}", "100001"))
            await voice_emulator.aio.advance("2m")
        pushes = voice_emulator.callbacks()[1:]  # the first nonce of all repeats none
        assert [push.outcome == "refused" for push in pushes] == [fault in push.faults for push in pushes]
        assert {push.outcome for push in pushes} == {"delivered", "refused"}


@in_a_loop
async def test_the_emulator_catches_a_receiver_that_does_not_check(start, voice_emulator):
    """The same test with the bug: an event that Huawei never sent is recorded."""
    voice_emulator.load("bad-signatures")
    async with start(genuine=lambda event, key: True) as run:
        await run.worker.notify(Notification("8613800000000", "100001"))
        await voice_emulator.aio.advance("2m")
        assert [event["called"] for event in run.events] == ["8613800000000"]
