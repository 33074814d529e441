"""From the request line and headers to a :class:`Request`, not yet decoded."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from voice_emulator.providers.request import NOTHING, Request
from voice_emulator.wire.http.agent import AGENT
from voice_emulator.wire.machine_time import wall_now

#: Raw header lists whose :class:`Headers` are kept: a client sends the same few again and again.
KEPT_LIMIT = 500
#: Bytes. Longer header lists are not kept.
KEPT_LENGTH = 2 * 1024
#: Header names and values that different header lists share.
SHARED_LIMIT = 500
#: Characters. Longer header names and values are not shared.
SHARED_LENGTH = 256
#: Headers that most clients send, which entries share; each further one takes memory of its own.
USUAL_HEADERS = 16
#: A client that sends this header gets the names of the rules that acted, in ``Emulator-Rule``.
EXPLAIN_HEADER = "emulator-explain"

RawHeaders = tuple[tuple[bytes, bytes], ...]

_KEPT: dict[RawHeaders, Headers] = {}
_SHARED: dict[str, str] = {}


class Headers(dict[str, str]):
    """The headers of a request by lower-case name; never changed, since requests share them.

    ``weight`` is roughly how many bytes of memory they take. ``unusual``: one of them needs more than a reply, so
    :meth:`voice_emulator.wire.traffic.gateway.Gateway.at_once` leaves the request to aiohttp.
    """

    __slots__ = ("unusual", "weight")

    def __init__(self, headers: Mapping[str, str]) -> None:
        """``headers`` as they arrived."""
        if len(_SHARED) > SHARED_LIMIT:
            _SHARED.clear()
        super().__init__({_shared(name.lower()): _shared(value) for name, value in headers.items()})
        self.weight = sum(map(len, self)) + sum(map(len, self.values()))
        self.weight += 150 * max(0, len(self) - USUAL_HEADERS)
        self.unusual = "expect" in self or EXPLAIN_HEADER in self or self.get("user-agent") == AGENT


def _shared(text: str) -> str:
    return _SHARED.setdefault(text, text) if len(text) <= SHARED_LENGTH else text


def headers_of(raw: RawHeaders, headers: Mapping[str, str]) -> Headers:
    """The :class:`Headers` of ``headers``, which were parsed from ``raw``."""
    known = _KEPT.get(raw)
    if known is None:
        known = Headers(headers)
        if known.weight <= KEPT_LENGTH:
            if len(_KEPT) >= KEPT_LIMIT:
                _KEPT.clear()
            _KEPT[raw] = known
    return known


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


def parse_request(method: str, target: str, headers: Headers, body: bytes, peer: str, scheme: str) -> Request:
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
    return Request(
        provider="",
        method=method,
        path=path,
        query=NOTHING,
        fields=NOTHING,
        files=NOTHING,
        headers=headers,
        body=body,
        peer=peer,
        raw_query=query,
        host=authority or headers.get("host", ""),
        scheme=scheme,
        head_weight=len(method) + len(target) + headers.weight,
        wall=wall_now(),
    )
