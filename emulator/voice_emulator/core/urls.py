"""URLs of receivers as they go over the wire: ASCII alone, whatever people write."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

from yarl import URL

#: What stays as it is: all of ASCII that is visible, escapes included.
_AS_IT_IS = "".join(map(chr, range(0x21, 0x7F)))
#: The full stops of IDNA (RFC 3490, 3.1).
_FULL_STOPS = re.compile("[.\u3002\uff0e\uff61]")


def ascii_url(text: str) -> str:
    """``text`` with path and query percent-encoded and the host in IDNA; what is ASCII already stays as it is.

    A host that would become an IP address by it stays as it is too.

    Raises ValueError with the reason where there is no such form.
    """
    if text.isascii():
        return text
    parts = urlsplit(text)
    credentials, at, place = parts.netloc.rpartition("@")
    host, colon, port = place, "", ""
    if not place.startswith("["):
        host, colon, port = place.partition(":")
    if not port.isascii():
        raise ValueError(f"the port {port!r} has characters that are no digits")
    return urlunsplit(
        (
            parts.scheme,
            quote(credentials, _AS_IT_IS) + at + _ascii_host(host) + colon + port,
            quote(parts.path, _AS_IT_IS),
            quote(parts.query, _AS_IT_IS),
            quote(parts.fragment, _AS_IT_IS),
        )
    )


def _ascii_host(host: str) -> str:
    # Digits of other scripts are not an address: the policy of targets blocks them as they are written.
    if host.isascii() or _FULL_STOPS.split(host)[-1][:1].isnumeric():
        return host
    try:
        found = URL.build(scheme="http", host=host).raw_host
    except ValueError as error:  # UnicodeError is one
        raise ValueError(f"the host {host!r} has no ASCII form (IDNA)") from error
    if not found or not found.isascii():
        raise ValueError(f"the host {host!r} has no ASCII form (IDNA)")
    return found
