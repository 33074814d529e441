"""Line breaks in what clients and scenarios say never end a header early, neither in replies nor in pushes."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import click
import pytest

from tests.providers.huawei_cec.client import NOTIFICATION, UPLOAD, Client
from tests.providers.infin8linx.account import BATCH
from tests.providers.nxcloud.customer import Customer
from tests.rig import Running, started
from tests.wire.raw import GPSEND, talk
from voice_emulator.app import Emulator
from voice_emulator.cli.serve.command import serve
from voice_emulator.errors import EmulatorError
from voice_emulator.settings import Options

EVIL = (
    "a\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\nHost: b",
    "a\nX-Evil: 1",
    "a\rX-Evil: 1",
    "a\x00\x0b\x0c\x85\u2028X-Evil: 1",
)
#: Header names that pushes have, whatever the encoding.
KNOWN = {
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "content-type",
    "content-length",
    "connection",
    "transfer-encoding",
}


@dataclass
class Bare:
    """A receiver of bare sockets: every head as it came, and one reply each."""

    url: str = ""
    heads: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                length = re.search(rb"(?i)content-length: *([0-9]+)", head)
                await reader.readexactly(int(length[1]) if length else 0)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsuccess")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def check(self) -> None:
        """Every head is one request line and headers that pushes have."""
        for head in self.heads:
            assert b"\n" not in head.replace(b"\r\n", b"")
            assert b"\r" not in head.replace(b"\r\n", b"")
            line, *headers = head[:-4].split(b"\r\n")
            assert re.fullmatch(rb"(GET|POST) /[!-~]* HTTP/1\.1", line), line
            assert {header.split(b":")[0].decode().lower() for header in headers} <= KNOWN, head


@asynccontextmanager
async def bare() -> AsyncIterator[Bare]:
    receiver = Bare()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield receiver


# --- into pushes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["query", "form", "json"])
async def test_fields_that_are_echoed_into_pushes_stay_fields(encoding: str):
    text = f"name: s\nrules:\n  - {{name: e, receipt: {{encoding: {encoding}}}}}\n"
    async with bare() as receiver, started(text, receive=False) as emu:
        keys = ("nxcloud", "nxcloud_cdr", "nxcloud_status", "infin8linx", "huawei_cec")
        emu.change({"callback_urls": {key: f"{receiver.url}/{key}" for key in keys}})
        customer, client = Customer(emu), Client(emu)
        await client.sign_in()
        for number, evil in enumerate(EVIL):
            await customer.ask("gpsend", ext=evil, phone=f"6281200010{number}19")
            await customer.ask("versend", ext=evil, phone=f"6281200020{number}19")
            token = await customer.token()
            await customer.ask("makecall", token=token, orderid=evil, phone=f"6281200030{number}19")
            data = {
                **BATCH,
                "destnumber": f"628120004{number}19",
                "chengshudu": evil,
                "customuuid": evil,
                "memberid": evil,
            }
            async with emu.client.post(emu.url + "/api/yunhu", data=data) as reply:
                await reply.read()
            await client.send("createVoiceNotification", {**NOTIFICATION, "callerPresent": evil})
            await client.send("createVoiceNotification", {**NOTIFICATION, "called": f"8613{number}"})
            await client.send(
                "importVoiceFile", {**UPLOAD, "voiceFileName": evil, "callBackUrl": f"{receiver.url}/review"}
            )
        await emu.settle()
        assert len(receiver.heads) >= 15
        receiver.check()


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize(
    "transport", ["{copies: 1}", "{reset: true}", "{slow_body: {every: 1ms, bytes: 9}}", "{encoding: query}"]
)
async def test_a_callback_url_with_line_breaks_never_reaches_a_socket(evil: str, transport: str):
    """Set past the API's checks, as a scenario file or an embedding program might."""
    text = f"name: s\nrules:\n  - {{name: e, receipt: {transport}}}\n"
    async with bare() as receiver, started(text, receive=False) as emu:
        for url in (
            f"{receiver.url}/{evil}",
            f"{receiver.url}/x?y={evil}",
            f"{receiver.url}{evil}",
            f"{receiver.url}/#{evil}",
            evil,
        ):
            emu.change({"callback_urls": {"nxcloud": url}})
            await Customer(emu).ask("gpsend")
            await emu.settle()
        receiver.check()
        assert not any(b"X-Evil" in head.partition(b"\r\n")[2] for head in receiver.heads)
        assert len(emu.tenant.attempts) == 5


@pytest.mark.parametrize("evil", EVIL)
async def test_the_control_api_refuses_a_callback_url_with_line_breaks(evil: str):
    async with started() as emu:
        before = dict(emu.tenant.callback_urls)
        for method, path in (("PATCH", "/v1/tenants/default"), ("POST", "/v1/tenants")):
            body = {"callback_urls": {"nxcloud": f"http://127.0.0.1:9/{evil}"}}
            async with emu.client.request(method, emu.control + path, json=body) as reply:
                assert reply.status == 422
                assert (await reply.json())["errors"][0]["pointer"] == "/callback_urls/nxcloud"
        assert emu.tenant.callback_urls == before


@pytest.mark.parametrize("evil", EVIL)
async def test_a_call_back_url_of_a_request_is_refused_with_line_breaks(evil: str):
    async with bare() as receiver, started(receive=False) as emu:
        client = Client(emu)
        await client.sign_in()
        url = f"{receiver.url}/{evil}"
        for value in (url, base64.b64encode(url.encode()).decode()):
            for operation, body in (("createVoiceNotification", NOTIFICATION), ("importVoiceFile", UPLOAD)):
                answer = await client.send(operation, {**body, "callBackUrl": value})
                assert answer.code != "0"
        await emu.settle()
        assert receiver.heads == []


@pytest.mark.parametrize("evil", EVIL[:3])
def test_neither_the_command_line_nor_a_scenario_takes_a_callback_url_with_line_breaks(evil: str):
    url = f"http://127.0.0.1:9/{evil}"
    for option in (["--callback-url", url], ["--rewrite-callback", f"http://localhost={url}"]):
        with pytest.raises(click.BadParameter, match=r"not a valid URL|not a pair of URLs"):
            serve.make_context("serve", option)
    text = json.dumps({"name": "s", "providers": {"nxcloud": {"callback_url": url}}, "rules": []})
    with pytest.raises(EmulatorError, match="callback_url"):
        Emulator(Options(port=0, control_port=0), scenario_text=text)


# --- into replies ---------------------------------------------------------------------------------


async def heads_of(emu: Running, request: bytes) -> bytes:
    answer = await talk(emu.url, request)
    assert b"X-Evil" not in [line.split(b":")[0] for line in answer.head.split(b"\r\n")], answer.head
    return answer.head


async def test_a_path_with_line_breaks_stays_in_its_line_of_the_reply():
    async with started() as emu:
        for evil in EVIL:
            path = quote(f"/nowhere/{evil}")
            head = await heads_of(
                emu, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
            )
            assert head.startswith(b"HTTP/1.1 404")
            assert head.count(b"\r\nEmulator-Error: ") == 1


async def test_headers_and_rule_names_of_a_scenario_stay_in_their_lines():
    for evil in EVIL:
        rules = [
            {
                "name": f"evil {evil}",
                "match": {"operation": "gpsend"},
                "reply": {
                    "status": 200,
                    "headers": {"X-ResponseSpec": evil, "Content-Type": f"text/plain{evil}"},
                    "body": "x",
                },
            }
        ]
        try:
            async with started(json.dumps({"name": "s", "rules": rules}, indent=1)) as emu:
                body = "&".join(f"{name}={quote(value)}" for name, value in GPSEND.items())
                head = await heads_of(
                    emu,
                    f"POST /api/voiceSms/gpsend HTTP/1.1\r\nHost: x\r\nEmulator-Explain: 1\r\nConnection: close\r\n"
                    f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode(),
                )
                assert head.startswith(b"HTTP/1.1 200")
        except EmulatorError as error:
            assert "header" in str(error) or "name" in str(error)  # noqa: PT017 - refusing it is as good


async def test_names_of_uploaded_files_and_hosts_stay_where_they_belong():
    async with started() as emu:
        customer = Customer(emu)
        for evil in EVIL:
            await customer.ask("uploadVoiceFile", filename=f"{evil}.mp3")
        listed = await customer.ask("getUserFileUrl")
        urls: list[Any] = re.findall(r"https?://[^\"\\]+", json.dumps(listed))
        assert urls
        for url in urls:
            path = "/" + url.split("/", 3)[3]
            await heads_of(emu, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
