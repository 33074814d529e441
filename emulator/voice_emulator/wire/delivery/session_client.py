"""Pushes by aiohttp's public API, for versions that :mod:`voice_emulator.wire.delivery.push_client` was not tested with.

Every push gets one connection of its own, so that the session cannot send a GET again when the connection breaks.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from ssl import SSLContext
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from multidict import CIMultiDict
from yarl import URL

from voice_emulator.core.attempts import PushReply
from voice_emulator.providers.provider import PushRequest
from voice_emulator.wire.delivery.push_client import (
    Announce,
    Pace,
    read_answer,
    request_headers,
    slowly,
    time_of,
)
from voice_emulator.wire.delivery.target_policy import Resolver

#: Of the push of a task: what to await when its connection is open. Empty after that.
_announcements: ContextVar[list[Announce | None]] = ContextVar("announcements")


class _OneEach(aiohttp.TCPConnector):
    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        """Connect, and announce the push before anything is sent. A second try gets no connection."""
        announcements = _announcements.get()
        if not announcements:
            raise aiohttp.ServerDisconnectedError
        connection = await super().connect(*args, **kwargs)
        if (announce := announcements.pop()) is not None:
            try:
                await announce()
            except BaseException:
                connection.close()
                raise
        return connection


class SessionPushClient:
    """As :class:`~voice_emulator.wire.delivery.push_client.PushClient`, but slower."""

    def __init__(self, resolver: Resolver, seconds: float, trust: SSLContext | None = None) -> None:
        """``seconds`` limits an exchange; needs the running loop."""
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
        url: URL,
        request: PushRequest,
        *,
        announce: Announce | None = None,
        pace: Pace | None = None,
        seconds: float | None = None,
    ) -> PushReply:
        """As :meth:`voice_emulator.wire.delivery.push_client.PushClient.exchange`, with the same errors."""
        seconds = self._seconds if seconds is None else min(seconds, self._seconds)
        sent = CIMultiDict(request_headers(url, request))
        data = slowly(request.body, *pace) if pace is not None else request.body or None
        before = _announcements.set([announce])
        try:
            async with (
                asyncio.timeout(seconds + time_of(request.body, pace)),
                self._session.request(
                    request.method, url.with_user(None), headers=sent, data=data, allow_redirects=False,
                ) as response,
            ):  # fmt: skip
                answer = await read_answer(response.content)
                return PushReply(response.status, tuple(response.headers.items()), answer)
        finally:
            _announcements.reset(before)
