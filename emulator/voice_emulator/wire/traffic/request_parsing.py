"""From the request line and headers to a :class:`Request`, not yet decoded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote

from voice_emulator.providers.request import Request
from voice_emulator.wire.machine_time import wall_now

#: Header values that the journal's entries share: most are the same in every request of a client.
SHARED_LIMIT = 500
_SHARED: dict[str, str] = {}
_NO_QUERY: Mapping[str, str] = MappingProxyType({})


#: Characters. Longer header names and values are not shared.
SHARED_LENGTH = 256


@lru_cache(maxsize=1_000)
def _cached_lower(name: str) -> str:
    return name.lower()


def _lower(name: str) -> str:
    """A header's name in lower case; clients send the same few names, so the strings are shared."""
    return _cached_lower(name) if len(name) <= SHARED_LENGTH else name.lower()


def origin_form(target: str) -> tuple[str, str, str]:
    """Scheme, authority and origin form of an absolute-form target, as a client with a proxy setting sends it.

    The authority replaces Host (RFC 9112, 3.2.2). Any other target is returned unchanged.
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


def parse_request(
    method: str, target: str, headers: Mapping[str, str], body: bytes, peer: str, scheme: str
) -> Request:
    """The request as it arrived, not yet decoded; ``target`` is that of the request line, in origin or absolute form."""
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
