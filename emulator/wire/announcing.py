"""Telling of a push when its connection stands and nothing has been sent over it yet.

Earlier would call a push uncertain that never left: many wait for a connection at once, and a receiver may be
out of reach for long. Later would be too late.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import aiohttp

from emulator.core.attempts import Attempt
from emulator.core.tenants import Tenant

#: Awaited before the first byte of an attempt leaves.
Ahead = Callable[[Tenant, Attempt], Awaitable[None]]


def announcing(ahead: Ahead) -> aiohttp.TraceConfig:
    """What has each request, made with ``trace_request_ctx=(tenant, attempt)``, wait for ``ahead``."""

    async def announce(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
        await ahead(*context.trace_request_ctx)

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(announce)
    trace.on_connection_reuseconn.append(announce)
    return trace
