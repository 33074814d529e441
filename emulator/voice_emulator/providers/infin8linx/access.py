"""Authentication: credentials, tokens, and the conditions of the account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from voice_emulator.core.accounts import Key
from voice_emulator.core.clock import parse_wall_text
from voice_emulator.core.tokens import Standing
from voice_emulator.providers.infin8linx.envelopes import is_batch
from voice_emulator.providers.infin8linx.errors import illegal
from voice_emulator.providers.infin8linx.settings import MODULES, UTC_OFFSET
from voice_emulator.providers.kit.access import by_field, by_issued, in_networks
from voice_emulator.providers.request import Problem, Request

PROVIDER_ID = "infin8linx"
#: Id space and family of tokens.
TOKEN_SPACE = "in8-token"

_MODULE_OF = {operation: module for module, operation in MODULES.items()}


def credential_keys(credentials: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The account is known by its appid."""
    yield "appid", credentials.get("appid") or ""


identify_appid, identify_token = by_field("appid"), by_issued("token", TOKEN_SPACE)


def identify_flavour(request: Request) -> Iterable[Key]:
    """Attribution of PlayVoice, by appid or token."""
    return identify_appid(request) if is_batch(request) else identify_token(request)


def check_login(request: Request) -> Iterator[Problem]:
    """Login: an unknown appid is 601, a wrong accesskey the failure 1003."""
    return _check(request, _appid(request, wrong_key="1003"))


def check_token(request: Request) -> Iterator[Problem]:
    """Operations with a token: any but a valid one is 600 ("token invalid, log in again")."""
    return _check(request, _token(request))


def check_flavour(request: Request) -> Iterator[Problem]:
    """PlayVoice: the batch flavour knows no status 1, so there a wrong accesskey is 601 too."""
    return _check(request, _appid(request, wrong_key="601") if is_batch(request) else _token(request))


def authentic(request: Request) -> bool:
    """Whether the credentials are valid; the account's settings apply only then."""
    return bool(request.scratch.get("authentic"))


def _check(request: Request, problem: Problem | None) -> Iterator[Problem]:
    """``problem`` is the one of the credentials; the schema reports :data:`_INCOMPLETE` ones."""
    if request.method == "GET" and not request.settings["accept_get"]:
        message = "GET is not documented; see the setting accept_get"
        yield illegal(request, message, "", "method")
    if problem is not None:
        if problem is not _INCOMPLETE:
            yield problem
        return
    request.scratch["authentic"] = True
    yield from _conditions(request)


#: A credential is missing, so the others cannot be checked.
_INCOMPLETE = Problem("400", "a credential is missing")


def _appid(request: Request, wrong_key: str) -> Problem | None:
    appid, accesskey = request.text("appid"), request.text("accesskey")
    if not appid or not accesskey:
        return _INCOMPLETE
    if request.lenient:
        return None
    known = request.credentials
    if appid != known["appid"]:
        return Problem("601", f"there is no appid {appid!r}", "/appid")
    if accesskey != known["accesskey"]:
        return Problem(wrong_key, f"the accesskey is not that of appid {appid!r}", "/accesskey")
    return None


def _token(request: Request) -> Problem | None:
    token = request.text("token")
    if "token" not in request.fields:
        return _INCOMPLETE
    if request.lenient and token:
        return None
    standing, known = request.tenant.tokens.look_up(token, request.now)
    foreign = known is not None and known.family != TOKEN_SPACE
    if standing is Standing.GOOD and not foreign:
        return None
    state = "of another provider" if foreign else standing.value
    return Problem("600", f"the token is {state}; log in again", "/token")


def _conditions(request: Request) -> Iterator[Problem]:
    settings = request.settings
    allowed = settings["allowed_ips"]
    if allowed is not None and not in_networks(request.peer, allowed):
        yield Problem("604", f"{request.peer} is not on the account's allow list (allowed_ips)")
    if request.now >= parse_wall_text(settings["licence_until"], UTC_OFFSET):
        yield Problem("602", f"the licence ended at {settings['licence_until']} UTC+8 (licence_until)")
    module = _MODULE_OF.get(request.operation_name)
    if module is not None and settings["modules"] is not None and module not in settings["modules"]:
        yield Problem("603", f"the account has no module {module} (modules)")
