"""Who is asking: application keys, addresses, and what an account may do at all."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from voice_emulator.core.accounts import Key
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.errors import has
from voice_emulator.providers.request import Problem, Request
from voice_emulator.schemas.validate import Violation

DEFAULT_CREDENTIALS: Mapping[str, Any] = {
    "appkey": "nx-appkey",
    "secretkey": "nx-secretkey",
    "console": {"account": "nx-account", "password": "nx-password"},
    "agent": {"appkey": "nx-agent-appkey", "secretkey": "nx-agent-secretkey", "username": "nx-agent"},
    "signed": {"accessKey": "nx-access-key", "accessSecret": "nx-access-secret"},
}


def keys(credentials: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """(kind, value) of everything by which a request can be attributed."""
    yield "appkey", credentials.get("appkey") or ""
    yield "account", part(credentials, "console", "account")
    yield "agent_appkey", part(credentials, "agent", "appkey")
    yield "accessKey", part(credentials, "signed", "accessKey")


def part(credentials: Mapping[str, Any], family: str, name: str) -> str:
    """One credential of a nested family; empty when it is unset."""
    found = credentials.get(family)
    value = found.get(name) if isinstance(found, Mapping) else None
    return value if isinstance(value, str) else ""


def same(given: str, expected: str) -> bool:
    """Whether two secrets are equal; an unset one equals nothing."""
    return bool(expected) and hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8")
    )


def by_appkey(request: Request) -> Iterable[Key]:
    """Attribution by the key of a voice application."""
    if value := request.text("appkey"):
        yield PROVIDER_ID, "appkey", value


def by_agent_appkey(request: Request) -> Iterable[Key]:
    """Attribution by the key of an agent approval form."""
    if value := request.text("appkey"):
        yield PROVIDER_ID, "agent_appkey", value


def by_account(request: Request) -> Iterable[Key]:
    """Attribution by console login."""
    if value := request.text("account"):
        yield PROVIDER_ID, "account", value


def check_application(request: Request) -> Iterable[Problem]:
    """Key and secret of the voice application, its state, and the caller's address.

    Absent ones are left to the schema. A wrong secret and an unknown key have one code.
    """
    yield from _check_pair(
        request, request.credentials.get("appkey") or "", request.credentials.get("secretkey") or ""
    )
    if request.settings["application"] == "disabled":
        name = "account_disabled" if has(_operation(request), "account_disabled") else "auth_failed"
        yield Problem(name, "the application is disabled by a setting", "/appkey")
    networks = request.settings["allowed_ips"]
    if networks and not _inside(request.peer, networks):
        yield Problem("ip_not_allowed", f"{request.peer} is not among allowed_ips {', '.join(networks)}")


def check_agent_application(request: Request) -> Iterable[Problem]:
    """Key and secret of the agent approval form."""
    expected = request.credentials
    yield from _check_pair(request, part(expected, "agent", "appkey"), part(expected, "agent", "secretkey"))
    if request.settings["application"] == "disabled":
        yield Problem("auth_failed", "the application is disabled by a setting", "/appkey")


def check_console(request: Request) -> Iterable[Problem]:
    """Console login."""
    account, password = request.text("account"), request.text("password")
    if request.lenient or not account or not password:
        return
    if not request.attributed or not same(password, part(request.credentials, "console", "password")):
        yield Problem("auth_failed", "account or password is wrong", "/account")


def check_outage(request: Request) -> Iterable[Problem]:
    """The ``outage`` setting: every otherwise valid request fails."""
    outage = request.settings["outage"]
    if outage != "none":
        name = outage if has(_operation(request), outage) else "system_error"
        yield Problem(name, f"the setting outage is {outage}")


def explain_plainly(request: Request, violation: Violation) -> Problem:
    """A schema violation at an operation with one code for everything."""
    return Problem("invalid_parameter", violation.message, violation.pointer)


def explain_query(request: Request, violation: Violation) -> Problem:
    """A schema violation at a record or file query: pages and times have failures of their own."""
    code = "invalid_parameter"
    if violation.keyword != "required" and violation.value != "":
        if violation.field in ("page", "page_size"):
            code = "page_invalid"
        elif violation.field in ("start_time", "end_time") and has(_operation(request), "time_invalid"):
            code = "time_invalid"
    return Problem(code, violation.message, violation.pointer)


def _check_pair(request: Request, appkey: str, secretkey: str) -> Iterable[Problem]:
    given, secret = request.text("appkey"), request.text("secretkey")
    if request.lenient or not given or not secret:
        return
    if not request.attributed or given != appkey:
        yield Problem("auth_failed", f"nobody has the appkey {given[:80]!r}", "/appkey")
    elif not same(secret, secretkey):
        yield Problem("auth_failed", "the secretkey is wrong", "/secretkey")


def _operation(request: Request) -> str:
    return request.operation_name


@lru_cache(maxsize=256)
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)


def _inside(peer: str, texts: tuple[str, ...]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _networks(tuple(texts)))
