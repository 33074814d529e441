"""A push whose connection is reset in the middle, as a rule asks."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace

from yarl import URL

from voice_emulator.providers.provider import PushRequest
from voice_emulator.wire.delivery.push_client import request_head
from voice_emulator.wire.delivery.target_policy import Resolver, TargetPolicy
from voice_emulator.wire.http.sockets import reset_on_close


async def send_and_reset(
    url: URL, request: PushRequest, policy: TargetPolicy, trust: ssl.SSLContext | None = None
) -> None:
    """Send the head and half of the body, then reset the connection (a real TCP RST).

    ``trust`` is for an https receiver; default: the system's authorities.

    Raises OSError when the receiver cannot be reached, TargetBlocked when it must not be.
    """
    host, port = url.host or "", url.port or 80
    found = await Resolver(policy).resolve(host, port)
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
        # At least two bytes are announced, so that some are missing.
        head = request_head(url, replace(request, body=request.body.ljust(2)))
        writer.write(head + request.body[: len(request.body) // 2])
        await writer.drain()
        reset_on_close(writer.get_extra_info("socket"))
    finally:
        writer.transport.abort()
