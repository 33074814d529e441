"""callBackUrl: plain on one family of pages, the Base64 of the UTF-8 URL on the other.

The two cannot be confused: a colon is not in the alphabet of Base64. Hosts must be on a trustlist
that the system administrator keeps ("Creating a Voice Outbound Call (V2.0.0)", cec_07_1312).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_HTTP = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://")
#: What the Base64 family allows in the decoded URL: letters, digits and these (so no query values).
_DOCUMENTED_CHARACTERS = re.compile(r"[A-Za-z0-9\-:./_#?&]+")
_PORTS = {"http": 80, "https": 443}
#: The two forms that the request schema lets through.
_EITHER = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[!-~]+|[A-Za-z0-9+/]+={0,2}")
LONGEST = 256


def is_legible(value: str) -> bool:
    """Whether a callBackUrl as sent is short enough and in one of the two forms; the schema reports others."""
    return len(value) <= LONGEST and _EITHER.fullmatch(value) is not None


def read_callback_url(value: str, form: str) -> str:
    """Return the plain URL behind a callBackUrl as sent.

    ``form`` is ``any``, ``plain`` or ``base64``; ``base64`` also enforces that family's rule on characters.
    Raises ValueError with the reason.
    """
    if _HTTP.match(value):
        if form == "base64":
            raise ValueError("is plain, and this account wants Base64")
        url = value
    elif form == "plain":
        raise ValueError("does not begin with http:// or https://")
    else:
        url = _decode(value)
    if form == "base64" and not _DOCUMENTED_CHARACTERS.fullmatch(url):
        raise ValueError("has characters other than letters, digits and - : . / _ # ? &")
    _endpoint(url)
    return url


def _decode(value: str) -> str:
    try:
        url = base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise ValueError("is neither an http(s) URL nor the Base64 of one") from None
    if not _HTTP.match(url):
        raise ValueError("is the Base64 of something other than an http(s) URL")
    return url


def _endpoint(url: str) -> tuple[str, int]:
    """Host in lower case, and port, of an absolute URL. Raises ValueError."""
    if not all("!" <= character <= "~" for character in url):
        raise ValueError("has spaces or characters other than printable ASCII")
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("names no host")
    return parts.hostname.lower(), parts.port or _PORTS[parts.scheme.lower()]


def check_trusted(url: str, trustlist: Iterable[str]) -> None:
    """Raise ValueError unless the URL's host, or host and port, is on the list; an empty list trusts all."""
    entries = [entry.strip().lower() for entry in trustlist]
    host, port = _endpoint(url)
    shown = f"[{host}]" if ":" in host else host
    if entries and not any(entry in (host, shown, f"{shown}:{port}") for entry in entries):
        raise ValueError("names a host that is not on the trustlist")
