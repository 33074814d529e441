"""Pushes by aiohttp's public API, for versions that :mod:`voice_emulator.wire.delivery.push_client` was not tested with.

Every push has a connection of its own, and gets no second: a session sends a GET again if the connection breaks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from multidict import CIMultiDict
from yarl import URL

from voice_emulator.core.attempts import PushReply
from voice_emulator.wire.delivery.push_client import Headers, read_answer, request_headers
from voice_emulator.wire.delivery.target_policy import Resolver


@dataclass
class _Sending:
    """The push of a task: ``announce`` is awaited once its connection stands."""

    announce: Callable[[], Awaitable[None]] | None
    connected: bool = False


_sending: ContextVar[_Sending] = ContextVar("sending")


class _OneEach(aiohttp.TCPConnector):
    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        """Connect, and announce it before anything is sent. A session that sends once more gets no connection."""
        sending = _sending.get()
        if sending.connected:
            raise aiohttp.ServerDisconnectedError
        connection = await super().connect(*args, **kwargs)
        sending.connected = True
        if sending.announce is not None:
            try:
                await sending.announce()
            except BaseException:
                connection.close()
                raise
        return connection


class SessionChannel:
    """As :class:`~voice_emulator.wire.delivery.push_client.PushClient`, slower."""

    def __init__(self, resolver: Resolver, seconds: float, trust: SSLContext | None = None) -> None:
        """``seconds`` bound a whole exchange; needs the running loop."""
        self._seconds = seconds
        self._session = aiohttp.ClientSession(
            connector=_OneEach(
                limit=0, resolver=resolver, ttl_dns_cache=10, force_close=True, ssl=trust or True
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept-Encoding", "Content-Type"),
            timeout=aiohttp.ClientTimeout(),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def exchange(
        self,
        method: str,
        url: URL,
        headers: Headers,
        body: bytes,
        *,
        announce: Callable[[], Awaitable[None]] | None = None,
        pieces: AsyncIterator[bytes] | None = None,
        sending: float = 0.0,
    ) -> PushReply:
        """As :meth:`voice_emulator.wire.delivery.push_client.PushClient.exchange`, with the same errors."""
        sent = CIMultiDict(request_headers(method, url, headers, len(body)))
        before = _sending.set(_Sending(announce))
        try:
            async with (
                asyncio.timeout(self._seconds + sending),
                self._session.request(
                    method, url.with_user(None), headers=sent, data=pieces if pieces is not None else body or None,
                    allow_redirects=False,
                ) as response,
            ):  # fmt: skip
                answer = await read_answer(response.content)
                return PushReply(response.status, tuple(response.headers.items()), answer)
        finally:
            _sending.reset(before)
