"""One emulator for these tests, a tenant on a manual clock for each, and a receiver in a thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

import voice_emulator
from tests.patience import PATIENCE
from voice_emulator.client import AsyncClient, Client, Tenant, VoiceEmulator

START = "2026-01-05T09:00:00+08:00"


@pytest.fixture(scope="session")
def server() -> Iterator[VoiceEmulator]:
    """A running emulator; its tenant `default` is nobody's in particular."""
    with voice_emulator.running(strict=True) as running:
        yield running


@pytest.fixture
def tenant(server) -> Iterator[Tenant]:
    """A tenant of this test's own."""
    tenant = server.client.create_tenant(clock={"mode": "manual", "start": START})
    yield tenant
    server.client.delete_tenant(tenant.id)


@pytest.fixture
def held(server, tenant) -> Iterator[VoiceEmulator]:
    """The same tenant, as a test holds it."""
    held = VoiceEmulator(server.control_url, id=tenant.id)
    yield held
    held.close()


@pytest.fixture(params=["sync", "async"])
def client(request, server) -> Iterator[Callable[..., Any]]:
    """Calls a method of either client by its name, and returns the result."""
    if request.param == "sync":
        with Client(server.control_url) as client:
            yield lambda name, *args, **kwargs: getattr(client, name)(*args, **kwargs)
        return
    with asyncio.Runner() as runner:
        other = AsyncClient(server.control_url)
        yield lambda name, *args, **kwargs: runner.run(getattr(other, name)(*args, **kwargs))
        runner.run(other.close())


@pytest.fixture
def place(server) -> Callable[..., bytes]:
    """Places one NXCloud call for a tenant."""

    def place(tenant: Tenant, phone: str = "6281200000486") -> bytes:
        keys = tenant.credentials["nxcloud"]
        form = {
            "appkey": keys["appkey"],
            "secretkey": keys["secretkey"],
            "phone": phone,
            "country_code": "62",
            "show_phone": "1234",
            "url": "http://files.example.com/a.mp3",
        }
        with urlopen(
            f"{server.url}/api/voiceSms/gpsend", urlencode(form).encode(), timeout=PATIENCE
        ) as reply:
            return bytes(reply.read())

    return place


class Receiver(BaseHTTPRequestHandler):
    """Answers every push as NXCloud expects."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"success")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    """The URL of a receiver that runs in a thread of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/dr"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
