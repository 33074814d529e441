"""Receipts reach whoever accepts connections, however the receiver then treats them; and what fails through the
emulator is not held against the client."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from yarl import URL

from tests.rig import Running, numbers, started
from tests.wire.delivery.test_attempting import call, origin_of, scenario
from tests.wire.delivery.test_push_client import push
from tests.wire.traffic.test_faults import until
from voice_emulator.core.vocabulary import Fate, PushOutcome
from voice_emulator.errors import ContractBug
from voice_emulator.wire.delivery.connections import Connections, is_own
from voice_emulator.wire.delivery.push_client import KeptConnectionClosed, PushClient
from voice_emulator.wire.delivery.target_policy import Resolver, TargetPolicy

ANSWERS = {
    "keep-alive": b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 7\r\n\r\nsuccess",
    "silent": b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsuccess",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nsuccess\r\n0\r\n\r\n",
    "close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 7\r\n\r\nsuccess",
    "no-length": b"HTTP/1.1 200 OK\r\n\r\nsuccess",
    "http-1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\nsuccess",
    "http-1.0-no-length": b"HTTP/1.0 200 OK\r\n\r\nsuccess",
    "http-1.0-keep-alive": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 7\r\n\r\nsuccess",
}
#: Real seconds after the answer at which a receiver closes; None: before it answers, or never.
DELAYS = [0.0, 0.001, 0.02, 1.0]


@dataclass
class Receiver:
    """A receiver of bare sockets. Over each connection it gives ``answers`` answers, and closes ``delay`` later.

    What comes over a connection after that it never reads.
    """

    answer: bytes
    delay: float = 0.0
    answers: int = 1
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        # Nothing is taken out of the kernel's buffer that was not asked for, as with a server that has no more to read.
        try:
            for _ in range(self.answers):
                await self.read(reader)
                writer.write(self.answer)
                await writer.drain()
            if b"ength" in self.answer or b"chunked" in self.answer:
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                await asyncio.sleep(self.delay)
        except (asyncio.IncompleteReadError, ConnectionError, RuntimeError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort() if self.delay else writer.close()

    async def read(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
        self.requests.append(head + await reader.readexactly(length))


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls, backlog=1024)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/dr"
    finally:
        server.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    made = trustme.CA()
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("127.0.0.1").configure_cert(context)
    return path, context


def rules_of(emu: Running) -> set[str]:
    return {found.rule for found in emu.tenant.findings.all()}


def phones(receiver: Receiver) -> list[str]:
    return sorted(sent.partition(b"phone=")[2].partition(b"&")[0].decode() for sent in receiver.requests)


# --- receivers that close -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("clock", ["manual", "1000x"])
@pytest.mark.parametrize("delay", DELAYS)
async def test_every_receipt_reaches_a_receiver_that_closes_after_each_answer(
    delay: float, clock: str, tls: bool, authority: tuple[Path, ssl.SSLContext]
):
    path, context = authority
    count = 12
    async with started(clock=clock, callback_ca=path) as emu:
        for name, answer in ANSWERS.items():
            receiver = Receiver(answer, delay)
            async with listening(receiver.serve, context if tls else None) as url:
                emu.change({"callback_urls": {"nxcloud": url}})
                before = emu.tenant.attempts.total
                wanted = sorted(numbers(count, f"628{len(name):02d}"))
                for phone in wanted:
                    await call(emu, phone)
                    if clock == "manual":
                        await emu.advance("1h")
                await until(lambda: emu.tenant.attempts.total >= before + count)  # noqa: B023
                outcomes = [attempt.outcome for _, attempt in emu.tenant.attempts.after(before)]
                assert outcomes == [PushOutcome.DELIVERED] * count, name
                assert len(receiver.requests) == count, name
        assert rules_of(emu) == set()
        assert emu.tenant.conservation.count(Fate.ACKNOWLEDGED) == count * len(ANSWERS)


@pytest.mark.parametrize("delay", DELAYS[:-1])
@pytest.mark.parametrize("answers", [1, 2, 3])
async def test_nor_is_one_lost_where_connections_were_tried(answers: int, delay: float):
    """With time for trials: a receiver that gives up a connection after some answers is never trusted with one more."""
    receiver = Receiver(ANSWERS["silent"], delay, answers)
    async with listening(receiver.serve) as url:
        channel = PushClient(Resolver(TargetPolicy()), 5, trial=0.1)
        try:
            for _ in range(answers + 2):
                for _ in range(2 * answers + 2):
                    reply = await channel.exchange(URL(url), push(b"x"))
                    assert reply.body == b"success"
                await tried(channel, url)
        finally:
            await channel.close()
    assert len(receiver.requests) == (answers + 2) * (2 * answers + 2)
    if answers > 1:
        assert receiver.connections < len(receiver.requests)


async def tried(channel: PushClient, url: str) -> None:
    """Wait until the trial under way, if any, is over."""
    origin = origin_of(channel, url)
    await until(lambda: origin.trial is None)


async def test_connections_are_kept_where_that_was_seen_to_be_safe():
    receiver = Receiver(ANSWERS["silent"], answers=1_000)
    async with listening(receiver.serve) as url:
        channel = PushClient(Resolver(TargetPolicy()), 5, trial=0.2)
        used = []
        try:
            for _ in range(4):
                before = receiver.connections
                for _ in range(12):
                    await channel.exchange(URL(url), push(b"x"))
                used.append(receiver.connections - before)
                await tried(channel, url)
        finally:
            await channel.close()
    assert used[0] == 12
    assert used == sorted(used, reverse=True)
    assert used[-1] <= 4


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_a_kept_connection_whose_close_had_come_is_replaced(
    tls: bool, authority: tuple[Path, ssl.SSLContext]
):
    """The event loop has not heard of the close yet: only the socket knows."""
    path, context = authority
    closes = threading.Event()
    closed = threading.Event()
    count = 3

    def serve() -> None:
        for _ in range(count):
            connection, _ = taken.accept()
            if tls:
                connection = context.wrap_socket(connection, server_side=True)
            with connection:
                connection.recv(65_536)
                connection.sendall(ANSWERS["silent"])
                closes.wait(10)
            closed.set()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.settimeout(20)
        url = URL(f"http{'s' * tls}://127.0.0.1:{taken.getsockname()[1]}/dr")
        serving = asyncio.get_running_loop().run_in_executor(None, serve)
        trust = ssl.create_default_context(cafile=path) if tls else None
        channel = PushClient(Resolver(TargetPolicy()), 5, trust, trial=30)
        try:
            origin_of(channel, str(url)).proven = 5  # as after trials
            assert (await channel.exchange(url, push(b"1"))).status == 200
            assert len(origin_of(channel, str(url)).idle) == 1
            closes.set()
            closed.wait(10)  # the loop stands still meanwhile
            assert (await channel.exchange(url, push(b"2"))).status == 200
            assert origin_of(channel, str(url)).proven == 0, "it has shown that it does not keep them"
            assert (await channel.exchange(url, push(b"3"))).status == 200
        finally:
            await channel.close()
        await serving


async def test_what_may_have_been_read_is_not_sent_again_and_not_blamed():
    reads_and_closes = Receiver(ANSWERS["silent"], answers=1)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reads_and_closes.connections += 1
        await reads_and_closes.read(reader)
        writer.write(reads_and_closes.answer)
        if reads_and_closes.connections == 1:
            await reads_and_closes.read(reader)
        writer.close()

    async with listening(serve) as url, started() as emu:
        emu.change({"callback_urls": {"nxcloud": url}})
        channel = emu.emulator.runtime.delivery._client
        origin_of(channel, url).proven = 5
        for phone in ("6212345671", "6212345672", "6212345673"):
            await call(emu, phone)
            await emu.advance("1h")
        outcomes = [(attempt.outcome.value, attempt.trouble) for attempt in emu.tenant.attempts]
        assert outcomes == [("delivered", ""), ("failed", "unclear"), ("delivered", "")]
        assert "may or may not" in list(emu.tenant.attempts)[1].reason
        assert phones(reads_and_closes) == ["6212345671", "6212345672", "6212345673"], "each once"
        assert rules_of(emu) == set()
        assert emu.tenant.conservation.count(Fate.UNCERTAIN) == 1
        assert origin_of(channel, url).never


async def test_the_exception_of_a_kept_connection_is_its_own():
    assert issubclass(KeptConnectionClosed, OSError)
    assert not is_own(KeptConnectionClosed())


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(
    "manner", ["before-reading", "after-reading", "half-a-head", "half-a-body", "half-a-chunk"]
)
@pytest.mark.parametrize("delay", DELAYS[:-1])
async def test_a_receiver_that_closes_without_an_answer_gets_each_push_once_and_is_told_so(
    manner: str, delay: float, tls: bool, authority: tuple[Path, ssl.SSLContext]
):
    path, context = authority
    receiver = Receiver(ANSWERS["silent"])
    begun = {
        "half-a-head": b"HTTP/1.1 200 OK\r\nContent-Le", "half-a-body": ANSWERS["silent"][:-3],
        "half-a-chunk": ANSWERS["chunked"][:-12],
    }  # fmt: skip

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if manner != "before-reading":
                await receiver.read(reader)
            writer.write(begun.get(manner, b""))
            await writer.drain()
            await asyncio.sleep(delay)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with listening(serve, context if tls else None) as url, started(callback_ca=path) as emu:
        emu.change({"callback_urls": {"nxcloud": url}})
        for phone in ("6212345671", "6212345672"):
            await call(emu, phone)
            await emu.advance("1h")
        assert [attempt.outcome.value for attempt in emu.tenant.attempts] == ["failed"] * 2
        assert "receiver-unreachable" in rules_of(emu)
        if manner != "before-reading":
            assert phones(receiver) == ["6212345671", "6212345672"]


async def test_a_receiver_that_serves_one_connection_after_the_other_gets_everything():
    """As Python's http.server.HTTPServer does with HTTP/1.1: the next connection waits until this one is closed."""
    gate = asyncio.Lock()
    receiver = Receiver(ANSWERS["silent"], answers=1_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with gate:
            await receiver.serve(reader, writer)

    async with listening(serve) as url, started(clock="1000x", callback_timeout=30) as emu:
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu, ",".join(numbers(60)))
        await until(lambda: emu.tenant.attempts.total == 60, 30)
        assert {attempt.outcome for attempt in emu.tenant.attempts} == {PushOutcome.DELIVERED}
        assert len(receiver.requests) == 60


# --- what is the emulator's own -------------------------------------------------------------------


def exhausted(number: int, times: int) -> Callable[..., Any]:
    """A connector's ``connect`` that lacks something so many times."""
    real, left = aiohttp.TCPConnector.connect, [times]

    async def connect(self: aiohttp.TCPConnector, *arguments: Any, **named: Any) -> Any:
        if self.force_close and left[0]:
            left[0] -= 1
            raise OSError(number, "not here, not now")
        return await real(self, *arguments, **named)

    return connect


@pytest.mark.parametrize(
    "number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL]
)
async def test_a_push_waits_for_what_this_machine_lacks(number: int, monkeypatch: pytest.MonkeyPatch):
    async with started() as emu:
        monkeypatch.setattr(aiohttp.TCPConnector, "connect", exhausted(number, 3))
        await call(emu)
        (attempt,) = (await emu.advance("1h")).callbacks
        assert attempt.outcome is PushOutcome.DELIVERED
        assert len(emu.receiver.received) == 1


@contextmanager
def without_descriptors(emu: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aiohttp.TCPConnector, "connect", exhausted(errno.EMFILE, 10**9))
    yield


@contextmanager
def a_bug(emu: Running, monkeypatch: pytest.MonkeyPatch, error: Exception, method: str) -> Iterator[None]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(emu.emulator.runtime.delivery, method, fail)
        yield


@contextmanager
def shutting_down(emu: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    delivery = emu.emulator.runtime.delivery
    channel, delivery._client = delivery._client, None
    yield
    delivery._client = channel


@contextmanager
def state_that_is_lost(emu: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    async def fail(*_: Any) -> None:
        raise RuntimeError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(emu.emulator.runtime.tenancy.listeners, "attempt_starting", (fail,))
        yield


@contextmanager
def a_header_that_cannot_be_sent(emu: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def head(*_: Any) -> bytes:
        raise ValueError("the header 'x' contains a line break or a zero byte")

    with monkeypatch.context() as patch:
        patch.setattr("voice_emulator.wire.delivery.push_client.request_head", head)
        yield


@contextmanager
def no_memory_for_names(emu: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    async def resolve(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_MEMORY, "Memory allocation failure")

    port = emu.receiver.url.rpartition(":")[2]
    emu.change({"callback_urls": {"nxcloud": f"http://localhost:{port}/dr"}})
    with monkeypatch.context() as patch:
        patch.setattr(Resolver, "resolve", resolve)
        yield


OWN = {
    "descriptors": without_descriptors,
    "encode": lambda emu, patch: a_bug(emu, patch, TypeError("x"), "_encode"),
    "fields": lambda emu, patch: a_bug(emu, patch, KeyError("x"), "_fields"),
    "contract": lambda emu, patch: a_bug(emu, patch, ContractBug("ours"), "_fields"),
    "shutdown": shutting_down,
    "state": state_that_is_lost,
    "header": a_header_that_cannot_be_sent,
    "resolver": no_memory_for_names,
}


@pytest.mark.parametrize("way", list(OWN))
async def test_a_failure_of_the_emulators_own_is_no_finding(way: str, monkeypatch: pytest.MonkeyPatch):
    async with started(strict=False, callback_timeout=0.3) as emu:
        with OWN[way](emu, monkeypatch):
            await call(emu)
            (attempt,) = (await emu.advance("1h")).callbacks
        assert (attempt.outcome, attempt.trouble) == (PushOutcome.FAILED, "own"), attempt.reason
        assert attempt.reason
        assert rules_of(emu) == set()
        assert emu.tenant.conservation.count(Fate.UNCERTAIN) == 1
        assert emu.tenant.conservation.count(Fate.ORPHAN) == 0


async def test_what_is_the_receivers_still_is_a_finding():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        refused = f"http://127.0.0.1:{port}/dr"
        for url, rule in (
            (refused, "receiver-unreachable"), ("http://nowhere.invalid/dr", "receiver-unreachable"),
            (refused.replace("http:", "https:"), "receiver-unreachable"),
        ):  # fmt: skip
            async with started() as emu:
                emu.change({"callback_urls": {"nxcloud": url}})
                await call(emu)
                await emu.advance("1h")
                assert rules_of(emu) == {rule, "orphaned-call"}, url


async def test_a_slow_push_of_a_rule_takes_its_own_time():
    """The time that a rule takes to send is not the receiver's."""
    async with started(
        scenario("{slow_body: {every: 150ms, bytes: 100}, encoding: form}"), callback_timeout=0.2
    ) as emu:
        await call(emu)
        (attempt,) = (await emu.advance("1h")).callbacks
        assert len(attempt.body) > 200
        assert attempt.outcome is PushOutcome.DELIVERED
        assert rules_of(emu) == set()


async def test_an_answer_that_came_in_time_counts_though_nobody_looked():
    """The event loop stands still beyond the time-out; the answer has long been there."""
    answered = threading.Event()

    def serve() -> None:
        connection, _ = taken.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(ANSWERS["silent"])
            answered.set()
            connection.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.settimeout(20)
        loop = asyncio.get_running_loop()
        serving = loop.run_in_executor(None, serve)
        channel = PushClient(Resolver(TargetPolicy()), 0.3)
        exchange = asyncio.ensure_future(
            channel.exchange(URL(f"http://127.0.0.1:{taken.getsockname()[1]}/"), push(b"x"))
        )
        deadline = loop.time() + 0.4
        stood_still = loop.create_future()

        def stand_still() -> None:
            if not channel._active:
                loop.call_soon(stand_still)
                return
            # Written in this round or the next one; then nothing is looked at until the time is over.
            loop.call_later(0.05, stop)

        def stop() -> None:
            answered.wait(10)
            while loop.time() < deadline:
                pass
            stood_still.set_result(None)

        loop.call_soon(stand_still)
        await stood_still
        try:
            assert (await exchange).body == b"success"
        finally:
            await channel.close()
        await serving


async def test_idle_connections_are_not_left_open():
    receiver = Receiver(ANSWERS["silent"], answers=1_000)
    async with listening(receiver.serve) as url:
        channel = PushClient(Resolver(TargetPolicy()), 5, trial=0.05)
        origin = origin_of(channel, url)
        origin.proven = 3
        await asyncio.gather(*(channel.exchange(URL(url), push(b"x")) for _ in range(20)))
        assert len(origin.idle) == 20
        await until(lambda: not origin.idle)
        assert origin.trial is None
        await channel.close()


async def test_origins_are_forgotten_past_their_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("voice_emulator.wire.delivery.connections.ORIGINS_REMEMBERED", 3)
    connections = Connections(Resolver(TargetPolicy()))
    first = connections._origin(URL("http://127.0.0.1:1/"))
    for port in range(2, 12):
        connections._origin(URL(f"http://127.0.0.1:{port}/"))
    assert len(connections._origins) <= 3
    assert first.never, "what is still under way to it is not kept"
    await connections.close()
