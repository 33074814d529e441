"""What went wrong with a connection, as a sentence for a person.

Libraries name their classes, errno numbers and TLS internals; none of that helps whoever runs a receiver. Only the
standard library is imported, so that a command that must answer at once can use it: aiohttp's exceptions are known by
their names and attributes.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

#: The question behind a refused connection.
RECEIVER = "is your receiver running?"
EMULATOR = "is an emulator running there?"

_ERRNO = re.compile(r"\[Errno (\d+)\]")
_CLOSED = ("ServerDisconnectedError", "RemoteDisconnected", "ClientConnectionResetError")
_BROKEN_OFF = (
    "ClientPayloadError", "IncompleteRead", "IncompleteReadError", "TransferEncodingError", "ContentLengthError",
)  # fmt: skip
_NOT_HTTP = (
    "ClientResponseError", "HttpProcessingError", "BadStatusLine", "BadHttpMessage", "LineTooLong", "HTTPException",
)  # fmt: skip
_VERSIONS = ("UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "PROTOCOL_VERSION", "VERSION_TOO_LOW")
_NOT_TLS = (
    "WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_EOF", "PACKET_LENGTH_TOO_LONG",
)  # fmt: skip
_ERRNOS = {
    errno.EHOSTUNREACH: "no route to {where}",
    errno.ENETUNREACH: "no route to the network of {where}",
    errno.ETIMEDOUT: "{where} does not answer: the connection timed out",
    errno.EMFILE: "too many open files to connect to {where}; raise the limit (ulimit -n)",
    errno.ENFILE: "too many open files on this machine to connect to {where}",
    errno.EADDRNOTAVAIL: "no free local port to connect to {where}",
}


def origin(url: str) -> str:
    """``host:port`` of a URL, the port also where it is the scheme's own; the text itself where it is not a URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return url[:200]
    if not host:
        return url[:200]
    return (
        f"[{host}]:{port or _port(parts.scheme)}" if ":" in host else f"{host}:{port or _port(parts.scheme)}"
    )


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def connection_error(
    error: BaseException, url: str, *, seconds: float | None = None, hint: str = RECEIVER
) -> str:
    """Why an exchange with ``url`` failed, in one sentence without a full stop.

    ``seconds`` is how long it was waited for; ``hint`` follows a refused connection.
    """
    where = origin(url)
    chain = list(_chain(error))
    for each in chain:
        found = _tls(each, where) or _network(each, where, hint)
        if found:
            return found
    if any(isinstance(each, TimeoutError) for each in chain):
        return (
            f"no reply from {where} within {seconds:g} s"
            if seconds is not None
            else f"no reply from {where} in time"
        )
    names = {kind.__name__ for each in chain for kind in type(each).__mro__}
    if names.intersection(_CLOSED):
        return f"{where} closed the connection without a reply"
    if names.intersection(_BROKEN_OFF):
        return f"the reply of {where} broke off"
    if any(isinstance(each, (ConnectionError, ssl.SSLError)) for each in chain):
        return f"{where} broke the connection off before its reply was complete"
    if names.intersection(_NOT_HTTP):
        return f"the reply of {where} is not valid HTTP"
    if isinstance(error, ValueError):
        return f"the URL or a header cannot be used: {_plain(error)}"
    return f"the exchange with {where} failed: {_plain(error)}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and what is behind it, at most ten."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting and len(seen) < 10:
        each = waiting.pop(0)
        if each is None or any(each is known for known in seen):
            continue
        seen.append(each)
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
        for name in ("certificate_error", "os_error", "reason", "__cause__", "__context__"):
            inner = getattr(each, name, None)
            waiting.append(inner if isinstance(inner, BaseException) else None)


def _tls(error: BaseException, where: str) -> str | None:
    # aiohttp's exceptions inherit from those of ssl and lack what makes them useful; the real one is behind them.
    why = getattr(error, "verify_message", "").lower().rstrip(".")
    if why:
        if "hostname mismatch" in why or "ip address mismatch" in why:
            why = "it is for another name"
        return f"the certificate of {where} is not trusted: {why}"
    if not isinstance(error, ssl.SSLError) or isinstance(error, (ssl.SSLZeroReturnError, ssl.SSLEOFError)):
        return None
    reason = str(getattr(error, "reason", None) or "").upper()
    if any(each in reason for each in _VERSIONS):
        return f"{where} has no TLS version in common with this side; TLS 1.2 or newer is needed"
    if any(each in reason for each in _NOT_TLS):
        return f"{where} does not speak TLS; should the URL begin with http://?"
    words = reason.replace("_", " ").lower()
    return f"TLS with {where} failed: {words}" if words else None


def _network(error: BaseException, where: str, hint: str) -> str | None:
    if isinstance(error, socket.gaierror):
        host = where.rpartition(":")[0].strip("[]")
        again = error.errno == socket.EAI_AGAIN
        return f"the name {host} does not resolve" + (" at the moment" if again else "")
    if not isinstance(error, OSError):
        return None
    # Of several addresses that all failed, only the text tells the numbers.
    told = _ERRNO.findall(str(error))
    number = error.errno or (int(told[0]) if told else 0)
    if number == errno.ECONNREFUSED:
        return f"connection refused by {where}" + (f"; {hint}" if hint else "")
    if number in _ERRNOS:
        return _ERRNOS[number].format(where=where)
    if isinstance(error, (ConnectionError, TimeoutError, ssl.SSLError)) or number <= 0:
        return None
    if number in (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED):
        return f"{where} broke the connection off before its reply was complete"
    return f"cannot connect to {where}: {os.strerror(number).lower()}"


def _plain(error: BaseException) -> str:
    text = _ERRNO.sub("", " ".join(str(error).split())).strip()
    # ServerDisconnected becomes "server disconnected".
    return (
        text[:300] or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
    )
