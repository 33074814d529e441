"""The agent family ("Agent API Invocation Interface Specification V1.0"): tokens, and calls by softphone.

It has credentials and ids of its own, and a JSON record instead of the voice receipt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from voice_emulator.core.billing import Tariff
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND
from voice_emulator.core.placing import ReceiptPlan, Submission
from voice_emulator.core.scenario import Retry
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.tokens import Standing, Token
from voice_emulator.core.values import plain_value
from voice_emulator.core.vocabulary import Step
from voice_emulator.providers.kit.access import by_issued
from voice_emulator.providers.nxcloud.access import check_agent_application, check_outage, part
from voice_emulator.providers.nxcloud.account import PROVIDER_ID, account_of
from voice_emulator.providers.nxcloud.files import base_url
from voice_emulator.providers.request import Problem, Reply, Request, json_reply

TOKENS = "nx-token"
SESSIONS = "nx-sessionid"
_ORDERIDS = "nx-orderid"
_FAMILY = "agent"
#: Caller id when the request names none.
DEFAULT_CALLER = "nxcloud"

TOKEN_ORDER = (
    "method", "malformed", "encoding", "invalid_parameter", "auth_failed_1", "auth_failed",
    "system_error",
)  # fmt: skip
CALL_ORDER = (
    "method", "malformed", "encoding", "invalid_parameter", "token_unknown", "token_expired",
    "auth_failed", "username_unknown", "username_unknown_1006", "username_locked",
    "username_unregistered", "username_unregistered_1004", "username_unregistered_1005", "data_stale",
    "orderid_invalid", "orderid_too_long", "data_error", "system_error",
)  # fmt: skip

_STATE_CODES: Mapping[str, str] = {
    "missing": "username_unknown", "missing_1006": "username_unknown_1006", "locked": "username_locked",
    "unregistered": "username_unregistered", "unregistered_1004": "username_unregistered_1004",
    "unregistered_1005": "username_unregistered_1005", "stale": "data_stale", "data_error": "data_error",
}  # fmt: skip

_FREE = Tariff()


@plain_value
class PhoneAccount:
    """A softphone of the customer: its state, id and nickname."""

    username: str
    state: str
    sipid: str
    mobile_name: str


def phone_account(tenant: Tenant, username: str) -> PhoneAccount | None:
    """The phone account of that name: the one of the credentials, or one of the settings."""
    configured: Mapping[str, Any] = tenant.settings[PROVIDER_ID]["phone_accounts"]
    own = part(tenant.credentials[PROVIDER_ID], "agent", "username")
    if not username or (username != own and username not in configured):
        return None
    entry = configured.get(username, {})
    sipid = entry.get("sipid") or str(
        1_000_000 + tenant.ids.drawn_integer(9_000_000, PROVIDER_ID, "sipid", username)
    )
    return PhoneAccount(username, entry.get("state", "ok"), sipid, entry.get("mobile_name", "first mobile"))


# --- token ------------------------------------------------------------------------------------


def check_token_credentials(request: Request) -> Iterable[Problem]:
    """Key and secret; a refusal is 1101 in the page's sample and 1 in its table."""
    for problem in check_agent_application(request):
        name = "auth_failed_1" if request.settings["token_failure_code"] == "1" else problem.code
        yield Problem(name, problem.message, problem.place)


def answer_token(request: Request, calls: Sequence[Call]) -> Reply:
    """A new token; earlier ones stay valid until they expire."""
    lifetime = request.settings["token_lifetime"]
    token = issue_token(request.tenant, request.text("appkey"), lifetime * SECOND, *request.key)
    return json_reply({"code": 0, "token": token.value, "expireinterval": lifetime}, code="0")


def issue_token(tenant: Tenant, appkey: str, lifetime: int, *key: object) -> Token:
    """A new token for the application ``appkey``, drawn by ``key``; ``lifetime`` in microseconds."""
    value = tenant.ids.unique(TOKENS, lambda n: tenant.ids.drawn_hexadecimal(32, TOKENS, *key, n).upper())
    return tenant.issue_token(_FAMILY, appkey, lifetime, value)


# --- makecall ---------------------------------------------------------------------------------


by_token = by_issued("token", TOKENS)


def check_token(request: Request) -> Iterable[Problem]:
    """The token must be valid, and issued for the current application of the customer."""
    value, tenant = request.text("token"), request.tenant
    if request.lenient or not value:
        return
    standing, token = tenant.tokens.look_up(value, request.now)
    if not request.attributed or token is None or standing is Standing.REVOKED:
        yield Problem("token_unknown", "the token was never issued", "/token")
    elif standing is Standing.EXPIRED:
        yield Problem("token_expired", "the token has expired", "/token")
    else:
        disabled = request.settings["application"] == "disabled"
        if disabled or token.holder != part(request.credentials, "agent", "appkey"):
            yield Problem("auth_failed", "the application behind the token is gone or disabled", "/token")


def check_call(request: Request) -> Iterable[Problem]:
    """Phone account and order id."""
    yield from check_outage(request)
    username = request.text("username")
    account = phone_account(request.tenant, username)
    if account is not None and account.state != "ok":
        message = f"its state is {account.state} by a setting"
        yield Problem(_STATE_CODES[account.state], message, "/username")
    elif username and account is None and not request.lenient:
        yield Problem("username_unknown", f"there is no phone account {username[:80]!r}", "/username")
    orderid = request.text("orderid")
    if not orderid:
        return
    if not (orderid.isascii() and orderid.isalnum()) or len(orderid) < 4:
        yield Problem("orderid_invalid", "4 to 32 letters and digits", "/orderid")
    if len(orderid) > 32:
        yield Problem("orderid_too_long", f"{len(orderid)} characters, at most 32", "/orderid")
    elif orderid in account_of(request.tenant).orderids:
        yield Problem("data_error", f"orderid {orderid!r} was used before", "/orderid")


def call_numbers(request: Request) -> Sequence[str]:
    """The called number."""
    phone = request.text("phone")
    return [phone] if phone else []


def submit(request: Request) -> Submission:
    """The one call of an accepted request."""
    tenant, settings = request.tenant, request.settings
    username = request.text("username")
    account = phone_account(tenant, username) or PhoneAccount(username, "ok", "1049002", "first mobile")
    orderid = request.text("orderid") or tenant.ids.hexadecimal(_ORDERIDS, 16, *request.key)
    sessionid = tenant.ids.unique(
        SESSIONS, lambda n: _uuid(tenant.ids.drawn_hexadecimal(32, SESSIONS, *request.key, n))
    )
    account_of(tenant).orderids[orderid] = None
    request.scratch["ids"] = (orderid, sessionid)
    return Submission(
        provider=PROVIDER_ID,
        operation="makecall",
        caller=request.text("showphone") or DEFAULT_CALLER,
        kind="agent",
        receipts=_receipts(settings),
        tariff=_FREE,
        wants_keys=False,
        batch_id=sessionid,
        details={
            "orderid": orderid,
            "username": username,
            "sipid": account.sipid,
            "mobile_name": account.mobile_name,
            "country": settings["agent_country_code"],
            "recorded": settings["agent_recording"],
            "base": base_url(request),
        },
    )


def answer_call(request: Request, calls: Sequence[Call]) -> Reply:
    """The ids of the call."""
    ids = request.scratch.get("ids")
    if ids is None:  # a rule prevents the call, but not the reply of a success
        submit(request)
        ids = request.scratch["ids"]
    orderid, sessionid = ids
    return json_reply({"code": 0, "orderid": orderid, "sessionid": sessionid, "info": "success"}, code="0")


def _receipts(settings: Mapping[str, Any]) -> tuple[ReceiptPlan, ...]:
    retry = Retry((settings["cdr_retry_seconds"] * SECOND,) * (settings["cdr_attempts"] - 1))
    record = ReceiptPlan("cdr", retry=retry)
    if not settings["call_status_push"]:
        return (record,)
    # The hang-up state precedes the record of the call.
    return (
        ReceiptPlan("status", on=Step.DIAL, ruled=False),
        ReceiptPlan("status", on=Step.ANSWER, ruled=False),
        ReceiptPlan("in_call", on=Step.ANSWER, ruled=False),
        ReceiptPlan("status", ruled=False),
        record,
    )


def _uuid(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
