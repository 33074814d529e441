"""Authentication: tokens, the two headers, and attribution by them.

Sources: "C1 System Configuration Interface Authentication" (cec_07_0002, cec_07_0005, cec_07_2211),
"AK/SK-based Authentication Interface" (cec_05_2007), "Generating a Token Using the API Fabric" (cec_05_1002).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from voice_emulator.core.accounts import ISSUED, Key
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND
from voice_emulator.core.tokens import Standing
from voice_emulator.providers.huawei_cec.errors import AUTH
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID
from voice_emulator.providers.kit.access import by_field, by_header, in_networks
from voice_emulator.providers.request import Problem, Reply, Request, json_reply

TOKEN_SPACE = "cec-token"
#: The longest lifetime X-Token-Expire may ask for, in seconds; more is clamped.
LONGEST_LIFETIME = 3600

_LIFETIME = re.compile(r"[0-9]{1,18}")
_SUSPENDED = Problem("401", "the account is suspended")


def bearer(request: Request) -> str | None:
    """The token of ``Authorization: Bearer <token>``, exactly one space; None for any other form."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" and token and " " not in token else None


def identify_by_token(request: Request) -> Iterable[Key]:
    """The token first. X-APP-Key decides when the token is unknown."""
    token = bearer(request)
    keys = _by_app_key(request)
    return keys if token is None else ((ISSUED, TOKEN_SPACE, token), *keys)


#: The application key of a token request, and of a business request.
identify_by_secret, _by_app_key = by_field("app_key"), by_header("x-app-key", "app_key")


def authenticate_token(request: Request) -> Iterator[Problem]:
    """Problems of Authorization and X-APP-Key on the business interfaces."""
    settings = request.settings
    if settings["account_status"] != "active":
        yield _SUSPENDED
    app_key = request.headers.get("x-app-key")
    if app_key is None and settings["app_key_header"] == "required":
        yield Problem(AUTH, "the header X-APP-Key is missing", "header:X-APP-Key")
    if "authorization" not in request.headers:
        yield Problem(AUTH, "the header Authorization is missing", "header:Authorization")
        return
    if request.lenient:
        return
    value = bearer(request)
    standing, token = request.tenant.tokens.look_up(value or "", request.now)
    if value is None:
        yield Problem(AUTH, "it is not 'Bearer', exactly one space, and a token", "header:Authorization")
    elif token is None or standing is not Standing.GOOD:
        yield Problem(AUTH, f"the token is {standing.value}", "header:Authorization")
    elif app_key is not None and app_key != token.holder:
        yield Problem(AUTH, "X-APP-Key is not the app_key the token was issued for", "header:X-APP-Key")


def authenticate_secret(request: Request) -> Iterator[Problem]:
    """Problems of app_key and app_secret; the schema reports missing ones."""
    networks = request.settings["allowed_ips"]
    if networks and not in_networks(request.peer, networks):
        yield Problem(AUTH, f"the address {request.peer} is not allowed")
    app_key, secret = request.text("app_key"), request.text("app_secret")
    if not app_key or not secret or request.lenient:
        return
    if not request.attributed:
        yield Problem(AUTH, "the app_key is unknown", "/app_key")
    elif app_key != request.credentials["app_key"] or secret != request.credentials["app_secret"]:
        yield Problem(AUTH, "the app_secret is wrong", "/app_secret")


def lifetime_of(header: str | None, default: int) -> int:
    """Lifetime of a token in seconds: the header, at most 3600; ``default`` if it is unusable."""
    if header is None or not _LIFETIME.fullmatch(header.strip()) or int(header) < 1:
        return default
    return min(int(header), LONGEST_LIFETIME)


def issue_token(request: Request, calls: Sequence[Call]) -> Reply:
    """Issue a token. Earlier ones stay valid until they expire: no page says otherwise."""
    tenant = request.tenant
    app_key = request.text("app_key")
    seconds = lifetime_of(request.headers.get("x-token-expire"), request.settings["token_lifetime"])
    value = tenant.ids.hexadecimal(TOKEN_SPACE, 32, *request.key)
    tenant.issue_token(PROVIDER_ID, app_key, seconds * SECOND, value)
    payload = {
        "AccessToken": value,
        "ApplyType": "Bearer",
        "CreateTime": str(request.now // SECOND),
        "Expires": str(seconds),
        "Scope": tenant.ids.drawn_hexadecimal(32, "cec-scope", app_key),
        "AppKey": app_key,
        "UserID": "Anonymous",
    }
    return json_reply(payload, code="0")
