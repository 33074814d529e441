"""Requests that are none, or that two readers could read in two ways: the corpus, against both ports.

``smuggle-*`` hold a second request (for /canary) where only a reader that errs would see one, and must be turned
away as a whole; ``swallow-*`` are proper requests that hold one in their body or behind their last word, and are
answered once, though most are refused before their body is read; ``malformed-*`` must be turned away; ``odd-*`` are
proper HTTP seldom met, and must be answered. After each the server answers others as before.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.patience import PATIENCE
from tests.rig import Running, started
from tests.wire.raw import GPSEND

CORPUS = sorted(Path(__file__).with_name("corpus").glob("*.http"))
PORTS = ("traffic", "control")
GP = "/api/voiceSms/gpsend"
#: How many other requests the server answers, one after the other, before we take its silence for its last word.
OTHERS = 50
CANARY = b"GET /canary HTTP/1.1\r\nHost: localhost\r\n\r\n"
#: What the hidden request does where there is something to do: a call, a tenant.
HARM = {
    "traffic": (GP.encode(), b"application/x-www-form-urlencoded", urlencode(GPSEND).encode()),
    "control": (b"/v1/tenants", b"application/json", b'{"id": "smuggled"}'),
}


@pytest.fixture
async def emu() -> AsyncIterator[Running]:
    async with started("happy-path", "real", receive=False) as emu:
        yield emu


def replies_in(answer: bytes) -> list[bytes]:
    """The final statuses in an answer."""
    found = re.findall(rb"^HTTP/[01]\.[019] ([0-9]{3}) ", answer, re.MULTILINE)
    return [status for status in found if status != b"100"]


def harmful(path: Path, port: str) -> bytes:
    """The file with a hidden request that would do something, and lengths that fit it."""
    target, kind, body = HARM[port]
    harm = b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        target, kind, len(body), body,
    )  # fmt: skip
    head, _, rest = path.read_bytes().partition(b"\r\n\r\n")
    head = re.sub(rb"\b(41|46)\b", lambda found: b"%d" % (int(found[0]) - len(CANARY) + len(harm)), head)
    rest = re.sub(rb"^29\b", b"%x" % len(harm), rest)
    return head + b"\r\n\r\n" + rest.replace(CANARY, harm)


async def say(emu: Running, base: str, *said: bytes) -> list[bytes]:
    """Say each over a connection of its own: everything that comes back until the server closes or has no more to say.

    One loop serves all, so what it has to say it says while it answers others.
    """
    parts = urlsplit(base)
    heard = [bytearray() for _ in said]

    async def talk(sent: bytes, received: bytearray) -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(sent)
            await writer.drain()
            while chunk := await reader.read(65536):
                received += chunk
        except ConnectionError:
            pass  # how it ends is not the question here
        finally:
            writer.close()

    talks = [asyncio.create_task(talk(*pair)) for pair in zip(said, heard, strict=True)]
    silent, before = 0, -1
    while silent < OTHERS and not all(talk.done() for talk in talks):
        async with emu.client.get(emu.control + "/health") as reply:
            assert reply.status == 200
        now = sum(map(len, heard))
        silent, before = (silent + 1 if now == before else 0), now
    for each in talks:
        each.cancel()
    for end in await asyncio.gather(*talks, return_exceptions=True):
        assert end is None or isinstance(end, asyncio.CancelledError)
    return [bytes(received) for received in heard]


def paths(emu: Running) -> list[str]:
    return [
        entry.record.shown()["request"]["path"] for entry in emu.tenant.journal if entry.kind == "request"
    ]


async def test_the_corpus_is_there():
    kinds = [path.name.partition("-")[0] for path in CORPUS]
    assert min(kinds.count(kind) for kind in ("smuggle", "swallow", "malformed", "odd")) > 15
    hidden = [path.name for path in CORPUS if CANARY in path.read_bytes()]
    assert len([name for name in hidden if name.startswith(("smuggle-", "swallow-"))]) > 90


@pytest.mark.parametrize("port", PORTS)
async def test_every_file_leaves_the_server_answering(emu: Running, port: str, caplog):
    caplog.set_level(logging.INFO)
    base = {"traffic": emu.url, "control": emu.control}[port]
    answers = await say(emu, base, *(path.read_bytes() for path in CORPUS))
    wrong = {}
    for path, answer in zip(CORPUS, answers, strict=True):
        replies = replies_in(answer)
        kind = path.name.partition("-")[0]
        if kind == "odd":
            fine = replies and set(replies) <= {b"200", b"400", b"404", b"405", b"417", b"421"}
        elif kind == "swallow":
            fine = len(replies) == 1 and replies[0] in {
                b"200",
                b"400",
                b"404",
                b"405",
                b"413",
                b"417",
                b"421",
            }
        else:
            fine = replies in ([], [b"400"])
        if not fine:
            wrong[path.name] = answer[:120]
    assert wrong == {}
    assert not [answer for answer in answers if b"s3cr3t" in answer], "TRACE gives nothing back"
    assert "/canary" not in paths(emu)
    async with emu.client.get(emu.control + "/health") as reply:
        assert reply.status == 200
    async with emu.client.get(emu.url + "/nowhere") as reply:
        assert reply.status == 404
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


@pytest.mark.parametrize("port", PORTS)
async def test_a_hidden_request_is_never_carried_out(emu: Running, port: str):
    base = {"traffic": emu.url, "control": emu.control}[port]
    files = [path for path in CORPUS if path.name.startswith(("smuggle-", "swallow-", "malformed-"))]
    await say(emu, base, *(harmful(path, port) for path in files))
    assert list(emu.tenant.ledger) == []
    assert [tenant.id for tenant in emu.emulator.runtime.tenancy] == ["default"]
    assert set(paths(emu)) & {"/canary", GP, "/v1/tenants"} == set()
    # The same request in the open is carried out: it was not for want of it.
    target, kind, body = HARM[port]
    async with emu.client.post(
        base + target.decode(), data=body, headers={"Content-Type": kind.decode()}
    ) as reply:
        assert reply.status in (200, 201)
    if port == "traffic":
        assert len(list(emu.tenant.ledger)) == 1
    else:
        assert [tenant.id for tenant in emu.emulator.runtime.tenancy] == ["default", "smuggled"]


@pytest.mark.parametrize("port", PORTS)
async def test_a_request_in_pieces_is_the_same_request(emu: Running, port: str):
    base = {"traffic": emu.url, "control": emu.control}[port]
    parts = urlsplit(base)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for byte in b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":
        writer.write(bytes([byte]))
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 404")


async def test_what_is_no_http_is_logged_without_its_contents(emu: Running, caplog):
    caplog.set_level(logging.DEBUG)
    await say(emu, emu.url, b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization\x01: Bearer s3cr3t\r\n\r\n")
    (line,) = [record.getMessage() for record in caplog.records if "sent invalid HTTP" in record.getMessage()]
    assert "s3cr3t" not in caplog.text
    assert "\n" not in line
