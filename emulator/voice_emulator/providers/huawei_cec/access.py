"""Who may come in: tokens, the two headers, and what they are attributed by.

Sources: "C1 System Configuration Interface Authentication" (cec_07_0002, cec_07_0005, cec_07_2211),
"AK/SK-based Authentication Interface" (cec_05_2007), "Generating a Token Using the API Fabric" (cec_05_1002).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

from voice_emulator.core.accounts import Key
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND
from voice_emulator.core.tokens import Standing
from voice_emulator.providers.huawei_cec.errors import AUTH
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID
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


def identify_by_token(request: Request) -> list[Key]:
    """The token first; an unknown one leaves X-APP-Key to say whose request it is."""
    keys: list[Key] = []
    token = bearer(request)
    if token is not None:
        keys.append(("id", TOKEN_SPACE, token))
    app_key = request.headers.get("x-app-key")
    if app_key:
        keys.append((PROVIDER_ID, "app_key", app_key))
    return keys


def identify_by_secret(request: Request) -> Iterator[Key]:
    """The application key of a token request."""
    app_key = request.text("app_key")
    if app_key:
        yield (PROVIDER_ID, "app_key", app_key)


def authenticate_token(request: Request) -> Sequence[Problem]:
    """Problems of Authorization and X-APP-Key on the business interfaces."""
    settings = request.settings
    problems = [] if settings["account_status"] == "active" else [_SUSPENDED]
    app_key = request.headers.get("x-app-key")
    if app_key is None and settings["app_key_header"] == "required":
        problems.append(Problem(AUTH, "the header X-APP-Key is missing", "header:X-APP-Key"))
    if "authorization" not in request.headers:
        problems.append(Problem(AUTH, "the header Authorization is missing", "header:Authorization"))
    elif not request.lenient:
        problem = _token_problem(request, app_key)
        if problem is not None:
            problems.append(problem)
    return problems


def _token_problem(request: Request, app_key: str | None) -> Problem | None:
    value = bearer(request)
    if value is None:
        return Problem(AUTH, "it is not 'Bearer', exactly one space, and a token", "header:Authorization")
    standing, token = request.tenant.tokens.look_up(value, request.now)
    if token is None or standing is not Standing.GOOD:
        return Problem(AUTH, f"the token is {standing.value}", "header:Authorization")
    if app_key is not None and app_key != token.holder:
        return Problem(AUTH, "X-APP-Key is not the app_key the token was issued for", "header:X-APP-Key")
    return None


def authenticate_secret(request: Request) -> Iterator[Problem]:
    """Problems of app_key and app_secret; the schema reports missing ones."""
    if not is_allowed(request.peer, request.settings["allowed_ips"]):
        yield Problem(AUTH, f"the address {request.peer} is not allowed")
    app_key, secret = request.text("app_key"), request.text("app_secret")
    if not app_key or not secret or request.lenient:
        return
    if not request.attributed:
        yield Problem(AUTH, "the app_key is unknown", "/app_key")
    elif app_key != request.credentials["app_key"] or secret != request.credentials["app_secret"]:
        yield Problem(AUTH, "the app_secret is wrong", "/app_secret")


def is_allowed(peer: str, networks: Iterable[str]) -> bool:
    """Whether an address is one of the networks, IPv4 in IPv6 unwrapped; no networks allow everybody."""
    listed = [ipaddress.ip_network(network, strict=False) for network in networks]
    if not listed:
        return True
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in listed)


def lifetime_of(wish: str | None, default: int) -> int:
    """Seconds a token lives: the wish, at most 3600; ``default`` when it is absent, no number, or below 1."""
    if wish is None or not _LIFETIME.fullmatch(wish.strip()) or int(wish) < 1:
        return default
    return min(int(wish), LONGEST_LIFETIME)


def issue_token(request: Request, calls: Sequence[Call]) -> Reply:
    """Issue a token. Former ones stay good until they expire: no page says otherwise."""
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
