"""Output that nobody reads: it is dropped and counted, and holds nothing up."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TextIO, cast
from urllib.parse import urlsplit

import pytest

from tests.cli.process import get, group, post, running
from tests.patience import PATIENCE
from voice_emulator.cli.output import Outlet, dropped

LINE = "x" * 99 + "\n"


class Reader:
    """What is behind a stream: it takes nothing until it is let, and then a few bytes at a time."""

    def __init__(self, piece: int = 7) -> None:
        self.taken = bytearray()
        self.reading = threading.Event()
        self.failure: OSError | None = None
        self._piece = piece

    def write(self, data: memoryview) -> int:
        assert self.reading.wait(PATIENCE)
        if self.failure is not None:
            raise self.failure
        self.taken += data[: self._piece]
        return min(self._piece, len(data))


class Stream:
    """As Python makes one of a descriptor, over a Reader."""

    name = "<reader>"
    encoding = "ascii"

    def __init__(self, reader: Reader) -> None:
        self.buffer = reader

    def flush(self) -> None:
        """There is nothing in it."""


def outlet(reader: Reader, limit: int = 10_000) -> Outlet:
    return Outlet(cast("TextIO", Stream(reader)), limit)


def test_lines_come_out_whole_and_in_their_order():
    reader = Reader()
    reader.reading.set()
    out = outlet(reader, 1_000_000)
    for number in range(100):
        out.write(f"{number} ")
        out.write("a\nb")
        out.write("c\n")
    print("the end", end="", file=out, flush=True)
    assert out.drain(PATIENCE)
    assert reader.taken.decode() == "".join(f"{number} a\nbc\n" for number in range(100)) + "the end"


def test_what_finds_no_room_is_dropped_and_counted_where_it_was():
    reader = Reader(1_000)
    out = outlet(reader, 1_000)
    for number in range(30):
        out.write(f"{number:<99}\n")
    out.write("short\n")  # there would be room for it, but not before the lines that are missing
    assert not out.drain(0)
    reader.reading.set()
    assert out.drain(PATIENCE)
    out.write("and on\n")
    assert out.drain(PATIENCE)
    lines = [line.strip() for line in reader.taken.decode().splitlines()]
    assert lines == [*map(str, range(10)), dropped(21), "and on"]


def test_many_threads_lose_nothing():
    reader = Reader(4_096)
    reader.reading.set()
    out = outlet(reader, 10_000_000)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: out.write(f"{number}\n"), range(5_000)))
    assert out.drain(PATIENCE)
    assert sorted(map(int, reader.taken.decode().split())) == list(range(5_000))


def test_a_failure_is_told_once_and_later_lines_are_tried():
    reader = Reader(4_096)
    reader.failure = OSError(28, "No space left on device")
    reader.reading.set()
    out = outlet(reader)
    told: list[OSError] = []
    out.on_failure = told.append
    for _ in range(3):
        out.write(LINE)
        assert out.drain(PATIENCE)
    assert told == [reader.failure]
    reader.failure = None
    out.write("again\n")
    assert out.drain(PATIENCE)
    assert reader.taken == b"again\n"


def test_what_the_encoding_lacks_is_escaped():
    reader = Reader()
    reader.reading.set()
    out = outlet(reader)
    out.write("号 \ud800\n")
    assert out.drain(PATIENCE)
    assert reader.taken == b"\\u53f7 \\ud800\n"


def test_a_descriptor_that_somebody_made_non_blocking_is_waited_for():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(reading, "rb", 0) as source, os.fdopen(writing, "w") as stream:
        out = Outlet(stream, 1_000_000)
        for _ in range(3_000):
            out.write(LINE)
        found = b""
        while len(found) < 3_000 * len(LINE):
            found += source.read(4_096)
        assert out.drain(PATIENCE)
    assert found == LINE.encode() * 3_000


# --- processes --------------------------------------------------------------------------------------------


@contextmanager
def full_pipe() -> Iterator[tuple[int, int, int]]:
    """The reading and the writing end of a pipe that takes nothing more, and how many bytes are in it."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    inside = 0
    with suppress(BlockingIOError):
        while True:
            inside += os.write(writing, b"." * (1 if inside % 4_096 else 4_096))
    os.set_blocking(writing, True)
    try:
        yield reading, writing, inside
    finally:
        os.close(reading)
        os.close(writing)


def free_ports(count: int) -> list[int]:
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    return ports


def nonsense(traffic: str, count: int) -> None:
    """Requests of which each leaves a warning in the log."""
    parts = urlsplit(traffic)
    assert parts.hostname is not None
    assert parts.port is not None
    for _ in range(count):
        with socket.create_connection((parts.hostname, parts.port), PATIENCE) as sock:
            sock.sendall(b"\0\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.")


def healthy(control: str) -> bool:
    return bool(get(control + "/health")["status"] == "ok")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_log_that_nobody_reads_stops_nothing(log_format: str):
    with (
        full_pipe() as (reading, writing, inside),
        running(
            "serve", "--port", 0, "--control-port", 0, "--log-format", log_format, stderr=writing
        ) as server,
    ):
        ready = json.loads(server.out.wait_for('"ready"'))
        nonsense(ready["traffic"], 1_000)
        assert healthy(ready["control"])
        # Somebody begins to read: all is there, the first line first.
        found = b""
        while found.count(b"invalid HTTP") < 1_000:
            found += os.read(reading, 65_536)
        lines = found[inside:].decode().splitlines()
        if log_format == "json":
            assert {"time", "level", "message"} <= json.loads(lines[-1]).keys()
        assert "traffic at" in lines[0]
        assert server.stop(signal.SIGTERM) == 0


def test_a_log_that_is_never_read_is_dropped_and_the_signal_is_heard():
    with full_pipe() as (_, writing, _), running(
        "serve", "--port", 0, "--control-port", 0, stderr=writing
    ) as server:  # fmt: skip
        ready = json.loads(server.out.wait_for('"ready"'))
        nonsense(ready["traffic"], 1_500)
        assert healthy(ready["control"])
        assert server.stop(signal.SIGTERM) == 0


def test_neither_stream_needs_a_reader():
    traffic, control = free_ports(2)
    with full_pipe() as (reading, writing, inside), running(
        "serve", "--port", traffic, "--control-port", control, stdout=writing, stderr=writing
    ) as server:  # fmt: skip
        answering(control)
        assert healthy(f"http://127.0.0.1:{control}")
        nonsense(f"http://127.0.0.1:{traffic}", 50)
        found = b""
        while b'"ready"' not in found or b"invalid HTTP" not in found:
            found += os.read(reading, 65_536)
        assert found[:inside] == b"." * inside
        assert server.stop(signal.SIGTERM) == 0


def test_an_error_at_the_end_is_no_reason_to_wait_either():
    with socket.create_server(("127.0.0.1", 0)) as taken, full_pipe() as (_, writing, _), running(
        "serve", "--port", taken.getsockname()[1], "--control-port", 0, stderr=writing
    ) as server:  # fmt: skip
        assert server.process.wait(PATIENCE) == 1


def test_a_receiver_that_nobody_reads_answers_all_the_same():
    (port,) = free_ports(1)
    with (
        full_pipe() as (reading, writing, inside),
        running("listen", "--port", port, stdout=writing) as receiver,
    ):
        url = f"http://127.0.0.1:{port}"
        answering(port)
        for _ in range(200):
            assert post(f"{url}/dr", b"messageid=1&result=" + b"x" * 10_000)[0] == 200
        found = b""
        while b" dropped here" not in found:
            found += os.read(reading, 65_536)
        assert group(r"listening at (\S+)", found[inside:].decode()) == url
        assert receiver.stop(signal.SIGTERM) == 0
        assert receiver.log.end() == []


def answering(port: int) -> None:
    """Wait until somebody listens at ``port``."""
    waiting = threading.Event()
    for _ in range(PATIENCE * 20):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        waiting.wait(0.05)
    raise AssertionError(f"nobody listens at {port}")
