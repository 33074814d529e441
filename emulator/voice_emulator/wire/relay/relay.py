"""Who answers a request: this replica, or the owner of its tenant, to which it is then passed on.

A request is sent to a second replica only when the first certainly has not acted on it: it said so itself (MOVED), or
could not be reached. What was passed on is never passed on again.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from aiohttp import HttpVersion11, web
from aiohttp.http_parser import RawRequestMessage

from voice_emulator.core.accounts import Key
from voice_emulator.core.tenants import DEFAULT_TENANT
from voice_emulator.errors import StateError
from voice_emulator.providers.request import Request
from voice_emulator.wire.http.response_writer import SentResponse
from voice_emulator.wire.http.server import Connection, Server
from voice_emulator.wire.http.sockets import is_loopback, reset_on_close
from voice_emulator.wire.ownership import Ownership, Replica
from voice_emulator.wire.relay.frames import (
    CLOSE,
    LAST,
    LOST,
    MOVED,
    PATH,
    PROTOCOL,
    RelayedRequest,
    request_bytes,
)
from voice_emulator.wire.relay.incoming import IncomingLink, RelayedConnection
from voice_emulator.wire.relay.outgoing import CannotConnect, Client, Collected, Link, Links

log = logging.getLogger(__name__)

#: Real seconds for which an owner is looked for that takes the request: a hand-over takes less.
LOOKING = 3.0
#: Real seconds between two tries: the first, and the longest.
PAUSE, LONGEST_PAUSE = 0.02, 0.25
#: Real seconds for a reply that this replica itself asks another one for.
ASKING = 5.0
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class NoOwner(Exception):
    """A request that no replica could take; nothing was done about it."""


class NotAReplica(Exception):
    """Somebody who may not relay requests, or does not know how."""


class Relay:
    """Passes requests on. ``counts`` are requests by port and by how it ended."""

    def __init__(self, ownership: Ownership, secret: str | None) -> None:
        """Ask ``ownership`` where tenants are; ``secret`` is what all replicas share. Needs the running loop."""
        self._ownership = ownership
        self._links = Links(secret)
        self._secret = secret
        self._servers: tuple[Server, ...] = ()
        self._incoming: set[IncomingLink] = set()
        self.counts: Counter[tuple[str, str]] = Counter()

    # --- the traffic port ---------------------------------------------------------------------

    def serves(self, request: Request, connection: object, keys: tuple[Key, ...] | None = None) -> bool:
        """Whether an attributed request is answered here, as far as is known without asking the store."""
        tenant = request.tenant
        owns = self._ownership.owns
        if request.attributed:
            return owns(tenant.id)
        if isinstance(connection, RelayedConnection):
            return connection.for_default and owns(DEFAULT_TENANT)
        return not (_keys(request) if keys is None else keys) and owns(DEFAULT_TENANT)

    def at_once(self, connection: Connection, message: RawRequestMessage, request: Request) -> bool:
        """Pass a request on as its bytes arrive, without a task; False when that needs waiting."""
        if isinstance(connection, RelayedConnection):
            connection.refuse()
            return True
        if not connection.may_relay:
            return False
        keys = _keys(request)
        owner = self._ownership.known_owner(keys)
        link = self._links.idle(owner.url) if owner is not None else None
        if link is None:
            return False
        raw = request_bytes(
            message.method, message.path, message.version, message.raw_headers, request.body,
            chunked="transfer-encoding" in request.headers,
        )  # fmt: skip
        passed = RelayedRequest(
            raw, traffic=True, peer=connection.peer, scheme=connection.scheme, for_default=not keys
        )
        client = _AtOnce(connection, link, self.counts)
        try:
            link.send(passed.frame(), client)
        except CannotConnect:
            return False
        connection.relayed = client
        return True

    async def traffic(
        self, raw: web.BaseRequest, request: Request, keys: tuple[Key, ...] | None
    ) -> web.StreamResponse | None:
        """Pass a request on; None when it is to be answered here, perhaps since its tenant was just taken over.

        ``keys`` are those of its operation if None. Raises NoOwner.
        """
        connection = raw.protocol
        if self.serves(request, connection, keys):
            return None
        if isinstance(connection, RelayedConnection):
            return connection.refuse()
        if keys is None:
            keys = _keys(request)

        async def find() -> str:
            return await self._ownership.find(keys) if keys else DEFAULT_TENANT

        return await self._pass_on(raw, find, request.body, bool(keys), traffic=True)

    # --- the control port ---------------------------------------------------------------------

    async def control(
        self, raw: web.BaseRequest, tenant_id: str, read: Callable[[web.BaseRequest], Awaitable[bytes]]
    ) -> web.StreamResponse | None:
        """Pass on a request about a tenant, with its body, which ``read`` reads; None when it is answered here.

        Raises NoOwner.
        """
        if self._ownership.owns(tenant_id):
            return None
        connection = raw.protocol
        if isinstance(connection, RelayedConnection):
            return connection.refuse()
        body: bytes | None = None

        async def find() -> str:
            return tenant_id

        try:
            if await self._owner(tenant_id) is None:
                return None
        except LookupError:
            return None
        body = await read(raw)
        return await self._pass_on(raw, find, body, False, traffic=False)

    # --- both ---------------------------------------------------------------------------------

    async def _owner(self, tenant_id: str) -> Replica | None:
        try:
            return await self._ownership.locate(tenant_id)
        except StateError as error:
            raise NoOwner(f"the store does not answer, so the tenant cannot be found: {error}") from error

    async def _pass_on(
        self,
        raw: web.BaseRequest,
        find: Callable[[], Awaitable[str]],
        body: bytes,
        keyed: bool,
        *,
        traffic: bool,
    ) -> web.StreamResponse | None:
        connection = raw.protocol
        if not isinstance(connection, Connection):
            raise AssertionError("requests arrive over connections of our own servers")
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + LOOKING, PAUSE
        data = request_bytes(
            raw.method, raw.raw_path, raw.version, raw.raw_headers, body,
            chunked="Transfer-Encoding" in raw.headers,
        )  # fmt: skip
        while True:
            try:
                tenant_id = await find()
                owner = await self._owner(tenant_id)
            except StateError as error:
                raise NoOwner(f"the store does not answer, so the tenant cannot be found: {error}") from error
            except LookupError:
                if not keyed or tenant_id == DEFAULT_TENANT:
                    return None
                # It was deleted since, or another one has it: `default` answers only for keys that no tenant has.
                why = f"there is no tenant {tenant_id!r} at the moment"
            else:
                if owner is None:
                    return None
                passed = RelayedRequest(
                    data, traffic=traffic, peer=connection.peer, scheme=connection.scheme,
                    for_default=not keyed or tenant_id == DEFAULT_TENANT,
                )  # fmt: skip
                answer = await self._offer(raw, connection, owner, passed)
                if not isinstance(answer, str):
                    return answer
                why = answer
            self._ownership.moved(tenant_id)
            if loop.time() + pause > until:
                raise NoOwner(f"no replica could take the request: {why}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _offer(
        self, raw: web.BaseRequest, connection: Connection, owner: Replica, passed: RelayedRequest
    ) -> web.StreamResponse | str:
        """Pass a request on to this owner; why it has not acted on it, if it has not."""
        port = _port(passed.traffic)
        try:
            link = self._links.idle(owner.url) or await self._links.open(owner.url)
            client = _Waiting(connection, link, raw, self.counts, port=port)
            link.send(passed.frame(), client)
        except CannotConnect as error:
            self.counts[port, "unreachable"] += 1
            return str(error)
        connection.relayed = client
        sent = await client.result()
        return sent if sent is not None else f"{owner.name} is not the owner of the tenant any more"

    def keep_only(self, replicas: Iterable[Replica]) -> None:
        """Only these are running: whoever waits for another one feels that it died."""
        self._links.keep_only({each.url for each in replicas})

    # --- what this replica itself asks others -------------------------------------------------

    async def ask(
        self, replica: Replica, target: str, *, method: str = "GET", document: Any = None
    ) -> tuple[int, Any]:
        """Status and JSON of the reply of another replica's control port. Raises NoOwner."""
        body = b"" if document is None else json.dumps(document).encode()
        headers = [(b"Host", b"node")]
        if document is not None:
            headers += [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(body))]
        raw = request_bytes(method, target, HttpVersion11, headers, body, chunked=False)
        passed = RelayedRequest(raw, traffic=False, peer="", scheme="http", for_default=False)
        link: Link | None = None
        try:
            async with asyncio.timeout(ASKING):
                link = self._links.idle(replica.url) or await self._links.open(replica.url)
                collected = Collected()
                link.send(passed.frame(), collected)
                kind = await collected.done
        except (CannotConnect, TimeoutError) as error:
            if link is not None:
                link.abort()
            raise NoOwner(f"{replica.name} does not answer: {str(error) or 'no reply in time'}") from error
        if kind == MOVED:
            return 421, None
        if kind not in (LAST, CLOSE):
            raise NoOwner(f"{replica.name} broke its reply off")
        status, body = collected.read()
        return status, json.loads(body) if body else None

    async def ask_owner(self, tenant_id: str, target: str) -> Any:
        """The JSON that the owner of a tenant gives; None when the tenant is here, or nowhere. Raises NoOwner."""
        for _ in range(3):
            try:
                owner = await self._owner(tenant_id)
            except LookupError:
                return None
            if owner is None:
                return None
            status, document = await self.ask(owner, target)
            if status == 200:
                return document
            self._ownership.moved(tenant_id)
        return None

    # --- what others relay --------------------------------------------------------------------

    def open(self, traffic: Server, control: Server) -> None:
        """Answer what others relay by the servers of the two ports."""
        self._servers = (traffic, control)

    async def accept(self, raw: web.BaseRequest) -> web.StreamResponse:
        """``GET /_node/``: take relayed requests over this connection, until it is closed. Raises NotAReplica."""
        transport, connection = raw.transport, raw.protocol
        self._check(raw)
        if (
            raw.headers.get("Upgrade") != PROTOCOL
            or transport is None
            or not isinstance(connection, Connection)
        ):
            raise NotAReplica(f"{PATH} is for the other replicas of this emulator, of the same version")
        link = IncomingLink(transport, connection, *self._servers)
        transport.write(
            f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {PROTOCOL}\r\n\r\n".encode()
        )
        transport.set_protocol(link)
        self._incoming.add(link)
        try:
            await link.closed
        finally:
            self._incoming.discard(link)
            transport.abort()
        return SentResponse(keep_alive=False)

    def _check(self, raw: web.BaseRequest) -> None:
        if self._secret is None:
            if not is_loopback(raw.remote or ""):
                raise NotAReplica("without --node-secret, only this machine may relay requests")
            return
        scheme, _, given = raw.headers.get("Authorization", "").partition(" ")
        right = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._secret.encode())
        if scheme != "Bearer" or not right:
            raise NotAReplica("the node secret is missing or wrong: all replicas need the same --node-secret")

    async def close(self, grace: float) -> None:
        """Take nothing more, let what is under way end within ``grace`` real seconds, and close all connections."""
        for link in self._incoming:
            link.leave()
        waiting = [link.closed for link in self._incoming]
        if waiting:
            await asyncio.wait(waiting, timeout=grace)
        for link in tuple(self._incoming):
            link.transport.abort()
        for server in self._servers:
            await server.shutdown(0)
        self._links.close()


class _ToClient(Client):
    """Passes a reply on to the client of a connection."""

    __slots__ = ("_connection", "_counts", "_link", "_over", "_port", "_transport", "begun")

    def __init__(
        self, connection: Connection, link: Link, counts: Counter[tuple[str, str]], port: str = "traffic"
    ) -> None:
        self._connection = connection
        self._transport = connection.transport
        self._link = link
        self._counts = counts
        self._port = port
        #: Whether a part of the reply has arrived.
        self.begun = False
        self._over: asyncio.Event | None = None
        if connection.writing_paused:
            link.pause()

    async def over(self, seconds: float | None) -> None:
        """Wait for the end of the reply, at most so many real seconds."""
        self._over = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    def write(self, data: bytes) -> None:
        """Bytes of the reply, as they are."""
        self.begun = True
        if self._transport is not None:
            self._transport.write(data)

    def pause(self) -> None:
        """The client does not read."""
        self._link.pause()

    def resume(self) -> None:
        """It reads again."""
        self._link.resume()

    def gone(self) -> None:
        """The client has closed its connection: the owner feels it too."""
        if self._link.client is self:
            self._counts[self._port, "client gone"] += 1
            self._link.abort()

    def cut(self, kind: int) -> None:
        """End the client's connection as the owner did, or by a reset if the owner died."""
        transport = self._transport
        if transport is None:
            return
        if kind == CLOSE:
            transport.close()
        else:
            reset_on_close(transport.get_extra_info("socket"))
            transport.abort()

    def count(self, kind: int) -> None:
        """Count the request by how it ended."""
        word = {LAST: "answered", CLOSE: "answered", MOVED: "moved", LOST: "lost"}.get(kind, "reset")
        self._counts[self._port, word] += 1
        if self._over is not None:
            self._over.set()


class _AtOnce(_ToClient):
    """Of a request that waits in its connection's queue, see :meth:`Connection.relayed_ended`."""

    __slots__ = ()

    def ended(self, kind: int) -> None:
        """The reply is complete, or the request is to be tried again, or the client's connection ends."""
        self.count(kind)
        if kind in (LAST, MOVED):
            self._connection.relayed_ended(answered=kind == LAST)
        else:
            self.cut(kind)


class _Waiting(_ToClient):
    """Of a request that has a task."""

    __slots__ = ("_continued", "_done", "_stays")

    def __init__(
        self,
        connection: Connection,
        link: Link,
        raw: web.BaseRequest,
        counts: Counter[tuple[str, str]],
        port: str,
    ) -> None:
        super().__init__(connection, link, counts, port)
        self._stays = bool(raw.keep_alive)
        #: Whether the client was told to continue: the owner says so again.
        self._continued = raw.headers.get("Expect", "").lower() == "100-continue"
        self._done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def write(self, data: bytes) -> None:
        """Bytes of the reply, as they are."""
        if self._continued:
            self._continued = False
            data = data.removeprefix(_CONTINUE)
            if not data:
                return
        super().write(data)

    def ended(self, kind: int) -> None:
        """The reply is complete or not."""
        self.count(kind)
        if not self._done.done():
            self._done.set_result(kind)

    async def result(self) -> web.StreamResponse | None:
        """What aiohttp is told; None when another replica may be tried. Raises NoOwner where the owner died."""
        try:
            kind = await self._done
        except asyncio.CancelledError:
            self.gone()
            raise
        finally:
            self._connection.relayed = None
        if kind == MOVED:
            return None
        if kind == LOST and self._port == "control" and not self.begun:
            raise NoOwner(
                "the replica that owns the tenant died before its reply; whether it acted is not known"
            )
        if kind != LAST:
            self.cut(kind)
        return SentResponse(keep_alive=kind == LAST and self._stays)


def _port(traffic: bool) -> str:
    return "traffic" if traffic else "control"


def _keys(request: Request) -> tuple[Key, ...]:
    return tuple(request.operation.identify(request)) if request.operation is not None else ()
