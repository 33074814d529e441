from __future__ import annotations

import pytest

from voice_emulator.core.scenario import ReplyEffect
from voice_emulator.wire.traffic.failures import failure_reply, unread_failure, verbatim_reply


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("no provider serves /x", "no provider serves /x"),
        ("two\r\nSet-Cookie: lines", "two Set-Cookie: lines"),
        ("号码", "\\u53f7\\u7801"),
        ("a lone \ud800", "a lone \\ud800"),
    ],
)
def test_failure_reply_says_one_line_in_header_and_body(message: str, line: str):
    reply = failure_reply(404, message)
    assert reply.headers == (("Emulator-Error", line),)
    assert reply.body == f"{line}\n".encode()
    assert (reply.code, reply.refused, reply.payload) == ("emulator-404", True, None)
    assert unread_failure(413, message).headers["Emulator-Error"] == line


def test_failure_reply_is_bounded():
    assert len(failure_reply(404, "x" * 10_000).body) == 501


def test_unread_failure_closes_the_connection():
    assert unread_failure(413, "too large").headers["Connection"] == "close"


def test_verbatim_reply_is_sent_as_it_stands_and_json_unless_it_says_otherwise():
    plain = verbatim_reply(ReplyEffect(body="{}"))
    assert (plain.status, plain.content_type, plain.body, plain.headers) == (
        200,
        "application/json",
        b"{}",
        (),
    )
    given = verbatim_reply(
        ReplyEffect(status=503, headers=(("CONTENT-type", "text/\n plain"), ("X-A", "1")), body=None)
    )
    assert (given.status, given.content_type, given.body) == (503, "text/ plain", b"")
    assert given.headers == (("X-A", "1"),)
    assert (given.code, given.refused) == ("verbatim-503", False)
