"""Sending a whole reply in one write, head and body together, without aiohttp's response classes.

Nearly every reply is small. For those the bytes are built here, which takes a fifth of the time; unusual ones (HEAD,
HTTP/1.0, a large body) go through aiohttp.
"""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from http import HTTPStatus

from aiohttp import HttpVersion11, web
from aiohttp.http_parser import RawRequestMessage

from voice_emulator.wire.machine_time import wall_now

Headers = tuple[tuple[str, str], ...]

#: Bytes. Larger replies are written by aiohttp, with back-pressure.
DIRECT_LIMIT = 64 * 1024
#: The ``Server`` header of every reply on both ports. It names no version, which would help an attacker.
SERVER = "voice-emulator"

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class _CommonHeaders:
    """The headers that are the same in every reply; the date is formatted once a second."""

    __slots__ = ("_plain", "_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""
        self._plain: dict[tuple[int, str], bytes] = {}

    def lines(self) -> str:
        second = wall_now() // 1_000_000
        if second != self._second:
            self._second = second
            self._text = f"Date: {formatdate(second, usegmt=True)}\r\nServer: {SERVER}\r\n"
            self._plain.clear()
        return self._text

    def plain(self, status: int, content_type: str) -> bytes:
        """The head of a reply without headers of its own, up to its length."""
        if wall_now() // 1_000_000 != self._second:
            self.lines()
        head = self._plain.get((status, content_type))
        if head is None:
            lines = self.lines()
            head = self._plain[status, content_type] = (
                f"{_first_lines(status, content_type)}{lines}Content-Length: ".encode("latin-1", "replace")
            )
        return head


_COMMON = _CommonHeaders()


class SentResponse(web.StreamResponse):
    """For aiohttp, after a reply that was written here, or a connection that was closed: nothing is left to send."""

    def __init__(self, *, keep_alive: bool) -> None:
        self._keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write nothing."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Write nothing."""


_STAY, _CLOSE = SentResponse(keep_alive=True), SentResponse(keep_alive=False)


async def send_reply(
    raw: web.BaseRequest, status: int, content_type: str, body: bytes, headers: Headers
) -> web.StreamResponse:
    """Send a whole reply. Raises ConnectionError when the client has gone."""
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
    """Send a reply in one write; None, and nothing sent, when aiohttp has to do it.

    Raises ConnectionError when the client has gone.
    """
    if len(body) > DIRECT_LIMIT or raw.method == "HEAD" or raw.version != HttpVersion11:
        return None
    transport = raw.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has closed the connection")
    if transport.get_write_buffer_size() > DIRECT_LIMIT:
        # The client sends but does not read: without back-pressure its replies would pile up here.
        return None
    stay = raw.keep_alive
    transport.write(whole_reply(status, content_type, body, headers, stay=stay))
    return _STAY if stay else _CLOSE


def takes_direct_writes(message: RawRequestMessage, transport: asyncio.Transport) -> bool:
    """Whether the reply may be written in one piece by :func:`whole_reply`, over a connection that stays open."""
    return (
        message.version == HttpVersion11
        and not message.should_close
        and not message.upgrade
        and message.method not in ("HEAD", "CONNECT")
        and not transport.is_closing()
        and transport.get_write_buffer_size() <= DIRECT_LIMIT
    )


def whole_reply(status: int, content_type: str, body: bytes, headers: Headers, *, stay: bool = True) -> bytes:
    """Head and body of an HTTP/1.1 reply, with ``Connection: close`` unless the connection is to ``stay`` open."""
    if stay and not headers and not has_no_body(status):
        return b"%b%d\r\n\r\n%b" % (_COMMON.plain(status, content_type), len(body), body)
    head = _first_lines(status, content_type)
    for name, value in headers:
        head += f"{_one_line(name)}: {_one_line(value)}\r\n"
    if not stay:
        head += "Connection: close\r\n"
    if has_no_body(status):
        return f"{head}{_COMMON.lines()}\r\n".encode("latin-1", "replace")
    head += f"Content-Length: {len(body)}\r\n{_COMMON.lines()}\r\n"
    return head.encode("latin-1", "replace") + body


def _first_lines(status: int, content_type: str) -> str:
    return f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\nContent-Type: {content_type}\r\n"


def has_no_body(status: int) -> bool:
    """Whether a reply of this status has no body: the client would read one as the next reply."""
    return status in (204, 304) or status < 200


def _one_line(text: str) -> str:
    """``text`` without line breaks, so that a header from a scenario cannot end the head."""
    return text.replace("\r", " ").replace("\n", " ")
