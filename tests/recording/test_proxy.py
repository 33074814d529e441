"""The recording proxy: what goes on unchanged, what it refuses, and where it never sends anything."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner
from yarl import URL

from tests.rig import served, started
from voice_emulator.cli import commands
from voice_emulator.core.attempts import Attempt
from voice_emulator.errors import UsageError
from voice_emulator.providers.registry import discover
from voice_emulator.recording.exchanges import Reader
from voice_emulator.recording.guards import Guards, upstream_url
from voice_emulator.recording.proxy import Recorder, callback_to, recording

READER = Reader(discover())
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GPSEND = "/api/voiceSms/gpsend"


class Far:
    """The far side: a provider or a receiver that keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, list[tuple[bytes, bytes]], bytes]] = []
        self.url = ""
        self.hold: asyncio.Event | None = None
        #: Set by the twelfth.
        self.full = asyncio.Event()

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        body = await raw.read()
        self.got.append((raw.method, raw.raw_path, list(raw.raw_headers), body))
        if len(self.got) == 12:
            self.full.set()
        if self.hold is not None:
            await self.hold.wait()
        return web.Response(
            status=203,
            body=b'{"code":\t"0"}\xff',
            headers={"Content-Type": "text/odd", "X-Odd": "1", "Server": "real"},
        )


@asynccontextmanager
async def far() -> AsyncIterator[Far]:
    found = Far()
    async with served(found.handle) as found.url:
        yield found


@asynccontextmanager
async def proxied(**options: Any) -> AsyncIterator[tuple[str, Recorder, Far, aiohttp.ClientSession]]:
    async with far() as provider, aiohttp.ClientSession(auto_decompress=False) as client:
        guards = Guards(
            options.pop("budget", 10),
            options.pop("only", ["62812*"]),
            read_only=options.pop("read_only", False),
        )
        recorder = Recorder(READER, guards, {"nxcloud": URL(provider.url)}, **options)
        async with recording(recorder, ["127.0.0.1"], 0) as url:
            yield url, recorder, provider, client


async def test_request_and_reply_go_on_unchanged_and_are_recorded():
    async with proxied() as (url, recorder, provider, client):
        body = b"phone=628120001&x=%e4%bd%a0&appkey=a+b"
        headers = FORM | {"X-Own": "ä".encode().decode("latin-1"), "Accept-Encoding": "br"}
        async with client.post(
            URL(f"{url}{GPSEND}?q=%2F%zz", encoded=True), data=body, headers=headers
        ) as reply:
            assert (reply.status, await reply.read()) == (203, b'{"code":\t"0"}\xff')
            assert (reply.headers["X-Odd"], reply.headers["Content-Type"], reply.headers["Server"]) == (
                "1", "text/odd", "real",
            )  # fmt: skip
        ((method, path, sent, arrived),) = provider.got
        assert (method, path, arrived) == ("POST", f"{GPSEND}?q=%2F%zz", body)
        assert (b"Accept-Encoding", b"br") in sent
        assert dict(sent)[b"Host"] == provider.url.removeprefix("http://").encode()
        (one,) = recorder.exchanges
        assert (one.kind, one.provider, one.body, one.status, one.reply) == (
            "request", "nxcloud", body, 203, b'{"code":\t"0"}\xff',
        )  # fmt: skip


async def test_push_arrives_byte_for_byte_and_so_does_its_answer():
    async with far() as receiver, proxied(receivers={"nxcloud": URL(f"{receiver.url}/dr?key=1")}) as (
        url, recorder, _, client,
    ):  # fmt: skip
        body = bytes(range(256))
        headers = {"Content-Type": "weird/type; x", "User-Agent": "Real/1", "X-Sig": "a=="}
        target = URL(f"{url}/_receiver/nxcloud?a=%41&b=+&b=", encoded=True)
        async with client.post(target, data=body, headers=headers) as reply:
            assert (reply.status, await reply.read()) == (203, b'{"code":\t"0"}\xff')
        ((method, path, sent, arrived),) = receiver.got
        assert (method, path, arrived) == ("POST", "/dr?key=1&a=%41&b=+&b=", body)
        named = {name.lower(): value for name, value in sent}
        assert (named[b"content-type"], named[b"user-agent"], named[b"x-sig"]) == (
            b"weird/type; x",
            b"Real/1",
            b"a==",
        )
        (one,) = recorder.exchanges
        assert (one.is_push, one.body, one.reply) == (True, body, b'{"code":\t"0"}\xff')


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("/nothing/here", "no provider serves"),
        ("/api/yunhu", "no --upstream was given for infin8linx"),
        ("//other.example/api/voiceSms/gpsend", ""),
        ("/@other.example/api/voiceSms/gpsend", "no provider serves"),
    ],
)
async def test_host_that_was_not_given_is_never_reached(target: str, why: str):
    async with proxied() as (url, recorder, provider, client):
        body = b"phone=628120001&service=App.Sip_Call.PlayVoice&destnumber=628120001"
        async with client.post(URL(url + target, encoded=True), data=body, headers=FORM) as reply:
            assert reply.status == 429
            assert why in await reply.text()
        assert (provider.got, recorder.exchanges, recorder.refused) == ([], [], 1)


async def test_absolute_target_and_host_header_decide_nothing():
    async with proxied() as (url, _, provider, _client):
        port = URL(url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST http://other.example/api/voiceSms/gpsend HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 15\r\n\r\nphone=628120001"
        )
        assert (await reader.read()).startswith(b"HTTP/1.1 203")
        writer.close()
        assert [path for _, path, _, _ in provider.got] == [GPSEND]


async def test_push_to_a_public_receiver_is_refused():
    async with proxied(receivers={"nxcloud": URL("http://192.0.2.7/dr")}) as (url, recorder, _, client):
        async with client.post(f"{url}/_receiver/nxcloud", data=b"x") as reply:
            assert reply.status == 502
            assert "192.0.2.7" in await reply.text()
        async with client.post(f"{url}/_receiver/infin8linx", data=b"x") as reply:
            assert reply.status == 404
        assert recorder.exchanges == []


async def test_budget_and_numbers_hold_under_concurrency():
    async with proxied(budget=25) as (url, recorder, provider, client):
        provider.hold = asyncio.Event()

        async def dial(numbers: str) -> int:
            async with client.post(url + GPSEND, data=f"phone={numbers}".encode(), headers=FORM) as reply:
                return reply.status

        tasks = [asyncio.create_task(dial(f"62812{n:04},62812{n + 5000:04}")) for n in range(40)]
        tasks += [asyncio.create_task(dial(f"62813{n:04}")) for n in range(10)]
        await provider.full.wait()  # each of them waits there
        provider.hold.set()
        statuses = await asyncio.gather(*tasks)
        assert statuses.count(203) == 12  # two numbers each; the 25th number is left
        assert statuses.count(429) == 38
        assert recorder.guards.left == 1
        assert await dial("628129999") == 203
        assert await dial("628129998") == 429


@pytest.mark.parametrize(
    "body",
    [
        b"phone=628120001&phone=1900900900", b"phone=1900900900", b"phone=628120001,1900900900", b"", b"phone=%ff",
        b"\x1f\x8bcompressed",
    ],
)  # fmt: skip
async def test_numbers_that_another_reader_could_read_otherwise_are_not_called(body: bytes):
    async with proxied() as (url, _, provider, client):
        async with client.post(url + GPSEND, data=body, headers=FORM) as reply:
            assert reply.status == 429
        target = URL(f"{url}{GPSEND}?phone=1900900900", encoded=True)
        async with client.post(target, data=b"phone=628120001", headers=FORM) as reply:
            assert reply.status == 429
        assert provider.got == []


async def test_read_only_forwards_queries_and_nothing_that_changes_anything():
    async with proxied(read_only=True) as (url, _, provider, client):
        async with client.post(url + GPSEND, data=b"phone=628120001", headers=FORM) as reply:
            assert reply.status == 429
        async with client.post(f"{url}/api/voiceSms/uploadVoiceFile", data=b"a=1", headers=FORM) as reply:
            assert reply.status == 429
        assert provider.got == []
        async with client.post(f"{url}/api/common/getBalance", data=b"appkey=1", headers=FORM) as reply:
            assert reply.status == 203


async def test_public_url_replaces_callback_urls_inside_requests():
    async with proxied(public_url="https://me.example/") as (url, recorder, provider, client):
        recorder.upstreams = {"huawei_cec": URL(provider.url)}
        path = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
        body = {"called": "628120001", "callBackUrl": "http://10.0.0.1/back", "playList": []}
        async with client.post(url + path, json=body) as reply:
            assert reply.status == 203
        assert b'"callBackUrl": "https://me.example/_receiver/huawei_cec"' in provider.got[0][3]
        assert b"10.0.0.1" in recorder.exchanges[0].body


@pytest.mark.parametrize(
    ("name", "value", "new"),
    [
        ("callBackUrl", "http://10.0.0.1/x", "http://here"),
        ("callBackUrl", b64encode(b"https://10.0.0.1/x").decode(), b64encode(b"http://here").decode()),
        ("callBackUrl", "", None), ("callBackUrl", "none", None), ("callBackUrl", 3, None), ("url", "http://10.0.0.1/x", None),
    ],
)  # fmt: skip
def test_callback_url_is_replaced_as_it_was_written(name: str, value: Any, new: str | None):
    assert callback_to("http://here", name, value) == new


@pytest.mark.parametrize(
    "arguments",
    [
        ["trigger", "nxcloud", "--callback-url", "http://192.0.2.7/dr"],
        ["verify", "--provider", "nxcloud", "--callback-url", "http://192.0.2.7/dr"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_public_address_is_reached_by_no_other_command(arguments: list[str]):
    done = CliRunner().invoke(commands, arguments)
    assert done.exit_code != 0
    assert "192.0.2.7 is neither loopback nor private" in done.output


async def test_serve_pushes_to_no_public_address():
    async with started("happy-path", receive=False) as running:
        running.change({"callback_urls": {"infin8linx": "http://192.0.2.7/dr"}})
        form = {"service": "App.Sip_Call.PlayVoice", "appid": "in8-appid", "accesskey": "in8-accesskey", "nationcode": "id",
                "destnumber": "6281200000000", "voicetype": "1", "voicefile": "a.mp3"}  # fmt: skip
        async with running.client.post(f"{running.url}/api/yunhu", data=form) as reply:
            assert reply.status == 200
        await running.settle()
        outcomes = [
            entry.record.outcome for entry in running.tenant.journal if isinstance(entry.record, Attempt)
        ]
    assert [outcome.value for outcome in outcomes] == ["blocked"]


@pytest.mark.parametrize("text", ["http://api.example.com", "ftp://x", "https://u:p@x", "https://x?q", "x"])
def test_upstream_that_is_not_safe_is_refused(text: str):
    with pytest.raises(UsageError):
        upstream_url(text)


@pytest.mark.parametrize(
    "text", ["https://api.example.com/base", "http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"]
)
def test_upstream_is_https_or_on_this_machine(text: str):
    assert str(upstream_url(text)) == text
