"""Requests that are answered within the arrival of their bytes: to a client they are like all others."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.patience import PATIENCE
from tests.rig import Running, started
from tests.wire.raw import GPSEND
from voice_emulator.wire.http.aiohttp_versions import AT_ONCE, Inside
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.traffic.gateway import Gateway

needs_it = pytest.mark.skipif(
    not AT_ONCE.usable(), reason="this aiohttp is not one of those it was tested with"
)
TOKEN = "/apigovernance/api/oauth/tokenByAkSk"
SLOW = "name: s\nrules:\n  - {name: s, match: {number: '*99'}, fault: {latency: 300ms}}\n"


def whole(
    path: str, body: str, kind: str = "application/x-www-form-urlencoded", method: str = "POST"
) -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def call_to(number: str) -> bytes:
    return whole("/api/voiceSms/gpsend", urlencode({**GPSEND, "phone": number}))


class Client:
    """One connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    @asynccontextmanager
    async def to(cls, emu: Running) -> AsyncIterator[Client]:
        parts = urlsplit(emu.url)
        client = cls(*await asyncio.open_connection(parts.hostname, parts.port))
        try:
            yield client
        finally:
            client.writer.close()
            with suppress(ConnectionError):
                await client.writer.wait_closed()

    async def answer(self) -> bytes:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        found = re.search(rb"Content-Length: (\d+)", head)
        assert found is not None
        body = await asyncio.wait_for(self.reader.readexactly(int(found[1])), PATIENCE)
        return re.sub(rb"Date: [^\r]*\r\n", b"", head) + body


CASES = [
    call_to("6212345678"),
    whole("/api/voiceSms/gpsend", "appkey=nobody"),
    whole("/api/voiceSms/gpsend?phone=1", "%ff"),
    whole(TOKEN, '{"app_key":"cec-app-key","app_secret":"cec-app-secret"}', "application/json"),
    whole(TOKEN, '{"app_key":', "application/json"),
    whole(TOKEN, "", "application/json", "GET"),
    whole("/api/nowhere", "x=1"),
    whole("/api/infin8linx", "service=App.Sip_Call.Nonsense"),
    whole("/api/voiceSms/gpsend", '--b\r\nContent-Disposition: form-data; name="phone"\r\n\r\n62\r\n--b--\r\n',
          "multipart/form-data; boundary=b"),
]  # fmt: skip


@needs_it
async def test_every_request_of_a_busy_client_is_answered_at_once(monkeypatch):
    offered = []
    at_once = Gateway.at_once

    def counted(self: Gateway, *args: Any) -> bool:
        offered.append(at_once(self, *args))
        return offered[-1]

    monkeypatch.setattr(Gateway, "at_once", counted)
    async with started() as emu, Client.to(emu) as client, Client.to(emu) as other:
        for number in range(20):
            for each in (client, other):
                each.writer.write(call_to(f"62123456{number:02}"))
            for each in (client, other):
                await each.answer()
        # One that aiohttp must carry does not leave the connection slow.
        client.writer.write(whole("/api/nowhere", ""))
        await client.answer()
        client.writer.write(call_to("6212345678"))
        await client.answer()
        for case in CASES:
            client.writer.write(case)
            await client.answer()
    # Whatever its body; only not at a path that no provider serves.
    known = [not case.startswith((b"POST /api/nowhere", b"POST /api/infin8linx")) for case in CASES]
    assert offered == [True] * 40 + [False, True] + known


async def told(
    cut: int | None, fallen_back: bool, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[bytes], list[Any]]:
    """What a client hears in reply to all cases, and what the journal then has."""
    if fallen_back:
        monkeypatch.setattr(Inside, "usable", lambda self: False)
    async with started() as emu, Client.to(emu) as client, Client.to(emu) as other:
        answers = []
        for case in CASES:
            if cut is None:
                client.writer.write(case)
            else:
                client.writer.write(case[:cut])
                await client.writer.drain()
                # Whatever is answered to another client was asked after this part had come.
                other.writer.write(whole("/api/nowhere", ""))
                await other.answer()
                client.writer.write(case[cut:])
            answers.append(await client.answer())
        entries = [
            {name: value for name, value in entry.record.shown().items() if name != "duration_ms"}
            for entry in emu.tenant.journal
            if isinstance(entry.record, RequestRecord) and entry.record.request.body
        ]
        for entry in entries:
            entry["reply"].pop("headers")
        return answers, entries


async def test_arrival_in_pieces_or_at_once_makes_no_difference(monkeypatch):
    at_once = await told(None, False, monkeypatch)
    assert len(at_once[1]) == len(CASES) - 1
    with monkeypatch.context() as patched:
        assert at_once == await told(None, True, patched)
    assert at_once == await told(40, False, monkeypatch)
    assert at_once == await told(-1, False, monkeypatch)


@pytest.mark.parametrize("pieces", [1, 2, 7])
async def test_pipelined_requests_are_answered_in_their_order(pieces: int):
    async with started() as emu, Client.to(emu) as client:
        numbers = [f"62123456{index:02}" for index in range(40)]
        sent = b"".join(map(call_to, numbers))
        size = len(sent) // pieces + 1
        for begin in range(0, len(sent), size):
            client.writer.write(sent[begin : begin + size])
            await client.writer.drain()
        answers = [await client.answer() for _ in numbers]
        assert all(b"200" in answer for answer in answers)
        assert [call.number for call in emu.tenant.ledger] == numbers
        ids = [re.search(rb'"messageid":"?([^",}]+)', answer) for answer in answers]
        assert [found and found[1].decode() for found in ids] == [
            call.provider_id for call in emu.tenant.ledger
        ]


async def test_a_reply_that_a_rule_delays_holds_up_its_own_connection_only():
    async with started(SLOW) as emu, Client.to(emu) as slow, Client.to(emu) as quick:
        slow.writer.write(call_to("6212345699"))
        quick.writer.write(call_to("6212345678"))
        waiting = asyncio.ensure_future(slow.answer())
        await quick.answer()
        assert not waiting.done()
        assert b" 200 " in await waiting
        # Behind a delayed one, the next on the same connection waits its turn.
        slow.writer.write(call_to("6212345699") + call_to("6212345677"))
        first, second = await slow.answer(), await slow.answer()
        assert first != second
        assert [call.number[-2:] for call in emu.tenant.ledger][-2:] == ["99", "77"]


async def test_a_connection_in_use_is_not_closed_for_being_idle(monkeypatch):
    monkeypatch.setattr("voice_emulator.wire.http.connection_limits.KEPT_ALIVE", 0.2)
    async with started() as emu, Client.to(emu) as client:
        loop = asyncio.get_running_loop()
        begun, count = loop.time(), 0
        while loop.time() < begun + 0.7:
            client.writer.write(call_to("6212345678"))
            await client.answer()
            count += 1
        assert len(emu.tenant.ledger) == count
        # Once it is idle, it is.
        assert await asyncio.wait_for(client.reader.read(), PATIENCE) == b""


async def test_a_client_that_is_gone_before_its_reply_still_has_its_call(monkeypatch):
    async with started() as emu, Client.to(emu) as client, Client.to(emu) as other:
        client.writer.write(call_to("6212345678"))
        await client.writer.drain()
        client.writer.transport.abort()
        other.writer.write(call_to("6212345679"))
        await other.answer()
        assert {call.number for call in emu.tenant.ledger} >= {"6212345679"}
        assert all(call.state != "queued" for call in emu.tenant.ledger)


@needs_it
async def test_a_bug_behind_one_reply_cuts_that_connection_and_no_other(monkeypatch, caplog):
    async with started() as emu, Client.to(emu) as first, Client.to(emu) as second, Client.to(emu) as third:
        pipeline = emu.emulator.runtime.gateway.pipeline
        conclude = pipeline.conclude

        def breaks(record, calls, now):
            if "6212345699" in record.request.numbers:
                raise RuntimeError("broken on purpose")
            conclude(record, calls, now)

        monkeypatch.setattr(pipeline, "conclude", breaks)
        clients = [first, second, third]
        for client, number in zip(clients, ("6212345678", "6212345699", "6212345677"), strict=True):
            client.writer.write(call_to(number))
        answers = [await client.answer() for client in clients]
        assert all(b" 200 " in answer for answer in answers)
        with suppress(ConnectionError):
            assert await asyncio.wait_for(second.reader.read(), PATIENCE) == b""
        assert second.reader.at_eof() or second.reader.exception()
        third.writer.write(call_to("6212345676"))
        assert b" 200 " in await third.answer()
        assert "broken on purpose" in caplog.text


@pytest.mark.parametrize("cut", [1, 60, 150, -1])
async def test_a_request_that_comes_in_pieces_within_one_round_leaves_the_connection_in_order(
    cut: int, caplog
):
    """A busy machine reads several pieces before it goes on: the first of them wakes the task of the connection."""
    async with started() as emu, Client.to(emu) as client:
        for _ in range(3):
            sent = call_to("6281200000486")
            client.writer.write(sent)
            assert b" 200 " in await client.answer()
            (connection,) = emu.emulator._runners[0].server.connections
            for piece in (sent[:cut], sent[cut:]):
                connection.data_received(piece)
            assert b" 200 " in await client.answer()
            client.writer.write(whole("/nowhere", ""))
            assert b" 404 " in await client.answer()
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
