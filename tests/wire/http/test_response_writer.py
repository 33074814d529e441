from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import HttpVersion10, HttpVersion11

from voice_emulator.wire.http.response_writer import DIRECT_LIMIT, takes_direct_writes, whole_reply


def parts(reply: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = reply.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


def test_whole_reply_has_head_length_and_body():
    first, headers, body = parts(whole_reply(200, "application/json", b'{"a":1}', (("X-A", "1"),)))
    assert first == "HTTP/1.1 200 OK"
    assert (headers["Content-Length"], headers["X-A"], headers["Content-Type"]) == (
        "7",
        "1",
        "application/json",
    )
    assert headers["Date"].endswith("GMT")
    assert "Connection" not in headers
    assert body == b'{"a":1}'


def test_whole_reply_tells_when_the_connection_closes_and_bears_any_status():
    first, headers, _ = parts(whole_reply(799, "text/plain", b"", (), stay=False))
    assert first == "HTTP/1.1 799 "
    assert (headers["Connection"], headers["Content-Length"]) == ("close", "0")


def test_whole_reply_lets_no_header_end_the_head_early():
    reply = whole_reply(200, "text/plain", b"", (("X-A\r\nX-B", "1\r\n\r\n<html>"), ("X-C", "号")))
    head, _, body = reply.partition(b"\r\n\r\n")
    assert body == b""
    assert not any(line.startswith((b"X-B", b"<html>")) for line in head.split(b"\r\n"))
    assert b"X-C: ?" in head


@pytest.mark.parametrize(
    ("message", "transport", "takes"),
    [
        ({}, {}, True),
        ({"version": HttpVersion10}, {}, False),
        ({"should_close": True}, {}, False),
        ({"upgrade": True}, {}, False),
        ({"method": "HEAD"}, {}, False),
        ({"method": "CONNECT"}, {}, False),
        ({}, {"closing": True}, False),
        ({}, {"waiting": DIRECT_LIMIT}, True),
        ({}, {"waiting": DIRECT_LIMIT + 1}, False),
    ],
)
def test_direct_writes_are_for_what_is_usual(message: dict[str, Any], transport: dict[str, Any], takes: bool):
    usual = {"version": HttpVersion11, "should_close": False, "upgrade": False, "method": "POST"}
    asked: Any = SimpleNamespace(**(usual | message))
    connection: Any = SimpleNamespace(
        is_closing=lambda: transport.get("closing", False),
        get_write_buffer_size=lambda: transport.get("waiting", 0),
    )
    assert takes_direct_writes(asked, connection) is takes
