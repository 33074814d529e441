"""Sending a whole reply in one write: head and body together, past aiohttp's response machinery.

Nearly every reply is small and goes out as it is. For those the bytes are put together here, which
takes a fifth of the time; anything out of the ordinary (HEAD, HTTP/1.0, a large body) takes aiohttp's
own way.
"""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from http import HTTPStatus

from aiohttp import HttpVersion11, web
from aiohttp.http_parser import RawRequestMessage

from voice_emulator.wire.machine_time import wall_now

Headers = tuple[tuple[str, str], ...]

#: Above this size a reply is written with back-pressure, by aiohttp.
DIRECT_LIMIT = 64 * 1024
#: The ``Server`` of every reply on both ports: whoever looks for known holes learns no version from it.
SERVER = "voice-emulator"

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class _Clock:
    """The Date header, made once a second, and what else is the same in every head."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def lines(self) -> str:
        second = wall_now() // 1_000_000
        if second != self._second:
            self._second = second
            self._text = f"Date: {formatdate(second, usegmt=True)}\r\nServer: {SERVER}\r\n"
        return self._text


_CLOCK = _Clock()


class _Sent(web.StreamResponse):
    """A response that is on the wire already; aiohttp only asks it whether the connection stays open."""

    def __init__(self, keep_alive: bool) -> None:
        self._keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> None:
        """Everything has been written."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything has been written."""


_STAY, _CLOSE = _Sent(True), _Sent(False)


async def send_reply(
    raw: web.BaseRequest, status: int, content_type: str, body: bytes, headers: Headers
) -> web.StreamResponse:
    """Put a whole reply on the wire. Raises ConnectionError when the client has gone."""
    sent = send_at_once(raw, status, content_type, body, headers)
    if sent is not None:
        return sent
    response = web.Response(status=status, body=body, headers={"Content-Type": content_type, **dict(headers)})
    await response.prepare(raw)
    await response.write_eof()
    return response


def send_at_once(
    raw: web.BaseRequest, status: int, content_type: str, body: bytes, headers: Headers
) -> web.StreamResponse | None:
    """Put a reply on the wire in one write; None when it is not one for that, and nothing has been sent.

    Raises ConnectionError when the client has gone.
    """
    if len(body) > DIRECT_LIMIT or raw.method == "HEAD" or raw.version != HttpVersion11:
        return None
    transport = raw.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has closed the connection")
    if transport.get_write_buffer_size() > DIRECT_LIMIT:
        # A client that sends and does not read: it must be waited for, or its replies pile up here.
        return None
    stay = raw.keep_alive
    transport.write(whole_reply(status, content_type, body, headers, stay=stay))
    return _STAY if stay else _CLOSE


def takes_direct_writes(message: RawRequestMessage, transport: asyncio.Transport) -> bool:
    """Whether a request's reply may be written as :func:`whole_reply` makes it, and the connection then stays open."""
    return (
        message.version == HttpVersion11
        and not message.should_close
        and not message.upgrade
        and message.method not in ("HEAD", "CONNECT")
        and not transport.is_closing()
        and transport.get_write_buffer_size() <= DIRECT_LIMIT
    )


def whole_reply(status: int, content_type: str, body: bytes, headers: Headers, *, stay: bool = True) -> bytes:
    """Head and body of a reply (HTTP/1.1); unless it is to ``stay``, the client hears that the connection closes."""
    head = f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\nContent-Type: {content_type}\r\n"
    for name, value in headers:
        head += f"{_one_line(name)}: {_one_line(value)}\r\n"
    if not stay:
        head += "Connection: close\r\n"
    if has_no_body(status):
        return f"{head}{_CLOCK.lines()}\r\n".encode("latin-1", "replace")
    head += f"Content-Length: {len(body)}\r\n{_CLOCK.lines()}\r\n"
    return head.encode("latin-1", "replace") + body


def has_no_body(status: int) -> bool:
    """Whether a reply of this status ends with its head: what follows would be taken for the next reply."""
    return status in (204, 304) or status < 200


def _one_line(text: str) -> str:
    """``text`` without line breaks: a scenario's header must not end the head early."""
    return text.replace("\r", " ").replace("\n", " ")
