"""Where the control API is."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from voice_emulator.wire.http.agent import CLIENT

__tracebackhide__ = True

CONTROL_URL = "http://127.0.0.1:4881"


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a control URL. ``prefix`` is a path in front of all routes, usually empty."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"

    def with_port(self, url: str) -> str:
        """``url`` as seen from here: its scheme and port, on this host (an emulator in a container)."""
        other = address(url)
        return Address(other.scheme, self.host, other.port).url


def address(url: str) -> Address:
    """Take ``url`` apart. Raises ValueError if it is not an http or https URL."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not the URL of a control API; write one like {CONTROL_URL}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Address(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))


def request_headers(token: str | None, content_type: str | None = None) -> dict[str, str]:
    """The headers of a request; ``content_type`` is that of its body, None when it has none."""
    headers = {"Accept": "application/json", "User-Agent": CLIENT}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if content_type is not None:
        headers["Content-Type"] = content_type
    return headers
