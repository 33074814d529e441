"""Reading a request off the socket, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote

from aiohttp import StreamReader, hdrs, web

from voice_emulator.providers.request import Request
from voice_emulator.wire.machine_time import wall_now

#: The largest documented body is an 8 MB audio file in Base64 (Uploading IVR Voice Files, Huawei CEC).
BODY_LIMIT = 16 * 1024 * 1024
#: Real seconds within which a body must have come.
BODY_SECONDS = 60.0
#: Bytes of bodies that are being read, or are read and not answered yet; past it a further one is turned away.
READING_LIMIT = 64 * 1024 * 1024

#: Values of headers of which the journal keeps one text each: most are the same in every request of a client.
SHARED_LIMIT = 500
_SHARED: dict[str, str] = {}
_NO_QUERY: Mapping[str, str] = MappingProxyType({})


class BodyRefused(Exception):
    """A body that is not read to its end; ``status`` is what the client is told."""

    def __init__(self, status: int, message: str) -> None:
        """``message`` is one line."""
        super().__init__(message)
        self.status = status


def is_at_hand(raw: web.BaseRequest) -> bool:
    """Whether the whole body came in one piece with its head, as nearly all do."""
    return raw.content.is_eof() and hdrs.EXPECT not in raw.headers


def body_at_hand(content: StreamReader) -> bytes:
    """A body that has come."""
    return b"" if content.at_eof() else content.read_nowait()


class Intake:
    """Reads bodies that come in pieces: each within bounds of size and time, all of them within one of memory."""

    def __init__(self) -> None:
        """Nothing is being read."""
        self.reading = 0

    async def read_body(self, raw: web.BaseRequest) -> bytes:
        """The body, once it has arrived. Raises BodyRefused as soon as it is past a bound.

        It counts until :meth:`release`.
        """
        length = raw.content_length
        if length is not None and length > BODY_LIMIT:
            raise BodyRefused(413, f"a body of {length} bytes; at most {BODY_LIMIT} are read")
        if raw.headers.get("Expect", "").lower() == "100-continue":
            await raw.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            # What the writer has sent so far is no part of the reply to come.
            raw.writer.output_size = 0
        # Not a list of pieces: a client may send them byte by byte.
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in raw.content.iter_any():
                    body += chunk
                    self.reading += len(chunk)
                    if len(body) > BODY_LIMIT:
                        raise BodyRefused(413, f"a body of more than {BODY_LIMIT} bytes")
                    if self.reading > READING_LIMIT:
                        raise BodyRefused(503, "too many large bodies at once")
        except BaseException as error:
            self.reading -= len(body)
            if isinstance(error, TimeoutError):
                raise BodyRefused(408, f"the body did not come within {BODY_SECONDS:g} s") from None
            raise
        return bytes(body)

    def release(self, length: int) -> None:
        """A body of so many bytes that was read is answered."""
        self.reading -= length


#: Longer names and values are no client's habit.
SHARED_LENGTH = 256


@lru_cache(maxsize=1_000)
def _remembered(name: str) -> str:
    return name.lower()


def _lower(name: str) -> str:
    """A header's name in lower case: clients send the same few names, of which one text each is kept."""
    return _remembered(name) if len(name) <= SHARED_LENGTH else name.lower()


def origin_form(target: str) -> tuple[str, str, str]:
    """Scheme, authority and origin form of an absolute-form target, which clients behind a proxy setting send.

    The authority takes the place of Host (RFC 9112, 3.2.2). Any other target is returned as it is.
    """
    scheme, colon, rest = target.partition("://")
    if not colon or scheme.lower() not in ("http", "https"):
        return "", "", target
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    path = rest[end:]
    return (
        scheme.lower(),
        rest[:end].rpartition("@")[2],
        path if path.startswith("/") else f"/{path}",
    )


def request_of(
    method: str, target: str, headers: Mapping[str, str], body: bytes, peer: str, scheme: str
) -> Request:
    """What arrived, not yet decoded; ``target`` is what the request line names, in origin or absolute form."""
    authority = ""
    if target[:1] != "/":
        named, authority, target = origin_form(target)
        scheme = named or scheme
    path, query = target, ""
    if "?" in target or "#" in target:
        path, _, query = target.partition("#")[0].partition("?")
    if "%" in path:
        path = unquote(path, errors="replace")
    lower, share = _lower, _SHARED.setdefault
    if len(_SHARED) > SHARED_LIMIT:
        _SHARED.clear()
    found = {
        lower(name): share(value, value) if len(value) <= SHARED_LENGTH else value
        for name, value in headers.items()
    }
    return Request(
        provider="",
        method=method,
        path=path,
        query=_NO_QUERY,
        headers=found,
        body=body,
        peer=peer,
        raw_query=query,
        host=authority or found.get("host", ""),
        scheme=scheme,
        wall=wall_now(),
    )
