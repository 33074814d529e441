"""Where a bill comes from: a file, standard input, or a URL."""

from __future__ import annotations

import http.client
import ssl
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from voice_emulator.core.urls import ascii_url, url_problem
from voice_emulator.errors import UsageError
from voice_emulator.wire.http.connection_errors import connection_error

#: Bytes of the largest bill that is read: a thousand for each of the 50,000 calls that a tenant keeps.
SIZE_LIMIT = 50_000_000
#: Real seconds within which all of a bill must have come from a URL.
PATIENCE = 30.0
_PIECE = 65_536


def read_source(source: str, what: str = "the bill") -> bytes:
    """The bytes of ``what`` at ``source``: a path, a URL (redirects are not followed), or ``-`` for standard input.

    Raises UsageError with one line where nothing can be read, or more than :data:`SIZE_LIMIT`.
    """
    if "://" in source:
        return _fetch(source, what)
    try:
        if source == "-":
            return _bounded(f"{what} {source}", sys.stdin.buffer.read(SIZE_LIMIT + 1))
        with Path(source).open("rb") as file:
            return _bounded(f"{what} {source}", file.read(SIZE_LIMIT + 1))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UsageError(
            f"cannot read {what} {source}: {getattr(error, 'strerror', None) or error}"
        ) from error


def shown_source(source: str) -> str:
    """``source`` as messages name it: a URL without what may be secret in it."""
    if source == "-":
        return "standard input"
    if "://" not in source:
        return source
    try:
        parts = urlsplit(source)
    except ValueError:
        return "the URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _bounded(what: str, body: bytes) -> bytes:
    if len(body) > SIZE_LIMIT:
        raise UsageError(f"{what} is larger than {SIZE_LIMIT // 1_000_000} MB")
    return body


def _fetch(url: str, what: str) -> bytes:
    problem = url_problem(url)
    if problem is not None:
        raise UsageError(f"cannot read {what}: {problem}")
    parts = urlsplit(ascii_url(url))
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=PATIENCE, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=PATIENCE)
    )
    shown = shown_source(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    accepted = {"Accept": "text/csv, application/json, application/x-ndjson, */*;q=0.1"}
    until = time.monotonic() + PATIENCE
    try:
        connection.request("GET", target, headers=accepted)
        reply = connection.getresponse()
        body = bytearray()
        while len(body) <= SIZE_LIMIT and (piece := reply.read1(_PIECE)):
            body += piece
            if time.monotonic() > until:
                raise UsageError(f"{what} at {shown} did not arrive within {PATIENCE:g} s")
    except (OSError, http.client.HTTPException) as error:
        raise UsageError(
            f"cannot read {what} at {shown}: {connection_error(error, url, seconds=PATIENCE)}"
        ) from error
    finally:
        connection.close()
    if reply.status != 200:
        raise UsageError(f"cannot read {what} at {shown}: it answers {reply.status}, not 200")
    if reply.length:  # bytes that were announced and did not come
        raise UsageError(f"{what} at {shown} broke off after {len(body):,} bytes")
    return _bounded(f"{what} {shown}", bytes(body))
