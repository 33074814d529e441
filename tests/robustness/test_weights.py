"""What is kept is weighed: whatever a request or an answer consists of, a tenant holds on to no more than its bounds."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.rig import Running, started
from tests.wire.delivery.test_attempting import call
from voice_emulator.core import attempts as attempts_module
from voice_emulator.core import events as events_module
from voice_emulator.core.attempts import Attempt, Attempts, PushReply
from voice_emulator.core.journal import Journal
from voice_emulator.core.pushes import Push
from voice_emulator.core.vocabulary import PushOutcome

MB = 1024 * 1024
LIMIT = 2 * MB


def size_of(*roots: object) -> int:
    """Bytes that are reachable from ``roots``, each thing counted once; of what is shared by all, nothing."""
    seen: set[int] = set()
    total = 0
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type) or callable(one) or type(one).__name__ == "module":
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        if isinstance(one, Mapping) and not isinstance(one, dict):
            continue
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list | tuple | set | frozenset) or type(one).__name__ == "deque":
            waiting += list(one)  # type: ignore[call-overload]
        else:
            for slot in (*getattr(type(one), "__slots__", ()), *getattr(one, "__dict__", ())):
                if slot not in ("tenant", "operation", "masker"):
                    waiting.append(getattr(one, slot, None))
    return total


FILLED: dict[str, Callable[[int], tuple[str, dict[str, str], bytes]]] = {
    "names of headers": lambda n: ("/api/voiceSms/gpsend", {f"X{n}-{k}-{'y' * 7_000}": "z" for k in range(8)}, b""),
    "many headers": lambda n: ("/api/voiceSms/gpsend", {f"X{n}-{k}": "z" for k in range(110)}, b""),
    "values of headers": lambda n: ("/api/voiceSms/gpsend", {f"X{k}": f"{n}" * 2_000 for k in range(20)}, b""),
    "a path": lambda n: (f"/{n}/" + "x" * 15_000, {}, b""),
    "an escaped path": lambda n: (f"/{n}/" + "%e4%b8%ad" * 1_600, {}, b""),
    "a query": lambda n: (f"/api/voiceSms/gpsend?x={n}" + "x" * 15_000, {}, b""),
    "a form": lambda n: ("/api/voiceSms/gpsend", {}, b"&".join(b"f%d_%d=%d" % (n, k, k) for k in range(900))),
    "repeated names": lambda n: ("/api/voiceSms/gpsend", {}, b"&".join(b"f%d=%d" % (k % 2, n) for k in range(999))),
    "numbers": lambda n: ("/api/voiceSms/gpsend", {}, b"appkey=nx-appkey&phone=" + b",".join(b"%d" % (k + n) for k in range(9_000))),
    "problems": lambda n: (
        "/apiaccess/rest/voiceNotification/v2/createVoiceNotification", {"Content-Type": "application/json"},
        b'{"called": [' + b",".join(b"{}" for _ in range(3_000)) + b'], "x%d": 1}' % n,
    ),
    "a part": lambda n: (
        "/api/voiceSms/gpsend", {"Content-Type": "multipart/form-data; boundary=b"},
        b"".join(b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n%d\r\n' % (k, n) for k in range(300)) + b"--b--\r\n",
    ),
}  # fmt: skip


@pytest.fixture
async def emu(monkeypatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(events_module, "BYTE_LIMIT", LIMIT)
    async with started(strict=False, journal_limit=10_000) as emu:
        emu.tenant.journal._byte_limit = LIMIT
        yield emu


@pytest.mark.parametrize("what", FILLED)
async def test_what_the_journal_and_the_events_hold_on_to_stays_within_their_bytes(emu: Running, what: str):
    for n in range(60):
        path, headers, body = FILLED[what](n)
        async with emu.client.post(emu.url + path, headers=headers, data=body) as reply:
            await reply.read()
    journal, events = emu.tenant.journal, emu.tenant.events
    held = size_of(list(journal), list(events._recent))
    # What both hold counts once; beyond it, 4 KB for each event that is light, and what is there from the start.
    assert held < 2.5 * LIMIT, (
        f"{held / MB:.1f} MB held, {journal._bytes / MB:.1f} MB weighed, {len(journal)} entries"
    )
    assert journal._bytes <= LIMIT
    assert len(journal) > 1


def attempt(n: int, **changes: Any) -> Attempt:
    push = Push(f"p{n}", "nxcloud", "dr", None, None, 0)
    values: dict[str, Any] = {
        "id": f"p{n}.1", "push": push, "number": 1, "at": 0, "url": "http://h/", "method": "POST", "headers": (), "body": b"",
        "fields": {}, "outcome": PushOutcome.DELIVERED,
    }  # fmt: skip
    made = Attempt(**{**values, **changes})
    made.weigh()
    return made


@pytest.mark.parametrize(
    "make",
    [
        lambda n: {"body": b"%d" % n * 3_000}, lambda n: {"url": f"http://h/{n}" * 1_000}, lambda n: {"reason": f"{n}" * 5_000},
        lambda n: {"headers": tuple((f"X{k}-{n}", "y" * 50) for k in range(100))},
        lambda n: {"reply": PushReply(200, tuple((f"X{k}-{n}" * 3, "y" * 50) for k in range(100)), b"%d" % n * 900)},
    ],
    ids=["body", "url", "reason", "headers", "reply"],
)  # fmt: skip
def test_attempts_are_bounded_in_bytes(make: Callable[[int], dict[str, Any]]):
    kept = Attempts(byte_limit=LIMIT)
    for n in range(1_000):
        kept.add(attempt(n, **make(n)))
    assert size_of(list(kept)) < 2.5 * LIMIT
    assert 1 < len(kept) < 1_000
    assert kept.total == 1_000
    assert [number for number, _ in kept.after(0)][-1] == 1_000
    kept.clear()
    kept.add(attempt(1))
    assert len(kept) == 1


def test_the_bound_of_a_tenant_in_bytes_is_what_the_page_says():
    assert attempts_module.BYTE_LIMIT == 64 * MB
    assert Journal()._byte_limit == 32 * MB
    assert events_module.BYTE_LIMIT == 32 * MB


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
async def test_a_tenant_that_is_deleted_gives_its_memory_back_at_once():
    async with started("happy-path", strict=False) as emu:
        gone = []
        for n in range(5):
            tenant = emu.new_tenant(f"t{n}")
            tenant.change({"credentials": {"nxcloud": {"appkey": f"mine-{n}", "secretkey": "s3cret-s3cret"}}})
            fields = {
                "appkey": f"mine-{n}",
                "secretkey": "s3cret-s3cret",
                "phone": "62811,62812",
                "content": "x" * 50_000,
            }
            for _ in range(3):
                async with emu.client.post(emu.url + "/api/voiceSms/gpsend", data=fields) as reply:
                    await reply.read()
            await emu.settle(tenant)
            for what in (
                "journal",
                "calls",
                "callbacks",
                "report?format=json",
                "wait?for=requests&timeout=0s",
            ):
                async with emu.client.get(f"{emu.control}/v1/tenants/t{n}/{what}") as reply:
                    await reply.read()
            async with emu.client.put(
                f"{emu.control}/v1/tenants/t{n}/scenario", json={"name": "happy-path"}
            ) as reply:
                assert reply.status == 200
            async with emu.client.post(f"{emu.control}/v1/tenants/t{n}/reset") as reply:
                assert reply.status == 200
            gone.append(weakref.ref(tenant))
            del tenant
            async with emu.client.delete(f"{emu.control}/v1/tenants/t{n}") as reply:
                assert reply.status == 204
        async with asyncio.timeout(10):
            # The last one may still be in a variable of whoever answered.
            while any(one() is not None for one in gone[:-1]):  # noqa: ASYNC110 - memory sets no event
                await asyncio.sleep(0.01)


# --- receivers ------------------------------------------------------------------------------------

FLOODS: dict[str, tuple[bytes, bytes]] = {
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "103 Early Hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    "answers": (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "a head": (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 4_000 + b"\r\n"),
    "short headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "blank lines": (b"", b"\r\n"),
    "a body": (b"HTTP/1.1 200 OK\r\n\r\n", b"z" * 4_000), "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "one status line": (b"HTTP/1.1 200 ", b"O" * 4_000), "garbage": (b"", b"\0\1\2\3" * 1_000),
}  # fmt: skip


@pytest.mark.parametrize("what", FLOODS)
async def test_a_receiver_that_floods_is_given_up_after_little(what: str):
    first, again = FLOODS[what]
    taken = []

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = 0
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(first)
            while sent < 64 * MB:
                writer.write(again * (65_536 // len(again)))
                await writer.drain()
                sent += 65_536
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        taken.append(sent)
        writer.transport.abort()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with started(strict=False, receive=False) as emu:
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu)
        done = await emu.settle()
        assert done.callbacks
        assert (
            all(each.outcome in (PushOutcome.FAILED, PushOutcome.REFUSED) for each in done.callbacks[:1])
            or what == "answers"
        )
        assert size_of(*emu.tenant.attempts) < 100_000
    server.close()
    async with asyncio.timeout(30):
        while len(taken) < len(done.callbacks):  # noqa: ASYNC110 - a closed connection sets no event
            await asyncio.sleep(0.01)
    # Most of it is what the kernel buffers on both sides of a connection.
    assert max(taken) < 24 * MB
