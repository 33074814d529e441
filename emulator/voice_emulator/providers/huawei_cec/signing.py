"""Signature of the release event.

Source: "Release Event Callback API" (Huawei Cloud CEC, cec_07_2805 / cec_07_0080). The page's prose says
"SHA256", its reference code is HMAC-SHA256; the code is the more specific of the two, so HMAC is the default
and the prose is the setting ``signature_algorithm: sha256``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

HMAC_SHA256 = "hmac-sha256"
PLAIN_SHA256 = "sha256"
UNSIGNED_FIELDS = frozenset({"timestamp", "nonce", "signature"})
MINIMUM_KEY_LENGTH = 16


def canonical_text(fields: Mapping[str, object]) -> str:
    """Return ``name=value`` pairs joined by commas, sorted by name in code-unit order, all spaces removed.

    The three fields of the signature itself are left out. None is written ``null``, as the reference code's
    map prints it; spaces go from inside values too, because that code strips them from the whole text.
    """
    signed = (name for name in fields if name not in UNSIGNED_FIELDS)
    names = sorted(signed, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return ",".join(f"{name}={_text(fields[name])}" for name in names).replace(" ", "")


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def text_to_sign(shared_key: str, timestamp: str, nonce: str, fields: Mapping[str, object]) -> str:
    """Return the text that is signed: key, timestamp, nonce and the canonical text, joined by underscores."""
    return "_".join((shared_key, timestamp, nonce, canonical_text(fields)))


def signature(
    shared_key: str, timestamp: str, nonce: str, fields: Mapping[str, object], algorithm: str = HMAC_SHA256
) -> str:
    """Return the Base64 signature (44 characters) of a release event.

    ``timestamp`` is in epoch milliseconds and ``nonce`` a signed 64-bit number, both as decimal text.
    The shared key enters twice: as the HMAC key and as the head of the text.
    """
    message = text_to_sign(shared_key, timestamp, nonce, fields).encode("utf-8", "surrogatepass")
    if algorithm == PLAIN_SHA256:
        digest = hashlib.sha256(message).digest()
    else:
        digest = hmac.new(shared_key.encode("utf-8"), message, hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")
