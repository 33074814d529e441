"""Receivers at their worst, beyond tests/wire/test_delivery.py: endless, resetting, dribbling, and their effect on
the process. Whatever they do, the next push is made, and memory stays where it was.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from urllib.request import Request, urlopen

import pytest

from tests.cli.process import get, post, serving
from tests.cli.serve.test_command import FORM, GPSEND
from tests.patience import PATIENCE
from tests.rig import started
from tests.robustness.memory import memory_of
from tests.wire.delivery.test_attempting import call
from voice_emulator.core.vocabulary import PushOutcome

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\n"


def reset(writer: asyncio.StreamWriter) -> None:
    known = writer.get_extra_info("socket")
    known.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def resets_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def resets_after_the_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    reset(writer)


async def resets_in_the_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK + b"Content-Length: 100\r\n\r\nsucc")
    await writer.drain()
    reset(writer)


async def closes_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def dribbles_a_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def dribbles_a_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"s")
        await writer.drain()
        await asyncio.sleep(0.01)


async def endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK + b"X: ")
    while True:
        writer.write(b"y" * 65_536)
        await writer.drain()


async def endless_interim_replies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    while True:
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)
        await writer.drain()


async def endless_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\ns\r\n" * 1000)
        await writer.drain()


async def a_gigabyte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK + b"Content-Length: 1073741824\r\n\r\n")
    for _ in range(16_384):
        writer.write(b"x" * 65_536)
        await writer.drain()


@cache
def bomb() -> bytes:
    return zlib.compress(b"success" * 30_000_000, 1)


async def a_bomb(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK + b"Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(bomb()) + bomb())
    await writer.drain()


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(bytes(range(256)) * 100 + b"\r\n\r\n")
    await writer.drain()


BEHAVIOURS = [
    resets_at_once, resets_after_the_head, resets_in_the_answer, closes_at_once, dribbles_a_head, dribbles_a_body,
    endless_head, endless_interim_replies, endless_chunks, a_gigabyte, a_bomb, garbage,
]  # fmt: skip


@asynccontextmanager
async def misbehaving(behaviour: Behaviour) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # hung up on: as it should be
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/dr"
    finally:
        server.close()


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
async def test_a_misbehaving_receiver_costs_its_own_push_and_nothing_else(behaviour: Behaviour):
    async with misbehaving(behaviour) as url, started(callback_timeout=0.5) as emu:
        good = dict(emu.tenant.callback_urls)
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu)
        async with asyncio.timeout(PATIENCE):
            done = await emu.advance("1h")
        (attempt,) = done.callbacks
        # A gigabyte of x, or a bomb, is a reply; the part that was read does not acknowledge the push.
        wanted = {PushOutcome.FAILED}
        if behaviour in (a_gigabyte, a_bomb, endless_chunks):
            wanted = {PushOutcome.REFUSED, PushOutcome.FAILED}
        assert attempt.outcome in wanted
        assert attempt.reason
        assert attempt.reply is None or len(attempt.reply.body) <= 4_096
        emu.change({"callback_urls": good})
        await call(emu)
        await emu.advance("1h")
        assert len(emu.receiver.received) == 1


@pytest.mark.parametrize("pieces", [(b"suc", b"cess"), (b"s", b"u", b"c", b"c", b"e", b"s", b"s")])
@pytest.mark.parametrize("chunked", [False, True])
async def test_an_acknowledgement_that_comes_in_pieces_is_one(pieces: tuple[bytes, ...], chunked: bool):
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            OK + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"Content-Length: 7\r\n\r\n")
        )
        for piece in pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.write(b"0\r\n\r\n" if chunked else b"")

    async with misbehaving(slow) as url, started() as emu:
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu)
        (attempt,) = (await emu.advance("1h")).callbacks
        assert attempt.outcome is PushOutcome.DELIVERED
        assert attempt.reply is not None
        assert attempt.reply.body == b"success"


def patch(url: str, body: bytes) -> None:
    request = Request(url, body, {"Content-Type": "application/json"}, method="PATCH")
    with urlopen(request, timeout=PATIENCE) as reply:
        assert reply.status == 200


async def test_receivers_that_send_without_end_do_not_fill_the_memory():
    with_everything = [endless_head, endless_chunks, a_gigabyte, a_bomb]
    with serving("--clock", "1000x", "--callback-timeout", "2") as server:
        before = memory_of(server.process.pid).peak
        for behaviour in with_everything:
            async with misbehaving(behaviour) as url:
                body = b'{"callback_urls": {"nxcloud": "%s"}}' % url.encode()
                await asyncio.to_thread(patch, server.ready["control"] + "/v1/tenants/default", body)
                for number in range(20):
                    form = GPSEND.replace(b"6281200010011", b"62812000%02d011" % number)
                    await asyncio.to_thread(
                        post, server.ready["traffic"] + "/api/voiceSms/gpsend", form, **FORM
                    )
                url = server.ready["control"] + "/v1/tenants/default/wait?for=callbacks&timeout=30s&count="
                wanted = 20 * (with_everything.index(behaviour) + 1)
                assert (await asyncio.to_thread(get, f"{url}{wanted}"))["satisfied"]
        grown = memory_of(server.process.pid).peak - before
        assert grown < 100 * 1024 * 1024, f"{grown:,} bytes"
