"""What a server sent, taken apart strictly: status lines, header fields, bodies, and nothing between them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) [\x20-\x7e]*")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\x20-\x7e\x80-\xff\t]*)")
_CHUNK = re.compile(rb"([0-9a-f]+)\r\n")


@dataclass(frozen=True)
class Answered:
    """One reply. ``whole`` is whether all of its body was there."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool

    def check(self, port: str) -> None:
        """Fail unless it is one that ``port`` may give: no failure of ours, and refusals in their documented shape."""
        assert self.status < 500 or self.status == 503, self
        if self.status < 400 or not self.whole or not self.body:
            return
        own = self.headers.get("emulator-error")
        kind = self.headers.get("content-type", "")
        if own is not None:
            assert kind.startswith("text/plain"), self
            assert self.body.decode() == own + "\n", self
        elif port == "control":
            assert kind == "application/problem+json", self
            problem = json.loads(self.body)
            assert problem["status"] == self.status
            assert problem["type"]
            assert problem["title"]
            assert problem["detail"]
            assert all({"pointer", "message"} <= set(error) for error in problem.get("errors", ()))
        else:
            assert isinstance(json.loads(self.body), dict), self


def replies_in(received: bytes) -> list[Answered]:
    """All replies; the last one's body may be cut short. Raises AssertionError where a byte fits nowhere."""
    found = []
    while received:
        head, ended, rest = received.partition(b"\r\n\r\n")
        assert ended, received[:200]
        first, *fields = head.split(b"\r\n")
        status = _STATUS.fullmatch(first)
        assert status, first
        headers: dict[str, str] = {}
        for line in fields:
            field = _FIELD.fullmatch(line)
            assert field, line
            headers[field[1].decode().lower()] = field[2].decode("utf-8", "replace")
        body, received, whole = _body(int(status[1]), headers, rest)
        found.append(Answered(int(status[1]), headers, body, whole))
    return found


def _body(status: int, headers: dict[str, str], rest: bytes) -> tuple[bytes, bytes, bool]:
    if status < 200 or status in (204, 304):
        return b"", rest, True
    if headers.get("transfer-encoding") == "chunked":
        return _chunks(rest)
    length = headers.get("content-length")
    if length is None:
        # To the end of the connection.
        return rest, b"", True
    if _STATUS.match(rest):
        # A reply to HEAD announces a body and has none.
        return b"", rest, True
    return rest[: int(length)], rest[int(length) :], len(rest) >= int(length)


def _chunks(rest: bytes) -> tuple[bytes, bytes, bool]:
    body = b""
    while size := _CHUNK.match(rest):
        length = int(size[1], 16)
        body += rest[size.end() : size.end() + length]
        rest = rest[size.end() + length :]
        assert rest[:2] in (b"", b"\r", b"\r\n"), rest[:50]
        rest = rest[2:]
        if not length:
            return body, rest, True
    return body, b"", False
