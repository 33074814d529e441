"""The balancer of the cluster's tests: it spreads connections, passes over replicas that refuse, and hides no reset."""

from __future__ import annotations

import asyncio
import socket
import struct

from tests.replicas.chaos.balancer import balancing, haproxy_config
from tests.replicas.chaos.replicas import free_ports


async def _say(name: bytes) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        word = await reader.read()
        if word == b"reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return
        writer.write(name + b" heard " + word)
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def _ask(port: int, word: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(word)
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_connections_are_spread_and_those_that_refuse_are_passed_over():
    first, second = await _say(b"first"), await _say(b"second")
    ports = [server.sockets[0].getsockname()[1] for server in (first, second)]
    async with first, second, balancing([*ports, *free_ports(1)], seed=1) as balancer:
        said = {await _ask(balancer.port, b"x") for _ in range(30)}
        assert said == {b"first heard x", b"second heard x"}
        assert balancer.handed.keys() == set(ports)
        assert sum(balancer.handed.values()) == 30


async def test_a_connection_that_no_replica_takes_is_closed_without_a_byte():
    async with balancing(free_ports(2)) as balancer:
        assert await _ask(balancer.port, b"") == b""


async def test_a_reset_reaches_the_client_as_one():
    server = await _say(b"it")
    async with server, balancing([server.sockets[0].getsockname()[1]]) as balancer:
        try:
            said: object = await _ask(balancer.port, b"reset")
        except ConnectionResetError as error:
            said = error
        assert isinstance(said, ConnectionResetError)


def test_haproxy_config_keeps_everything_but_addresses():
    template = (
        "defaults\n    default-server check port 4881\nlisten traffic\n    bind :4880\n"
        "    server replica-1 replica-1:4880\n    server replica-2-unready replica-2:4880 no-check backup\n"
        "listen control\n    bind :4881\n    server replica-2 replica-2:4881\n"
    )
    changed = haproxy_config(template, {"traffic": 10, "control": 11}, [(20, 21), (30, 31)])
    assert changed == (
        "defaults\n    default-server check port 4881\nlisten traffic\n    bind 127.0.0.1:10\n"
        "    server replica-1 127.0.0.1:20 check port 21\n"
        "    server replica-2-unready 127.0.0.1:30 no-check backup\n"
        "listen control\n    bind 127.0.0.1:11\n    server replica-2 127.0.0.1:31 check port 31\n"
    )
