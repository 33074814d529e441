"""Who sent a request: the claim to a shared path, attribution, and the checks of time stamp, nonce and signature."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from voice_emulator.core.accounts import Key
from voice_emulator.core.clock import MINUTE, parse_rfc3339, wall_text
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.kit.access import same_secret
from voice_emulator.providers.kit.memory import Remembered
from voice_emulator.providers.request import Operation, Problem, Request
from voice_emulator_aliyun_vms.signing import authorization_parts, request_hash, sign_v2, sign_v3

ID = "aliyun_vms"
VERSION = "2017-05-25"
#: What must not be in a URL. Signature and SecurityToken are there by the provider's own protocol: their schemas alone
#: mask them.
SECRETS = frozenset({"access_key_secret", "x-acs-security-token"})
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass
class State:
    """What the provider remembers of an account: nonces, and when each number was called."""

    nonces: Remembered[str, bool] = field(default_factory=lambda: Remembered(100_000))
    windows: Remembered[tuple[str, int], tuple[int, int]] = field(default_factory=lambda: Remembered(100_000))


def state_of(tenant: Tenant) -> State:
    """The state of a tenant's account."""
    return tenant.account_state(ID, State)


def is_v3(request: Request) -> bool:
    """Whether the request is signed in the newer way. SDKs send the headers x-acs-... with the older one too."""
    return request.headers.get("authorization", "").startswith("ACS3-")


def claims(request: Request) -> bool:
    """Every request of this provider names its action, by header or parameter, or carries its signature."""
    return is_v3(request) or "x-acs-action" in request.headers or "Action" in request.fields


def action_of(request: Request) -> str:
    """The name of the operation."""
    return request.headers.get("x-acs-action", "") if is_v3(request) else request.text("Action")


def keys(credentials: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """An account is known by its access key id."""
    return [("access_key_id", credentials.get("access_key_id") or "")]


def key_id(request: Request) -> str:
    """The access key id that the request names."""
    if is_v3(request):
        return authorization_parts(request.headers["authorization"]).get("Credential", "")
    return request.text("AccessKeyId")


def identify(request: Request) -> Iterable[Key]:
    """Attribution by the access key id."""
    given = key_id(request)
    return [(ID, "access_key_id", given)] if given else []


def authenticate(request: Request) -> Iterable[Problem]:
    """Everything that is wrong with key, time stamp, nonce and signature; the gateway reports the first."""
    if request.lenient:
        return
    v3, settings = is_v3(request), request.settings
    given = key_id(request)
    if not given:
        yield Problem(
            "MissingAccessKeyId", "no access key id", "header:Authorization" if v3 else "/AccessKeyId"
        )
        return
    if not request.attributed:
        yield Problem("InvalidAccessKeyId.NotFound", "no tenant has this access key id", "/AccessKeyId")
        return
    if settings["signatures"] not in ("both", "v3" if v3 else "v2"):
        yield Problem(
            "InvalidSignatureMethod", f"signatures {settings['signatures']} alone are accepted here"
        )
    stamp = request.headers.get("x-acs-date", "") if v3 else request.text("Timestamp")
    nonce = request.headers.get("x-acs-signature-nonce", "") if v3 else request.text("SignatureNonce")
    yield from _time_problems(request, stamp)
    if not nonce:
        yield Problem("MissingSignatureNonce", "no nonce", "/SignatureNonce")
    if not (_signed_v3(request) if v3 else _signed_v2(request)):
        yield Problem("SignatureDoesNotMatch", "the signature is not that of this request", "/Signature")
    elif nonce and settings["nonce_check"]:
        nonces = state_of(request.tenant).nonces
        if nonce in nonces:
            yield Problem("SignatureNonceUsed", "the nonce was used before", "/SignatureNonce")
        nonces[nonce] = True


def _time_problems(request: Request, stamp: str) -> Iterable[Problem]:
    try:
        at = parse_rfc3339(stamp.replace("Z", "+00:00")) if _TIME.fullmatch(stamp) else None
    except ValueError:
        at = None
    if at is None:
        yield Problem(
            "InvalidTimeStamp.Format", f"{stamp[:40]!r} is not a time like 2026-01-05T01:00:00Z", "/Timestamp"
        )
        return
    # The client's own clock is real, so its time stamp is compared with real time.
    past, future = (request.settings[name] * MINUTE for name in ("timestamp_past", "timestamp_future"))
    if not request.wall - past <= at <= request.wall + future:
        yield Problem(
            "InvalidTimeStamp.Expired", f"it is {wall_text(request.wall, 0, _TIME_FORMAT)}", "/Timestamp"
        )


def _signed_v2(request: Request) -> bool:
    texts = {name: value for name, value in request.fields.items() if isinstance(value, str)}
    expected = sign_v2(request.method, texts, request.credentials["access_key_secret"])
    return same_secret(texts.get("Signature", ""), expected)


def _signed_v3(request: Request) -> bool:
    parts = authorization_parts(request.headers["authorization"])
    body_hash = request.headers.get("x-acs-content-sha256", "")
    if body_hash != sha256(request.body).hexdigest():
        return False
    signed = parts.get("SignedHeaders", "").split(";")
    hashed = request_hash(request.method, request.query, request.headers, signed, body_hash)
    return same_secret(parts.get("Signature", ""), sign_v3(hashed, request.credentials["access_key_secret"]))


def authorise(
    tenant: Tenant, operation: Operation, example: Mapping[str, Any], wall: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """The example with the parameters that sign it (V2) as a POST."""
    credentials = tenant.credentials[ID]
    calls = [call for call in tenant.ledger.of_provider(ID) if call.ended]
    known = {"CallId": calls[-1].provider_id} if calls and "CallId" in example else {}
    if "QueryDate" in example:
        known["QueryDate"] = str(tenant.now // 1000)
    fields = {
        **{name: value if isinstance(value, str) else str(value) for name, value in example.items()},
        **known,
        "Action": operation.name,
        "Version": VERSION,
        "Format": "JSON",
        "AccessKeyId": credentials["access_key_id"],
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": tenant.ids.hexadecimal("aliyun_vms nonce", 32, "example"),
        "Timestamp": wall_text(wall, 0, _TIME_FORMAT),
    }
    return {**fields, "Signature": sign_v2("POST", fields, credentials["access_key_secret"])}, {}
