"""Putting a reply on the wire, whole or spoiled as a rule says, and noting what the client could see."""

from __future__ import annotations

import asyncio

from aiohttp import web

from voice_emulator.core.draws import digest
from voice_emulator.core.faults import (
    Empty,
    Fault,
    FaultEffect,
    Garbage,
    Hang,
    HtmlError,
    HttpStatus,
    InvalidJson,
    Reset,
    SlowBody,
    Truncate,
    WrongContentType,
)
from voice_emulator.providers.request import Reply
from voice_emulator.wire.http.response_writer import has_no_body, send_at_once, send_reply, whole_reply
from voice_emulator.wire.http.sockets import reset_on_close
from voice_emulator.wire.traffic.exchange import RequestRecord, Sent

Headers = tuple[tuple[str, str], ...]

HTML_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


class Hanging:
    """The requests that are held open without a reply, so that they can be let go at the end."""

    def __init__(self) -> None:
        """None yet."""
        self._held: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        return len(self._held)

    async def hold(self) -> None:
        """Return only at :meth:`release`; cancelled when the client closes the connection."""
        future = asyncio.get_running_loop().create_future()
        self._held.add(future)
        try:
            await future
        finally:
            self._held.discard(future)

    def release(self) -> None:
        """Let everything go."""
        for future in self._held:
            if not future.done():
                future.set_result(None)


def send_plain(raw: web.BaseRequest, record: RequestRecord, reply: Reply) -> web.StreamResponse | None:
    """Send a reply that no fault spoils, if it can be done at once; None, and nothing sent, if not."""
    try:
        response = send_at_once(raw, reply.status, reply.content_type, reply.body, reply.headers)
    except ConnectionError:
        _note_gone(record)
        raise
    if response is not None:
        record.sent = Sent(reply.status, (("Content-Type", reply.content_type), *reply.headers), reply.body)
    return response


def write_plain(transport: asyncio.Transport, record: RequestRecord) -> None:
    """Write the reply of ``record`` over a connection that stays open; nothing when the client has gone."""
    reply = record.reply
    if reply is None:
        raise AssertionError("a request is sent its reply before it has one")
    if transport.is_closing():
        _note_gone(record)
        return
    transport.write(whole_reply(reply.status, reply.content_type, reply.body, reply.headers))
    record.sent = Sent(reply.status, (("Content-Type", reply.content_type), *reply.headers), reply.body)


async def put_on_the_wire(
    raw: web.BaseRequest,
    record: RequestRecord,
    reply: Reply,
    effect: FaultEffect | None,
    latency: int,
    extra: Headers,
    hanging: Hanging,
) -> web.StreamResponse:
    """Send ``reply`` through the fault of ``effect``; ``record.sent`` is what went out.

    ``latency`` is in real microseconds: the client's own time-out is real time too. Cancelled when
    the client goes away first, which is noted.
    """
    try:
        if latency:
            record.latency = latency
            await asyncio.sleep(latency / 1e6)
        fault = effect.fault if effect is not None else None
        if fault is None or not fault.name or fault.name in ("none", "token_expired"):
            record.fault = fault.name if fault is not None and fault.name == "token_expired" else None
            return await _send(
                raw, record, reply.status, reply.content_type, reply.body, (*reply.headers, *extra)
            )
        record.fault = fault.name
        if isinstance(fault, Hang):
            record.sent = Sent(None, (), b"", "held open without a reply")
            await hanging.hold()
            return _cut(raw, record, "held open until the emulator stopped")
        return await _send_spoiled(raw, record, reply, fault, extra)
    except asyncio.CancelledError:
        if record.sent is None:
            record.sent = Sent(None, (), b"", "the client went away before the reply")
        record.cancelled = True
        raise
    except (ConnectionError, OSError):
        _note_gone(record)
        raise


def _note_gone(record: RequestRecord) -> None:
    record.sent = Sent(None, (), b"", "the client went away during the reply")
    record.cancelled = True


async def _send(
    raw: web.BaseRequest,
    record: RequestRecord,
    status: int,
    kind: str,
    body: bytes,
    extra: Headers,
    note: str = "",
) -> web.StreamResponse:
    response = await send_reply(raw, status, kind, body, extra)
    record.sent = Sent(status, (("Content-Type", kind), *extra), body, note)
    return response


async def _send_spoiled(
    raw: web.BaseRequest, record: RequestRecord, reply: Reply, fault: Fault, extra: Headers
) -> web.StreamResponse:
    match fault:
        case Reset():
            return _cut(raw, record, "reset before any byte", reset=True)
        case Empty():
            return _cut(raw, record, "closed without a reply")
        case SlowBody():
            return await _dribble(raw, record, reply, fault, extra)
        case Truncate():
            body = reply.body
            half = body[: len(body) // 2]
            await _send_part(raw, record, reply.status, reply.content_type, body, half, extra)
            return _cut(raw, record, f"cut after {len(half)} of {len(body)} bytes", keep=True)
    status, kind, body = _altered(record, reply, fault)
    return await _send(raw, record, status, kind, body, extra)


def _altered(record: RequestRecord, reply: Reply, fault: Fault) -> tuple[int, str, bytes]:
    """Status, content type and body of a fault that is a whole HTTP reply, only not the proper one."""
    status, kind, body = reply.status, reply.content_type, reply.body
    match fault:
        case Garbage():
            noise = digest("garbage", *record.request.key, size=64) * (len(body) // 64 + 1)
            body = noise[: max(16, len(body))]
        case InvalidJson():
            body = body[: max(1, len(body) * 2 // 3)].rstrip(b"}") + b',"'
        case WrongContentType():
            kind = "text/plain; charset=utf-8"
        case HttpStatus():
            status, kind, body = (
                fault.status,
                "text/plain; charset=utf-8",
                b"%d by the gateway\n" % fault.status,
            )
        case HtmlError():
            status, kind, body = 502, "text/html", HTML_PAGE
    return status, kind, b"" if has_no_body(status) else body


async def _send_part(
    raw: web.BaseRequest,
    record: RequestRecord,
    status: int,
    kind: str,
    body: bytes,
    part: bytes,
    extra: Headers,
) -> None:
    response = web.StreamResponse(status=status, headers={"Content-Type": kind, **dict(extra)})
    response.content_length = len(body)
    await response.prepare(raw)
    await response.write(part)
    record.sent = Sent(status, (("Content-Type", kind), ("Content-Length", str(len(body)))), part)


async def _dribble(
    raw: web.BaseRequest, record: RequestRecord, reply: Reply, fault: SlowBody, extra: Headers
) -> web.StreamResponse:
    response = web.StreamResponse(
        status=reply.status, headers={"Content-Type": reply.content_type, **dict(extra)}
    )
    response.content_length = len(reply.body)
    await response.prepare(raw)
    record.sent = Sent(reply.status, (("Content-Type", reply.content_type),), b"", "cut while dribbling")
    for begin in range(0, len(reply.body), fault.bytes):
        if begin:
            await asyncio.sleep(fault.every / 1e6)
        piece = reply.body[begin : begin + fault.bytes]
        await response.write(piece)
        record.sent.body += piece
    await response.write_eof()
    record.sent.note = f"in pieces of {fault.bytes} bytes"
    return response


def _cut(
    raw: web.BaseRequest, record: RequestRecord, note: str, *, reset: bool = False, keep: bool = False
) -> web.StreamResponse:
    """Close the connection now; a reset is a real TCP RST (linger time 0)."""
    if keep and record.sent is not None:
        record.sent.note = note
    else:
        record.sent = Sent(None, (), b"", note)
    transport = raw.transport
    if transport is not None:
        if reset:
            reset_on_close(transport.get_extra_info("socket"))
            transport.abort()
        else:
            transport.close()
    # Nothing can be written any more; aiohttp still wants something to finish with.
    return _Nothing()


class _Nothing(web.StreamResponse):
    """A response that was never sent, for a connection that is closed already."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write nothing."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Write nothing."""
