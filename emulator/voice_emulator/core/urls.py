"""URLs of receivers as they are sent: in ASCII."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

from yarl import URL

#: Left as it is: all printable ASCII, escapes included.
_AS_IT_IS = "".join(map(chr, range(0x21, 0x7F)))
#: The full stops of IDNA (RFC 3490, 3.1).
_FULL_STOPS = re.compile("[.\u3002\uff0e\uff61]")


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
