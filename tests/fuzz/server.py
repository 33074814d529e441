"""An emulator on a loop of its own, to which anything may be said, and which must then serve as before.

Plain functions call it, since neither Hypothesis nor atheris awaits.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Coroutine
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from tests.fuzz.replies import Answered, replies_in
from tests.patience import PATIENCE
from tests.rig import Running, started
from tests.wire.raw import GPSEND

T = TypeVar("T")
GP, TOKEN = "/api/voiceSms/gpsend", "/apigovernance/api/oauth/tokenByAkSk"
CREATE = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
#: What a scenario under test is tried with, one call at each provider and a query.
CALLS = (
    (GP, FORM, (b"appkey=nx-appkey&secretkey=nx-secretkey&phone=6281200010011,62899&country_code=62"
                b"&show_phone=1&url=https%3A%2F%2Fa.test%2F1.mp3")),
    ("/api/yunhu", JSON, (b'{"service":"PlayVoice","appid":"in8-appid","accesskey":"in8-accesskey",'
                          b'"callnumber":"13800000000","phonenumber":"13800000000","playcontent":"1"}')),
    (TOKEN, JSON, b'{"app_key":"cec-app-key","app_secret":"cec-app-secret"}'),
    (CREATE, JSON, b'{"called":"8899","playList":[{"voiceId":"1"}]}'),
    ("/api/voiceSms/getVoiceCdr", FORM, b"appkey=nx-appkey&secretkey=nx-secretkey&messageid=1"),
)  # fmt: skip


class _Complaints(logging.Handler):
    """What was logged as an error, or with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            self.lines.append(logging.Formatter().format(record))


class Server:
    """A strict emulator with nobody to push to, as a context manager."""

    def __init__(self, clock: str = "real") -> None:
        """``clock`` as in tests/rig.py."""
        self._loop = asyncio.new_event_loop()
        self._context = started("happy-path", clock, receive=False)
        self._complaints = _Complaints()
        self._undo = ExitStack()
        self.running: Running

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self._complaints)
        self._undo.callback(logging.getLogger().removeHandler, self._complaints)
        self._undo.callback(self._loop.close)
        self.running = self.run(self._context.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._undo:
            self.run(self._context.__aexit__(None, None, None))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await ``work``, for a while."""
        return self._loop.run_until_complete(asyncio.wait_for(work, PATIENCE))

    def base(self, port: str) -> str:
        """The URL of ``traffic`` or ``control``."""
        return {"traffic": self.running.url, "control": self.running.control}[port]

    def say(self, port: str, sent: bytes) -> list[Answered]:
        """Send ``sent`` over a connection of its own: the replies. Fails unless all is well then, and afterwards."""
        received = self.run(self._say(self.base(port), sent))
        self.run(self._serves())
        self.check_log()
        replies = replies_in(received)
        for reply in replies:
            reply.check(port)
        return replies

    async def _say(self, base: str, sent: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        parts = urlsplit(base)
        with socket.socket() as peer:
            peer.setblocking(False)
            await loop.sock_connect(peer, (parts.hostname, parts.port))
            try:
                await loop.sock_sendall(peer, sent)
                # While these are asked and answered, one loop serving all, so is what was sent.
                await self._readable()
                return _all_of(peer)
            except ConnectionError:
                return b""

    async def _readable(self) -> None:
        """Journal and calls can be read as JSON, and the metrics as text."""
        base = self.running.control
        for what in (
            "journal?limit=20",
            "calls?limit=20",
            "violations?limit=20",
            "har",
            "report?format=json",
        ):
            async with self.running.client.get(f"{base}/v1/tenants/default/{what}") as reply:
                assert reply.status == 200
                json.loads(await reply.read())
        async with self.running.client.get(base + "/metrics") as reply:
            assert reply.status == 200
            for line in (await reply.read()).decode().splitlines():
                assert line.startswith("#") or float(line.rpartition(" ")[2]) >= 0, line

    async def _serves(self) -> None:
        """A well-formed call is carried out, whatever was changed before."""
        client, control = self.running.client, self.running.control
        async with client.get(control + "/v1/tenants?limit=1000") as reply:
            others = [tenant["id"] for tenant in (await reply.json())["tenants"] if tenant["id"] != "default"]
        for other in others:
            async with client.delete(f"{control}/v1/tenants/{other}") as reply:
                assert reply.status == 204
        async with client.post(control + "/v1/tenants/default/reset?to=start") as reply:
            assert reply.status == 200
        async with client.post(self.running.url + GP, data=GPSEND) as reply:
            assert (await reply.json(content_type=None))["code"] == "0"
        async with client.get(control + "/v1/tenants/default/calls") as reply:
            assert [call["number"] for call in (await reply.json())["calls"]] == [GPSEND["phone"]]

    def check_log(self) -> None:
        """Nothing was logged as an error; what was is forgotten."""
        found, self._complaints.lines = self._complaints.lines, []
        assert not found, "\n".join(found)

    def load(self, text: str) -> int:
        """PUT a scenario: the status."""
        return self.run(self._load(text))

    async def _load(self, text: str) -> int:
        url = self.running.control + "/v1/tenants/default/scenario"
        headers = {"Content-Type": "application/yaml"}
        async with self.running.client.put(url, data=text.encode(), headers=headers) as reply:
            body = await reply.json(content_type=None)
            assert reply.status in (200, 409, 422), body
            assert reply.status == 200 or body["title"]
            return reply.status

    def play(self) -> None:
        """Calls at every provider under the scenario in force, on a manual clock, until nothing is pending."""
        self.run(self._play())
        self.run(self._serves())
        self.check_log()

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        parts = urlsplit(self.running.url)
        peers = []
        for path, kind, body in CALLS:
            peer = socket.socket()
            peers.append(peer)
            peer.setblocking(False)
            await loop.sock_connect(peer, (parts.hostname, parts.port))
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            await loop.sock_sendall(peer, head.encode() + body)
        await self._readable()
        url = self.running.control + "/v1/tenants/default/clock/advance"
        asked = {"to": "idle", "at_most": "24h", "wall_limit": "200ms"}
        async with self.running.client.post(url, json=asked) as reply:
            # 409: the scenario has a clock of its own.
            assert reply.status in (200, 409), await reply.text()
        await self._readable()
        for peer in peers:
            peer.close()


def _all_of(peer: socket.socket) -> bytes:
    """What has come so far."""
    received = b""
    try:
        while chunk := peer.recv(1 << 16):
            received += chunk
    except BlockingIOError:
        pass
    return received
