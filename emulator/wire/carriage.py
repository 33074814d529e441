"""Pushes on the socket itself: cut off by a reset, dribbled, and the answer acknowledged without delay."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator

from aiohttp.connector import Connection
from yarl import URL

from emulator.providers.base import PushRequest
from emulator.wire.faults import reset_on_close
from emulator.wire.reach import Reach, Resolver


async def slowly(body: bytes, every: int, size: int) -> AsyncIterator[bytes]:
    """``body`` in pieces of ``size`` bytes, one every ``every`` real microseconds."""
    for begin in range(0, len(body), size):
        if begin:
            await asyncio.sleep(every / 1e6)
        yield body[begin : begin + size]


def acknowledge_now(connection: Connection | None) -> None:
    """Have the kernel acknowledge at once what has come, where it can (Linux).

    A receiver that writes the head and the body of its answer apart waits with the body until the head is
    acknowledged (Nagle), and a kernel acknowledges up to 40 ms later: 40 ms for each push.
    """
    transport = connection.transport if connection is not None else None
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None or not hasattr(socket, "TCP_QUICKACK") or sock.fileno() < 0:
        return
    # A duplicate of the descriptor: uvloop's socket objects do not let options be set.
    with socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM) as duplicate:
        duplicate.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


async def send_and_reset(
    url: URL, request: PushRequest, reach: Reach, trust: ssl.SSLContext | None = None
) -> None:
    """Send the head and half of the body, then reset the connection (a real TCP RST).

    ``trust`` is for an https receiver; without one, the system's authorities.

    Raises OSError when the receiver cannot be reached at all, TargetBlocked when it must not be.
    """
    host, port = url.host or "", url.port or 80
    found = await Resolver(reach).resolve(host, port)
    context = (trust or ssl.create_default_context()) if url.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        found[0]["host"], port, ssl=context, server_hostname=host if context is not None else None
    )
    del reader
    try:
        lines = [f"{request.method} {url.raw_path_qs} HTTP/1.1", f"Host: {url.host_port_subcomponent}"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        lines.append(f"Content-Length: {max(len(request.body), 2)}")
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        writer.write(head + request.body[: len(request.body) // 2])
        await writer.drain()
        reset_on_close(writer.get_extra_info("socket"))
    finally:
        writer.transport.abort()
