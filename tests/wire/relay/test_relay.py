from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio

from tests.patience import PATIENCE
from tests.wire.raw import Answer, form_request, talk
from tests.wire.relay.replicas import Pair, pair
from voice_emulator.core.tenants import Tenant
from voice_emulator.wire.http.server import Connection
from voice_emulator.wire.ownership import Replica
from voice_emulator.wire.relay.frames import PROTOCOL


@pytest.fixture
async def two():
    """Two replicas, which own a tenant each and one of them ``default``."""
    async with pair() as made:
        yield made


async def until(happened: Callable[[], object]) -> None:
    """Let others have their turn until it has happened."""
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)


def requests_of(tenant: Tenant | None) -> list[Any]:
    """The journal's requests."""
    assert tenant is not None
    return [entry.record for entry in tenant.journal if entry.kind == "request"]


async def test_relay_passes_requests_on_to_the_owner_of_their_tenant(two: Pair) -> None:
    for _ in range(3):  # the first opens the connection, the others go over it
        async with two.a.client.post(f"{two.a.url}/api/voiceSms/gpsend", data=two.form("far")) as reply:
            assert (reply.status, (await reply.json())["code"]) == (200, "0")
    far = two.b.emulator.runtime.tenancy.get("far")
    assert far is not None
    assert [record.request.peer for record in requests_of(far)] == ["127.0.0.1"] * 3
    assert two.a.emulator.runtime.relay.counts == {("traffic", "answered"): 3}


async def test_relay_takes_requests_of_unknown_keys_to_the_owner_of_default(two: Pair) -> None:
    for form in ({**two.form("far"), "appkey": "unheard-of"}, {"phone": "1"}):
        replies = []
        for emu in (two.a, two.b):
            async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=form) as reply:
                replies.append((reply.status, await reply.text()))
        assert replies[0] == replies[1]
    assert len(requests_of(two.a.tenant)) == 4
    async with two.b.client.get(f"{two.b.url}/nowhere") as reply:
        assert reply.status == 404
    assert len(requests_of(two.a.tenant)) == 5


async def test_relay_of_the_control_port(two: Pair) -> None:
    for emu in (two.a, two.b):
        async with emu.client.get(f"{emu.control}/v1/tenants/far") as reply:
            assert (await reply.json())["id"] == "far"
        async with emu.client.get(f"{emu.control}/v1/tenants") as reply:
            assert [tenant["id"] for tenant in (await reply.json())["tenants"]] == ["default", "near", "far"]
        async with emu.client.get(f"{emu.control}/v1/nodes") as reply:
            nodes = json.loads(await reply.text())["nodes"]
            assert {node["name"]: node["tenants"] for node in nodes} == {
                "a": ["default", "near"],
                "b": ["far"],
            }


#: Each fault, by the last digit of the number.
FAULTS = (
    "reset", "empty", "truncate", "garbage", "invalid_json", "wrong_content_type", "html_error", "{http_status: 503}",
    "{slow_body: {every: 1ms, bytes: 40}}", "{latency: 1ms}",
)  # fmt: skip
SPOILT = "name: spoilt\ndescription: x\nrules:\n" + "".join(
    f"  - {{name: r{digit}, match: {{number: '*{digit}'}}, fault: {fault}}}\n"
    for digit, fault in enumerate(FAULTS)
)

HANGING = (
    "name: hanging\ndescription: x\nrules:\n  - {name: hangs, match: {operation: gpsend}, fault: hang}\n"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spoilt():
    """Two replicas under every fault."""
    async with pair(scenario=SPOILT) as made:
        yield made


def plain(raw: bytes) -> bytes:
    """What must be the same in two replies: not the date, nor the ids."""
    return re.sub(rb"(Date: [^\r]+|\"messageid\":\"[^\"]*)", b"", raw)


async def both(two: Pair, request: bytes) -> tuple[Answer, Answer]:
    """The answers to the tenant ``far``: of its owner, and of the other replica."""
    return await talk(two.b.url, request), await talk(two.a.url, request)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("digit", range(len(FAULTS)), ids=FAULTS)
async def test_relay_of_a_fault_gives_the_same_bytes_and_the_same_end(spoilt: Pair, digit: int) -> None:
    for close in ("Connection: close\r\n", ""):
        fields = spoilt.form("far", phone=f"628120000{digit}")
        request = form_request(fields=fields).replace(b"Connection: close\r\n", close.encode())
        if not close:  # ends by what follows
            request += form_request("/nowhere")
        for _ in range(2):
            direct, relayed = await both(spoilt, request)
            assert direct.reset == relayed.reset
            if FAULTS[digit] == "garbage":
                assert len(plain(direct.raw)) == len(plain(relayed.raw))
            else:
                assert plain(direct.raw) == plain(relayed.raw)


ODD = {
    "HTTP/1.0": lambda form: form.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "HEAD": lambda form: form.replace(b"POST", b"HEAD"),
    "a method that the operation has not": lambda form: form.replace(b"POST", b"DELETE"),
    "absolute form": lambda form: form.replace(b"POST /", b"POST http://other.example/"),
    "100-continue": lambda form: form.replace(b"Host: x", b"Host: x\r\nExpect: 100-continue"),
    "explained": lambda form: form.replace(b"Host: x", b"Host: x\r\nEmulator-Explain: 1"),
    "upgrade": lambda form: form.replace(b"Connection: close", b"Connection: Upgrade, close\r\nUpgrade: x"),
    "chunked": lambda form: (
        form.partition(b"\r\n\r\n")[0].replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nX-Length")
        + b"\r\n\r\n%x\r\n" % len(form.partition(b"\r\n\r\n")[2])
        + form.partition(b"\r\n\r\n")[2]
        + b"\r\n0\r\n\r\n"
    ),
    "an unknown path": lambda form: form.replace(b"gpsend", b"gpsent"),
    "a big body": lambda form: form_request(
        fields=dict(parse_qsl(form.partition(b"\r\n\r\n")[2].decode())) | {"padding": "x" * 3_000_000}
    ),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
async def test_relay_of_an_unusual_request_gives_the_same_bytes(two: Pair, odd: str) -> None:
    request = ODD[odd](form_request(fields=two.form("far")))
    for _ in range(2):
        direct, relayed = await both(two, request)
        explained = re.compile(rb"Emulator-Entry: \d+")
        assert explained.sub(b"", plain(direct.raw)) == explained.sub(b"", plain(relayed.raw))
        assert direct.raw


async def test_relay_keeps_the_order_of_pipelined_requests(two: Pair) -> None:
    forms = [
        two.form(tenant, phone=f"62812{index}") for index, tenant in enumerate(("far", "near", "far", "far"))
    ]
    await talk(two.a.url, form_request(fields=forms[0]))
    requests = [form_request(fields=form).replace(b"Connection: close\r\n", b"") for form in forms]
    answer = await talk(two.a.url, b"".join(requests) + form_request("/nowhere"))
    assert answer.raw.count(b"200 OK") == 4
    far, near = two.b.emulator.runtime.tenancy.get("far"), two.a.emulator.runtime.tenancy.get("near")
    ids = re.findall(rb'"messageid":"([^"]+)"', answer.raw)
    batches = {call.number: call.batch_id for tenant in (far, near) for call in tenant.ledger}
    assert [each.decode() for each in ids] == [batches[form["phone"]] for form in forms]


async def test_relay_over_one_connection_that_stays(two: Pair) -> None:
    parts = urlsplit(two.a.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for index in range(6):
        tenant = ("far", "near")[index % 2]
        writer.write(form_request(fields=two.form(tenant)).replace(b"Connection: close\r\n", b""))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r")[0])
        assert b"200 OK" in head
        assert b"messageid" in await reader.readexactly(length)
    writer.close()


async def test_relay_for_others_goes_on_while_one_client_does_not_read(two: Pair) -> None:
    """What holds its replies back is its own connection, and not that between the replicas, which others use next."""
    closing = form_request(fields=two.form("far"))
    request = closing.replace(b"Connection: close\r\n", b"")
    parts, loop = urlsplit(two.a.url), asyncio.get_running_loop()
    far = two.b.emulator.runtime.tenancy.get("far")
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        silent.setblocking(False)
        await loop.sock_connect(silent, (parts.hostname, parts.port))
        sent = 0
        connection: Connection | None = None
        while connection is None or not connection.writing_paused:
            await loop.sock_sendall(silent, request)
            sent += 1
            await until(lambda: len(requests_of(far)) == sent)  # noqa: B023
            (served,) = two.a.emulator._runners[0].server.connections
            assert isinstance(served, Connection)
            connection = served
            await until(lambda: served.relayed is None)  # noqa: B023
            connection.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, 2048
            )
            connection.transport.set_write_buffer_limits(1)
        for _ in range(3):
            answer = await asyncio.wait_for(talk(two.a.url, closing), PATIENCE)
            assert b'"code":"0"' in answer.raw
        # Another reply, which may be endless, is not gathered for it here.
        await loop.sock_sendall(silent, request)
        sent += 1
        await until(lambda: len(requests_of(far)) == sent + 3)
        links = two.a.emulator.runtime.relay._links._all
        assert [link._transport.is_reading() for link in links].count(False) == 1
        received = b""
        while received.count(b'"messageid"') < sent:
            received += await asyncio.wait_for(loop.sock_recv(silent, 65536), PATIENCE)


async def test_relay_over_a_connection_that_is_just_ending_takes_another_one(two: Pair) -> None:
    request = form_request(fields=two.form("far")).replace(b"Connection: close\r\n", b"")
    parts = urlsplit(two.a.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    two.seen_by_a.cached["far"] = "b"
    links = two.a.emulator.runtime.relay._links

    async def reply() -> bytes:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r")[0])
        return head + await reader.readexactly(length)

    writer.write(request)
    await reply()
    (connection,) = two.a.emulator._runners[0].server.connections
    # At once, as the bytes arrive: the connection to the owner ends in this round of the loop.
    links.keep_only(())
    connection.data_received(request)
    assert b'"code":"0"' in await reply()
    assert len(requests_of(two.b.emulator.runtime.tenancy.get("far"))) == 2

    # In a task; and in the meantime this replica has become the owner.
    locate = two.seen_by_a.locate

    async def end_and_locate(tenant_id: str) -> Replica | None:
        links.keep_only(())
        found = await locate(tenant_id)
        two.directory.owners["far"] = "a"
        return found

    two.seen_by_a.locate = end_and_locate  # type: ignore[method-assign]
    two.seen_by_a.cached.clear()
    two.seen_by_a.known_owner = lambda keys: None  # type: ignore[method-assign]
    for _ in range(2):
        writer.write(request)
        await reply()
    writer.close()


async def test_relay_of_a_request_that_arrives_before_the_task_waits_again(
    two: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_request = form_request(fields=two.form("far")).replace(b"Connection: close\r\n", b"")
    finish, arrived = Connection.finish_response, []

    async def finish_and_receive(self: Connection, *arguments: Any) -> Any:
        finished = await finish(self, *arguments)
        if type(self) is Connection and not arrived:
            arrived.append(True)
            self.data_received(plain_request)
        return finished

    monkeypatch.setattr(Connection, "finish_response", finish_and_receive)
    parts = urlsplit(two.a.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(plain_request)
    received = b""
    while received.count(b'"messageid"') < 2:
        received += await asyncio.wait_for(reader.read(65536), PATIENCE)
    writer.write(form_request("/nowhere"))
    received += await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    assert arrived
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200", b"200", b"404"]
    assert len(requests_of(two.b.emulator.runtime.tenancy.get("far"))) == 2


async def test_relay_of_a_client_that_goes_ends_what_the_owner_does() -> None:
    async with pair(scenario=HANGING) as two:
        far = two.b.emulator.runtime.tenancy.get("far")
        parts = urlsplit(two.a.url)
        for _ in range(2):  # at first by a task, then at once
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(form_request(fields=two.form("far")))
            await until(lambda: len(two.b.emulator.runtime.gateway._held) == 1)
            writer.close()
            await until(lambda: not two.b.emulator.runtime.gateway._held)
        assert [record.cancelled for record in requests_of(far)] == [True, True]


async def test_relay_of_an_owner_that_dies_resets_the_client(two: Pair) -> None:
    far = two.b.emulator.runtime.tenancy.get("far")
    far.load(two.b.emulator.runtime.loader.text(HANGING))
    waiting = asyncio.ensure_future(talk(two.a.url, form_request(fields=two.form("far"))))
    await until(lambda: len(two.b.emulator.runtime.gateway._held) == 1)
    for link in two.b.emulator.runtime.relay._incoming:
        link.transport.abort()
    assert (await waiting) == Answer(b"", reset=True)
    target = f"{two.a.control}/v1/tenants/far/wait"
    polling = asyncio.ensure_future(two.a.client.get(target, params={"timeout": "60s", "count": "9"}))
    await until(lambda: two.b.emulator._control.services.waiters._waiting)
    for link in two.b.emulator.runtime.relay._incoming:
        link.transport.abort()
    reply = await polling
    assert reply.status == 503
    assert "died before its reply" in (await reply.json())["detail"]


async def test_relay_ends_what_waits_for_a_replica_that_has_lost_its_lease(two: Pair) -> None:
    """A frozen owner keeps its connections open and never answers."""
    far = two.b.emulator.runtime.tenancy.get("far")
    far.load(two.b.emulator.runtime.loader.text(HANGING))
    waiting = asyncio.ensure_future(talk(two.a.url, form_request(fields=two.form("far"))))
    await until(lambda: len(two.b.emulator.runtime.gateway._held) == 1)
    del two.directory.nodes["b"]
    two.seen_by_a.told(two.directory.nodes.values())
    assert (await waiting) == Answer(b"", reset=True)


async def test_relay_ends_what_waits_for_a_replica_that_talks_nonsense(two: Pair) -> None:
    two.b.emulator.runtime.tenancy.get("far").load(two.b.emulator.runtime.loader.text(HANGING))
    waiting = asyncio.ensure_future(talk(two.a.url, form_request(fields=two.form("far"))))
    await until(lambda: len(two.b.emulator.runtime.gateway._held) == 1)
    (link,) = two.a.emulator.runtime.relay._links._all
    link.data_received(b"\xff" * 5)
    assert (await waiting) == Answer(b"", reset=True)


async def test_relay_of_events_and_long_polls(two: Pair) -> None:
    far = two.b.emulator.runtime.tenancy.get("far")
    streams = two.b.emulator._control.services.streams
    async with two.a.client.get(f"{two.a.control}/v1/tenants/far/events") as stream:
        await until(lambda: streams.subscribers == 1)
        target = f"{two.a.control}/v1/tenants/far/wait?for=requests&timeout=60s"
        polling = asyncio.ensure_future(two.a.client.get(target))
        await talk(two.b.url, form_request(fields=two.form("far")))
        reply = await polling
        assert (await reply.json())["satisfied"]
        seen = b""
        while b"event: request" not in seen:
            seen += await stream.content.readany()
    await until(lambda: streams.subscribers == 0)
    assert len(requests_of(far)) == 1


async def test_relay_goes_one_hop_and_finds_the_new_owner(two: Pair) -> None:
    two.seen_by_a.cached["near"] = "b"  # stale: a itself has it
    two.directory.owners["near"] = "nobody"
    async with two.a.client.get(f"{two.a.control}/v1/tenants/far"):
        pass

    async def settle() -> None:
        await until(lambda: "near" in two.seen_by_a.forgotten)
        two.directory.owners["near"] = "a"

    settling = asyncio.ensure_future(settle())
    async with two.a.client.get(f"{two.a.control}/v1/tenants/near") as reply:
        assert reply.status == 200
    await settling
    assert two.a.emulator.runtime.relay.counts["control", "moved"] >= 1
    # What the other one believes of it makes no circle.
    two.seen_by_a.cached["far"], two.seen_by_b.cached["far"] = "b", "a"
    assert two.b.emulator.runtime.relay.counts["control", "moved"] == 0


async def test_relay_does_not_let_default_answer_for_a_tenant_that_is_overlooked(two: Pair) -> None:
    two.seen_by_a.overlooked.add("far")
    answer = await talk(two.a.url, form_request(fields=two.form("far")))
    assert b'"code":"0"' in answer.head + answer.body
    assert requests_of(two.a.emulator.runtime.tenancy.default) == []
    # Neither does it wait for one that was deleted.
    form = two.form("far")
    two.b.emulator.runtime.tenancy.delete("far")
    del two.directory.owners["far"]
    answer = await talk(two.a.url, form_request(fields=form))
    assert b'"code":"1"' in answer.head + answer.body, answer


async def test_relay_without_the_store_is_503(two: Pair) -> None:
    form = form_request(fields=two.form("far"))
    two.directory.down = True
    answer = await talk(two.a.url, form)
    assert b" 503 " in answer.head
    assert b"Emulator-Error: " in answer.head
    async with two.a.client.get(f"{two.a.control}/v1/tenants/far") as reply:
        assert (reply.status, reply.content_type) == (503, "application/problem+json")
    for target in ("/v1/tenants", "/v1/nodes", "/v1/mutant"):
        async with two.a.client.get(two.a.control + target) as reply:
            assert (reply.status, reply.content_type) == (503, "application/problem+json")


@pytest.mark.parametrize("offered", ["", "Bearer wrong", "Basic right", "Bearer right"])
async def test_relay_needs_the_node_secret_also_from_this_machine(offered: str) -> None:
    async with pair(secret="right") as two:
        proof = f"Authorization: {offered}\r\n" if offered else ""
        upgrade = f"Connection: Upgrade\r\nUpgrade: {PROTOCOL}\r\n"
        request = f"GET /_node/ HTTP/1.1\r\nHost: x\r\n{proof}{upgrade}\r\n".encode()
        parts = urlsplit(two.a.control)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(request)
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert line.split()[1] == (b"101" if offered == "Bearer right" else b"403")
        async with two.b.client.get(f"{two.b.control}/_node/v1/tenants") as reply:
            assert reply.status == 403
        async with two.b.client.get(f"{two.b.control}/v1/tenants/near") as reply:
            assert reply.status == 200


#: What a balancer may send to any replica, and who answers it there.
ROUTES = {
    "tenant": "the path names a tenant: its owner",
    "default": "it is about the tenant default: its owner",
    "all": "it is about all replicas: each is asked or told",
    "any": "every replica knows it, or it is about the replica that is asked",
}
NOT_OF_A_TENANT = {
    "health": "any", "livez": "any", "readyz": "any", "metrics": "any", "openapi": "any", "openapi_provider": "any",
    "ca_file": "any", "page": "any", "page_file": "any", "list_scenarios": "any", "scenario_schema": "any",
    "get_scenario": "any", "list_rules": "any",
    "create_tenant": "any",  # where it arrives; the directory of all replicas makes a taken id or key a 409
    "llms": "default", "list_nodes": "all", "list_tenants": "all", "get_mutant": "all", "put_mutant": "all",
}  # fmt: skip


async def test_relay_of_every_route_is_decided(two: Pair) -> None:
    routes = two.b.emulator._control.routes
    assert {route.name for route in routes if "{id}" not in route.path} == set(NOT_OF_A_TENANT)
    assert set(NOT_OF_A_TENANT.values()) | {"tenant"} == set(ROUTES)
    for route in routes:
        kind = "tenant" if "{id}" in route.path else NOT_OF_A_TENANT[route.name]
        assert route.of_default == (kind == "default")
        if kind not in ("tenant", "default") or route.name == "delete_tenant":
            continue
        counts = two.b.emulator.runtime.relay.counts
        before = counts["control", "answered"] + counts["control", "client gone"]
        target = route.path.replace("{id}", "near").replace("{call_id}", "c").replace("{entry_id}", "1")
        target += "?timeout=0s" if route.name == "wait" else ""
        async with two.b.client.request(route.method, two.b.control + target) as reply:
            assert reply.status not in (405, 421, 500, 503), target
        await until(lambda: counts["control", "answered"] + counts["control", "client gone"] == before + 1)  # noqa: B023


async def test_relay_makes_no_push_to_another_replica(two: Pair) -> None:
    policy = two.a.emulator._policy
    await until(lambda: len(policy.replicas) >= 2)
    for port in (two.b.url, two.b.control):
        parts = urlsplit(port)
        assert "is a port of this emulator itself" in (
            policy.refusal("x", "127.0.0.1", parts.port or 0) or ""
        )


async def test_relay_of_the_mutant_is_for_all_replicas(two: Pair) -> None:
    async with two.a.client.put(f"{two.a.control}/v1/mutant", json={"name": "times-in-utc"}) as reply:
        assert reply.status == 200
    for emu in (two.a, two.b):
        assert emu.emulator.mutant.name == "times-in-utc"
        await talk(emu.url, form_request(fields=two.form("far")))
    async with two.a.client.get(f"{two.a.control}/v1/mutant") as reply:
        assert (await reply.json())["requests"] == {"nxcloud": 2}
