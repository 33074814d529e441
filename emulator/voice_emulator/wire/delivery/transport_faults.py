"""Pushes that a rule spoils on the wire: cut off by a reset, or dribbled."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

from yarl import URL

from voice_emulator.providers.provider import PushRequest
from voice_emulator.wire.delivery.push_client import request_head
from voice_emulator.wire.delivery.target_policy import Reach, Resolver
from voice_emulator.wire.http.sockets import reset_on_close


async def slowly(body: bytes, every: int, size: int) -> AsyncIterator[bytes]:
    """``body`` in pieces of ``size`` bytes, one every ``every`` real microseconds."""
    for begin in range(0, len(body), size):
        if begin:
            await asyncio.sleep(every / 1e6)
        yield body[begin : begin + size]


def time_of(body: bytes, every: int, size: int) -> float:
    """The real seconds that :func:`slowly` takes."""
    return every / 1e6 * (len(body) // size)


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
    for index, address in enumerate(found):
        try:
            _, writer = await asyncio.open_connection(
                address["host"], port, ssl=context, server_hostname=host if context is not None else None
            )
            break
        except OSError:
            if index == len(found) - 1:
                raise
    try:
        head = request_head(request.method, url, request.headers, max(len(request.body), 2))
        writer.write(head + request.body[: len(request.body) // 2])
        await writer.drain()
        reset_on_close(writer.get_extra_info("socket"))
    finally:
        writer.transport.abort()
