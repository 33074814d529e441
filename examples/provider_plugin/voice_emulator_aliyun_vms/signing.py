"""The two signatures: V2 (HMAC-SHA1 over all parameters) and V3 (ACS3-HMAC-SHA256 over the canonical request)."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha1, sha256
from urllib.parse import quote

V3 = "ACS3-HMAC-SHA256"


def encoded(text: str) -> str:
    """Percent-encoded as both signatures want it: space is ``%20``, ``~`` stays."""
    return quote(text, safe="~", errors="surrogatepass")


def sign_v2(method: str, parameters: Mapping[str, str], secret: str) -> str:
    """The value of ``Signature`` ("V2 RPC request syntax and signature"); ``Signature`` itself is not signed."""
    pairs = sorted((name, value) for name, value in parameters.items() if name != "Signature")
    joined = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in pairs)
    text = f"{method}&%2F&{encoded(joined)}"
    return b64encode(hmac.new(f"{secret}&".encode(), text.encode(), sha1).digest()).decode()


def request_hash(
    method: str, query: Mapping[str, str], headers: Mapping[str, str], signed: Iterable[str], body_hash: str
) -> str:
    """The SHA-256 of the canonical request ("V3 request structure and signature"); header names are lower-case."""
    names = list(signed)
    canonical = "\n".join(
        (
            method,
            "/",
            "&".join(f"{encoded(name)}={encoded(value)}" for name, value in sorted(query.items())),
            "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in names),
            ";".join(names),
            body_hash,
        )
    )
    return sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()


def sign_v3(hashed: str, secret: str) -> str:
    """The signature of a canonical request, given its hash."""
    return hmac.new(secret.encode(), f"{V3}\n{hashed}".encode(), sha256).hexdigest()


def authorization_parts(header: str) -> dict[str, str]:
    """``Credential``, ``SignedHeaders`` and ``Signature`` of an ``Authorization`` header."""
    pairs = (part.strip().partition("=") for part in header.removeprefix(V3).split(","))
    return {name: value for name, _, value in pairs}
