"""Authentication: application keys, console login, addresses, and the state of the account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from voice_emulator.providers.kit.access import by_field, in_networks, same_secret
from voice_emulator.providers.kit.problems import explained
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
    """(kind, value) of every credential that identifies a tenant."""
    yield "appkey", credentials.get("appkey") or ""
    yield "account", part(credentials, "console", "account")
    yield "agent_appkey", part(credentials, "agent", "appkey")
    yield "accessKey", part(credentials, "signed", "accessKey")


def part(credentials: Mapping[str, Any], family: str, name: str) -> str:
    """One credential of a nested family; empty when it is unset."""
    found = credentials.get(family)
    value = found.get(name) if isinstance(found, Mapping) else None
    return value if isinstance(value, str) else ""


#: Attribution by the key of a voice application, the key of an agent approval form, and the console login.
by_appkey, by_agent_appkey = by_field("appkey"), by_field("appkey", "agent_appkey")
by_account = by_field("account")


def check_application(request: Request) -> Iterable[Problem]:
    """Key and secret of the voice application, its state, and the client's address.

    The schema reports missing ones. A wrong secret and an unknown key have the same code.
    """
    yield from _check_pair(
        request, request.credentials.get("appkey") or "", request.credentials.get("secretkey") or ""
    )
    if request.settings["application"] == "disabled":
        name = "account_disabled" if has(request.operation_name, "account_disabled") else "auth_failed"
        yield Problem(name, "the application is disabled by a setting", "/appkey")
    networks = request.settings["allowed_ips"]
    if networks and not in_networks(request.peer, networks):
        yield Problem("ip_not_allowed", f"{request.peer} is not in allowed_ips {', '.join(networks)}")


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
    if not request.attributed or not same_secret(password, part(request.credentials, "console", "password")):
        yield Problem("auth_failed", "account or password is wrong", "/account")


def check_outage(request: Request) -> Iterable[Problem]:
    """The ``outage`` setting: every otherwise valid request fails."""
    outage = request.settings["outage"]
    if outage != "none":
        name = outage if has(request.operation_name, outage) else "system_error"
        yield Problem(name, f"the setting outage is {outage}")


#: A schema violation at an operation with one code for everything.
explain_plainly = explained("invalid_parameter")


def explain_query(request: Request, violation: Violation) -> Problem:
    """A schema violation at a record or file query: pages and times have failures of their own."""
    code = "invalid_parameter"
    if violation.keyword != "required" and violation.value != "":
        if violation.field in ("page", "page_size"):
            code = "page_invalid"
        elif violation.field in ("start_time", "end_time") and has(request.operation_name, "time_invalid"):
            code = "time_invalid"
    return Problem(code, violation.message, violation.pointer)


def _check_pair(request: Request, appkey: str, secretkey: str) -> Iterable[Problem]:
    given, secret = request.text("appkey"), request.text("secretkey")
    if request.lenient or not given or not secret:
        return
    if not request.attributed or given != appkey:
        yield Problem("auth_failed", f"no tenant has the appkey {given[:80]!r}", "/appkey")
    elif not same_secret(secret, secretkey):
        yield Problem("auth_failed", "the secretkey is wrong", "/secretkey")
