"""Sending a reply, unchanged or with the fault that a rule asks for, and recording what the client could see."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aiohttp import web

from voice_emulator.core.draws import digest
from voice_emulator.core.faults import (
    NO_FAULT,
    Empty,
    Fault,
    FaultEffect,
    Garbage,
    Hang,
    HtmlError,
    HttpStatus,
    InvalidJson,
    NoFault,
    Reset,
    SlowBody,
    TokenExpired,
    Truncate,
    WrongContentType,
)
from voice_emulator.providers.request import Reply
from voice_emulator.wire.http.response_writer import (
    SentResponse,
    has_no_body,
    send_at_once,
    send_reply,
    whole_reply,
)
from voice_emulator.wire.http.sockets import reset_on_close
from voice_emulator.wire.traffic.exchange import RequestRecord, Sent

Headers = tuple[tuple[str, str], ...]

HTML_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


class HeldRequests:
    """The requests that are held open without a reply, so that they can be ended when the process stops."""

    def __init__(self) -> None:
        self._futures: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        return len(self._futures)

    async def hold(self) -> None:
        """Return only at :meth:`release`; cancelled when the client closes the connection."""
        future = asyncio.get_running_loop().create_future()
        self._futures.add(future)
        try:
            await future
        finally:
            self._futures.discard(future)

    def release(self) -> None:
        """End all of them."""
        for future in self._futures:
            if not future.done():
                future.set_result(None)


def send_plain(raw: web.BaseRequest, record: RequestRecord, reply: Reply) -> web.StreamResponse | None:
    """Send a reply without a fault in one write; None, and nothing sent, if that is not possible."""
    try:
        response = send_at_once(raw, reply.status, reply.content_type, reply.body, reply.headers)
    except ConnectionError:
        _note_gone(record)
        raise
    if response is not None:
        record.sent = _sent(reply)
    return response


def write_plain(transport: asyncio.Transport, record: RequestRecord) -> None:
    """Write the reply of ``record`` to a connection that stays open; nothing when the client has gone."""
    reply = record.reply
    if reply is None:
        raise AssertionError("no reply to send")
    if transport.is_closing():
        _note_gone(record)
        return
    transport.write(whole_reply(reply.status, reply.content_type, reply.body, reply.headers))
    record.sent = _sent(reply)


async def send_spoiled(
    raw: web.BaseRequest,
    record: RequestRecord,
    reply: Reply,
    effect: FaultEffect | None,
    latency: int,
    extra: Headers,
    held: HeldRequests,
) -> web.StreamResponse:
    """Send ``reply`` through the fault of ``effect``, if any; ``record.sent`` is what went out.

    ``latency`` is in real microseconds, since the client's timeout is real time too. Cancelled when the client goes
    away first, which is recorded.
    """
    try:
        if latency:
            record.latency = latency
            await asyncio.sleep(latency / 1e6)
        fault = effect.fault if effect is not None else NO_FAULT
        if not isinstance(fault, NoFault):
            record.fault = fault.name
        if isinstance(fault, NoFault | TokenExpired):  # the provider's own refusal is the whole of the latter
            return await _send(raw, record, replace(reply, headers=(*reply.headers, *extra)))
        reply = replace(reply, headers=extra)
        if isinstance(fault, Hang):
            record.sent = _unsent("held open without a reply")
            await held.hold()
            return _cut(raw, record, "held open until the emulator stopped")
        return await _send_fault(raw, record, reply, fault)
    except asyncio.CancelledError:
        if record.sent is None:
            record.sent = _unsent("the client went away before the reply")
        record.cancelled = True
        raise
    except OSError:
        _note_gone(record)
        raise


def _sent(reply: Reply) -> Sent:
    return Sent(reply.status, (("Content-Type", reply.content_type), *reply.headers), reply.body)


def _unsent(note: str) -> Sent:
    return Sent(None, (), b"", note)


def _note_gone(record: RequestRecord) -> None:
    record.sent = _unsent("the client went away during the reply")
    record.cancelled = True


async def _send(raw: web.BaseRequest, record: RequestRecord, reply: Reply) -> web.StreamResponse:
    response = await send_reply(raw, reply.status, reply.content_type, reply.body, reply.headers)
    record.sent = _sent(reply)
    return response


async def _send_fault(
    raw: web.BaseRequest, record: RequestRecord, reply: Reply, fault: Fault
) -> web.StreamResponse:
    match fault:
        case Reset():
            return _cut(raw, record, "reset before any byte", reset=True)
        case Empty():
            return _cut(raw, record, "closed without a reply")
        case SlowBody():
            return await _send_slowly(raw, record, reply, fault)
        case Truncate():
            half = len(reply.body) // 2
            response, sent = await _begin(raw, record, reply)
            await response.write(reply.body[:half])
            sent.body, sent.note = reply.body[:half], f"cut after {half} of {len(reply.body)} bytes"
            return _cut(raw)
    return await _send(raw, record, _altered(record, reply, fault))


def _altered(record: RequestRecord, reply: Reply, fault: Fault) -> Reply:
    """The reply of a fault that sends a complete HTTP reply, only a wrong one."""
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
            status, kind = fault.status, "text/plain; charset=utf-8"
            body = b"%d by the gateway\n" % status
        case HtmlError():
            status, kind, body = 502, "text/html", HTML_PAGE
    return replace(reply, status=status, content_type=kind, body=b"" if has_no_body(status) else body)


async def _begin(
    raw: web.BaseRequest, record: RequestRecord, reply: Reply
) -> tuple[web.StreamResponse, Sent]:
    """Send the head of ``reply``, whose body follows in parts."""
    response = web.StreamResponse(
        status=reply.status, headers={"Content-Type": reply.content_type, **dict(reply.headers)}
    )
    response.content_length = len(reply.body)
    await response.prepare(raw)
    head = (("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body))))
    sent = record.sent = Sent(reply.status, head, b"")
    return response, sent


async def _send_slowly(
    raw: web.BaseRequest, record: RequestRecord, reply: Reply, fault: SlowBody
) -> web.StreamResponse:
    response, sent = await _begin(raw, record, reply)
    sent.note = "the client went away during the slow reply"
    for begin in range(0, len(reply.body), fault.bytes):
        if begin:
            await asyncio.sleep(fault.every / 1e6)
        piece = reply.body[begin : begin + fault.bytes]
        await response.write(piece)
        sent.body += piece
    await response.write_eof()
    sent.note = f"in pieces of {fault.bytes} bytes"
    return response


def _cut(
    raw: web.BaseRequest, record: RequestRecord | None = None, note: str = "", *, reset: bool = False
) -> web.StreamResponse:
    """Close the connection now, by a real TCP RST (linger time 0) for ``reset``.

    With ``record``, note that nothing was sent, and why.
    """
    if record is not None:
        record.sent = _unsent(note)
    transport = raw.transport
    if transport is not None:
        if reset:
            reset_on_close(transport.get_extra_info("socket"))
            transport.abort()
        else:
            transport.close()
    return SentResponse(keep_alive=False)
