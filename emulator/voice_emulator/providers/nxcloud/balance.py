"""The money in the account: getBalance ("Balance Inquiry"), and how much is left to spend."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from voice_emulator.core.billing import money
from voice_emulator.core.calls import Call
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.request import Reply, Request, json_reply

#: No page says which of several problems the reply reports.
ORDER = (
    "method", "malformed", "encoding", "invalid_parameter", "auth_failed", "ip_not_allowed", "system_error",
)  # fmt: skip

#: What getBalance shows for a new account without a limit: the page's sample.
_SAMPLE = Decimal("3788.32")


def answer(request: Request, calls: Sequence[Call]) -> Reply:
    """Balance and credit, both as text. A call is charged when it ends."""
    given: Decimal | None = request.settings["balance"]
    left = (_SAMPLE if given is None else given) - _charged(request.tenant)
    credit: Decimal = request.settings["credit_balance"]
    payload = {"code": "0", "balance": money(left), "credit_balance": money(credit)}
    return json_reply(payload, code="0")


def left_to_spend(tenant: Tenant, price: Decimal) -> Decimal | None:
    """The balance minus one cycle of ``price`` for each call in progress; None without a limit."""
    balance: Decimal | None = tenant.settings[PROVIDER_ID]["balance"]
    if balance is None:
        return None
    totals = tenant.totals
    ended = sum(count for (provider, _), count in totals.calls.items() if provider == PROVIDER_ID)
    pending = totals.accepted[PROVIDER_ID] - totals.dropped[PROVIDER_ID] - ended
    return balance - _charged(tenant) - pending * price


def _charged(tenant: Tenant) -> Decimal:
    return Decimal(tenant.totals.charged.get(PROVIDER_ID, 0))
