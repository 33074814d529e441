"""What two replicas say to each other over one connection: frames of a kind, a length and that many bytes.

The replica that relays opens the connection (``GET /_node/`` with an upgrade) and sends a request; the owner sends its
reply as the bytes that it would have written to the client. A connection has one request at a time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

#: The protocol that the upgrade names.
PROTOCOL = "voice-emulator-relay-1"
PATH = "/_node/"
#: Bytes of a frame: the longest body, and its head.
FRAME_LIMIT = 17 * 1024 * 1024
#: Bytes of a reply in one frame: a frame is passed on when it is complete.
PIECE = 64 * 1024

#: To the owner: a request, whole.
REQUEST = 1
#: From the owner: bytes of the reply; the last of them; and how the client's connection ends, if it does.
DATA, LAST, CLOSE, RESET = 2, 3, 4, 5
#: From the owner: it has not acted on the request, which belongs elsewhere.
MOVED = 6
#: From the owner: it stops, and takes no more requests over this connection.
LEAVING = 7
#: In place of a frame: the connection was lost.
LOST = 0

_HEAD = struct.Struct(">BI")
_REQUEST = struct.Struct(">BB")
_TRAFFIC, _FOR_DEFAULT, _TLS = 1, 2, 4
_CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n"


def frame(kind: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return _HEAD.pack(kind, len(payload)) + payload


class FrameReader:
    """Cuts what arrives into frames."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The frames that ``data`` completes, as (kind, payload). Raises ValueError for one that is too long."""
        buffer = self._buffer
        if not buffer and len(data) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(data)
            if len(data) == _HEAD.size + length:
                yield kind, data[_HEAD.size :]
                return
        buffer += data
        while len(buffer) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(buffer)
            if length > FRAME_LIMIT:
                raise ValueError(f"a frame of {length} bytes")
            end = _HEAD.size + length
            if len(buffer) < end:
                return
            payload = bytes(memoryview(buffer)[_HEAD.size : end])
            del buffer[:end]
            yield kind, payload


class RelayedRequest:
    """A request as it is passed on, and who sent it to which port.

    ``for_default``: no tenant anywhere has its keys, so it belongs to ``default``.
    """

    __slots__ = ("for_default", "peer", "raw", "scheme", "traffic")

    def __init__(self, raw: bytes, *, traffic: bool, peer: str, scheme: str, for_default: bool) -> None:
        self.raw = raw
        self.traffic = traffic
        self.peer = peer
        self.scheme = scheme
        self.for_default = for_default

    def frame(self) -> bytes:
        """The frame that carries it."""
        peer = self.peer.encode()[:255]
        flags = (
            _TRAFFIC * self.traffic | _FOR_DEFAULT * self.for_default | _TLS * (self.scheme == "https")
        )  # fmt: skip
        return b"".join(
            (_HEAD.pack(REQUEST, _REQUEST.size + len(peer) + len(self.raw)), _REQUEST.pack(flags, len(peer)),
             peer, self.raw)
        )  # fmt: skip

    @classmethod
    def read(cls, payload: bytes) -> RelayedRequest:
        """The request in a frame. Raises ValueError."""
        if len(payload) < _REQUEST.size:
            raise ValueError("a request without a beginning")
        flags, length = _REQUEST.unpack_from(payload)
        begin = _REQUEST.size + length
        return cls(
            payload[begin:], traffic=bool(flags & _TRAFFIC), peer=payload[_REQUEST.size : begin].decode(),
            scheme="https" if flags & _TLS else "http", for_default=bool(flags & _FOR_DEFAULT),
        )  # fmt: skip


def request_bytes(
    method: str,
    target: str,
    version: tuple[int, int],
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes,
    *,
    chunked: bool,
) -> bytes:
    """A request as it arrived, but for blanks around its headers and the size of its chunks."""
    line = f"{method} {target} HTTP/{version[0]}.{version[1]}".encode("utf-8", "surrogateescape")
    lines = [line, *[b"%b: %b" % each for each in headers], b"", b""]
    if chunked:
        body = _CHUNKED % (len(body), body) if body else b"0\r\n\r\n"
    return b"\r\n".join(lines) + body
