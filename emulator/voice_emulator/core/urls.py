"""URLs that users give: which are valid, and how they are sent (in ASCII)."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

from yarl import URL

PORT_LIMIT = 65_535
#: Left as it is: all printable ASCII, escapes included.
_AS_IT_IS = "".join(map(chr, range(0x21, 0x7F)))
_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]*://")
#: Characters of a URL that a message quotes.
_SHOWN = 200
#: The full stops of IDNA (RFC 3490, 3.1).
_FULL_STOPS = re.compile("[.\u3002\uff0e\uff61]")


def url_problem(text: str) -> str | None:
    """Why ``text`` is not a URL that something can be sent to; None if it is one.

    It is the judge of every URL that a user gives: on the command line, in a scenario, and over the control API.
    """
    shown = repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
    if not text.isprintable() or " " in text:
        # urlsplit overlooks line breaks; on a socket they would begin a header.
        return f"{shown} is not a valid URL: it contains blanks or control characters"
    try:
        parts = urlsplit(text)
        fine = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        port = "port" in str(error).lower()
        why = f"the port must be a number from 1 to {PORT_LIMIT}" if port else "the host cannot be read"
        return f"{shown} is not a valid URL: {why}"
    try:
        ascii_url(text)
    except ValueError as error:
        return f"{shown} is not a valid URL: {error}"
    if fine and parts.scheme in ("http", "https"):
        return None
    if text and not _SCHEME.match(text) and url_problem(f"http://{text}") is None:
        return f"{shown} lacks http:// or https://; write http://{text}"
    return f"{shown} is not a valid URL; write one like http://127.0.0.1:9000/dr"


def ascii_url(text: str) -> str:
    """``text`` with path and query percent-encoded and the host in IDNA; ASCII text is returned unchanged.

    A host that IDNA would turn into an IP address is left as it is. Raises ValueError with the reason if there is no
    ASCII form.
    """
    if text.isascii():
        return text
    parts = urlsplit(text)
    credentials, at, address = parts.netloc.rpartition("@")
    host, colon, port = address, "", ""
    if not address.startswith("["):
        host, colon, port = address.partition(":")
    if not port.isascii():
        raise ValueError(f"the port {port!r} must be digits")
    netloc = quote(credentials, _AS_IT_IS) + at + _ascii_host(host) + colon + port
    path, query, fragment = (quote(part, _AS_IT_IS) for part in parts[2:])
    return urlunsplit((parts.scheme, netloc, path, query, fragment))


def _ascii_host(host: str) -> str:
    # Digits of other scripts must not become an address: target_policy blocks them as they are written.
    if host.isascii() or _FULL_STOPS.split(host)[-1][:1].isnumeric():
        return host
    try:
        found = URL.build(scheme="http", host=host).raw_host
    except ValueError as error:  # UnicodeError is one
        raise ValueError(f"the host {host!r} has no ASCII form (IDNA)") from error
    if not found or not found.isascii():
        raise ValueError(f"the host {host!r} has no ASCII form (IDNA)")
    return found
