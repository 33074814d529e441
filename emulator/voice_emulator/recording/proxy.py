"""A proxy between a client and the real providers that records both directions.

It is the only part of the product that sends anything to a public address: to the upstreams that it was given, with TLS
verified, and to no other host, whatever a request says.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, Literal

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from voice_emulator.providers.kit.replies import one_line
from voice_emulator.recording.exchanges import Exchange, Pairs, Reader, json_of
from voice_emulator.recording.guards import Guards
from voice_emulator.wire.delivery.target_policy import Resolver, TargetPolicy
from voice_emulator.wire.http.request_body import BodyReader, BodyRefused
from voice_emulator.wire.http.server import Server
from voice_emulator.wire.http.sockets import bind, dialled
from voice_emulator.wire.machine_time import wall_now
from voice_emulator.wire.traffic.request_parsing import origin_form

RECEIVER = "/_receiver/"
#: RFC 9110, 7.6.1: these concern one connection. Host and Content-Length follow from where a message goes.
_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "host", "content-length", "expect",
    }
)  # fmt: skip
#: Headers that the client library would add.
_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_SCHEMES = ("http://", "https://")
#: Real seconds for an answer of a provider or a receiver, and bytes of a body.
TIMEOUT = 60.0
BODY_LIMIT = 16 * 1024 * 1024
#: Exchanges of a recording: they are kept in memory until it is written.
LIMIT = 100_000


@dataclass(slots=True)
class Recorder:
    """What the proxy was told, and what it has recorded."""

    reader: Reader
    guards: Guards
    upstreams: Mapping[str, URL]
    receivers: Mapping[str, URL] = field(default_factory=dict)
    public_url: str | None = None
    trust: SSLContext | None = None
    clock: Callable[[], int] = wall_now
    exchanges: list[Exchange] = field(default_factory=list)
    refused: int = 0


class _Verbatim(web.Response):
    """A reply passed on as it came, without the headers that aiohttp adds."""

    async def _prepare_headers(self) -> None:
        own = set(self.headers)
        await super()._prepare_headers()
        for name in {"Server", "Date", "Content-Type"} - own:
            self.headers.popall(name, None)


class Proxy:
    """Forwards requests to upstreams and pushes to receivers."""

    def __init__(
        self, recorder: Recorder, upstream: aiohttp.ClientSession, receiver: aiohttp.ClientSession
    ) -> None:
        self._recorder = recorder
        self._upstream = upstream
        self._receiver = receiver
        self._policy = TargetPolicy()
        self._bodies = BodyReader(BODY_LIMIT, TIMEOUT, 8 * BODY_LIMIT)

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        """One request or push, forwarded and recorded."""
        try:
            body = await self._bodies.read(raw)
        except BodyRefused as refused:
            return _failure(refused.status, str(refused))
        self._bodies.release(len(body))
        # The target of the request line, with the host that it may name taken off: that decides nothing.
        target = origin_form(raw.raw_path)[2]
        if not target.startswith("/"):
            return _failure(405, "only requests to a path are forwarded")
        if len(self._recorder.exchanges) >= LIMIT:
            return self._refuse(f"the recording is full: it holds at most {LIMIT:,} exchanges")
        headers = end_to_end(raw.raw_headers)
        if target.startswith(RECEIVER):
            return await self._push(raw.method, target, headers, body)
        return await self._request(raw.method, target, headers, body)

    async def _request(self, method: str, target: str, headers: Pairs, body: bytes) -> web.StreamResponse:
        recorder = self._recorder
        request = recorder.reader.request(method, target, headers, body)
        if request is None:
            return self._refuse(f"no provider serves {target.partition('?')[0]}")
        base = recorder.upstreams.get(request.provider)
        if base is None:
            return self._refuse(f"no --upstream was given for {request.provider}")
        refusal = recorder.guards.refusal(request)
        if refusal is not None:
            return self._refuse(refusal)
        url = URL(f"{str(base).rstrip('/')}{target}", encoded=True)
        if url.origin() != base.origin():
            return self._refuse("the path leads to another host")
        sent = self._with_callback(request.provider, headers, body)
        return await self._forward(
            self._upstream, request.provider, "request", url, method, headers, body, sent
        )

    def _with_callback(self, provider: str, headers: Pairs, body: bytes) -> bytes:
        """The body with callback URLs in it leading here."""
        if self._recorder.public_url is None:
            return body
        here = f"{self._recorder.public_url.rstrip('/')}{RECEIVER}{provider}"
        document = json_of(body)
        for name, value in document.items() if isinstance(document, dict) else ():
            new = callback_to(here, name, value)
            if new is None:
                continue
            for written in (value, value.replace("/", "\\/")):
                body = body.replace(f'"{written}"'.encode(), f'"{new}"'.encode())
        return body

    async def _push(self, method: str, target: str, headers: Pairs, body: bytes) -> web.StreamResponse:
        rest, _, query = target.removeprefix(RECEIVER).partition("?")
        provider, slash, path = rest.partition("/")
        base = self._recorder.receivers.get(provider)
        if base is None:
            return _failure(404, f"no --receiver was given for {provider[:40]!r}")
        text = str(base) + (f"/{path}".replace("//", "/") if slash and path else "")
        if query:
            text += f"{'&' if base.raw_query_string else '?'}{query}"
        url = URL(text, encoded=True)
        refusal = self._policy.check(url)
        if refusal is not None:
            return _failure(502, refusal)
        return await self._forward(self._receiver, provider, "push", url, method, headers, body, body)

    async def _forward(
        self,
        session: aiohttp.ClientSession,
        provider: str,
        kind: Literal["request", "push"],
        url: URL,
        method: str,
        headers: Pairs,
        body: bytes,
        sent: bytes,
    ) -> web.StreamResponse:
        at, begun = self._recorder.clock(), wall_now()
        status, reply, problem = 0, b"", ""
        answered: Pairs = ()
        try:
            async with session.request(
                method, url, data=sent or None, headers=CIMultiDict(headers), allow_redirects=False
            ) as response:
                status, answered = response.status, end_to_end(response.raw_headers)
                reply = await response.content.read(-1)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = str(error) or type(error).__name__
        self._recorder.exchanges.append(
            Exchange(
                kind, provider, at, method, str(url), headers, body, status, answered,
                reply, wall_now() - begun,
            )
        )  # fmt: skip
        if not status:
            return _failure(502, f"no answer: {problem}")
        return _Verbatim(status=status, headers=CIMultiDict(answered), body=reply)

    def _refuse(self, why: str) -> web.Response:
        self._recorder.refused += 1
        return _failure(429, why)


def callback_to(url: str, name: str, value: Any) -> str | None:
    """The value of a field with ``url`` in it, in Base64 if it was; None for a field without a callback URL."""
    if "callback" not in name.lower() or not isinstance(value, str):
        return None
    if value.startswith(_SCHEMES):
        return url
    try:
        encoded = b64decode(value, validate=True).decode("ascii").startswith(_SCHEMES)
    except ValueError:
        return None
    return b64encode(url.encode()).decode() if encoded else None


def _failure(status: int, why: str) -> web.Response:
    return web.Response(status=status, text=f"{why}\n", headers={"Emulator-Error": one_line(why)})


def end_to_end(raw: Sequence[tuple[bytes, bytes]]) -> Pairs:
    """Headers that concern both ends, as they came."""
    pairs = [
        (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
        for name, value in raw
    ]
    named = {
        word.strip().lower()
        for name, value in pairs
        if name.lower() == "connection"
        for word in value.split(",")
    }
    return tuple(pair for pair in pairs if pair[0].lower() not in _HOP | named)


@asynccontextmanager
async def recording(recorder: Recorder, hosts: Sequence[str], port: int) -> AsyncIterator[str]:
    """Run the proxy and give its base URL. Raises UsageError when the port is not available."""
    policy = TargetPolicy()
    ssl = recorder.trust if recorder.trust is not None else True
    limits = aiohttp.ClientTimeout(total=TIMEOUT)
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=ssl), timeout=limits, auto_decompress=False, trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=_ADDED,
        ) as upstream,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=ssl, resolver=Resolver(policy)), timeout=limits, auto_decompress=False,
            trust_env=False, cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=_ADDED,
        ) as receiver,
    ):  # fmt: skip
        proxy = Proxy(recorder, upstream, receiver)
        runner = web.ServerRunner(
            Server(proxy.handle, access_log=None), handle_signals=False, shutdown_timeout=5
        )
        await runner.setup()
        try:
            sockets = bind(hosts, port)
            for each in sockets:
                await web.SockSite(runner, each).start()
            yield f"http://{dialled(sockets)}"
        finally:
            await asyncio.shield(runner.cleanup())
