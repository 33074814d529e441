"""A client of bare sockets: it shows what really arrived, byte by byte."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from tests.patience import PATIENCE

GPSEND = {
    "appkey": "nx-appkey",
    "secretkey": "nx-secretkey",
    "phone": "6212345678",
    "country_code": "62",
    "show_phone": "123456",
    "url": "https://nxcloud.com/1963370420.m4a",
}


@dataclass
class Answer:
    """All bytes until the connection ended, and how it ended."""

    raw: bytes
    reset: bool = False

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def announced(self) -> int:
        """The Content-Length."""
        for line in self.head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                return int(value)
        return -1


def form_request(
    path: str = "/api/voiceSms/gpsend", fields: dict[str, str] | None = None, extra: str = ""
) -> bytes:
    body = urlencode(GPSEND if fields is None else fields).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{extra}"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def talk(base: str, request: bytes, seconds: float = PATIENCE) -> Answer:
    """Send ``request`` and read to the end."""
    parts = urlsplit(base)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    received = b""
    try:
        while chunk := await asyncio.wait_for(reader.read(65536), seconds):
            received += chunk
    except ConnectionResetError:
        return Answer(received, reset=True)
    finally:
        writer.close()
    return Answer(received)
