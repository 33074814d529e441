"""NXCloud's numbers for the finding rules, and the rules for NXCloud alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from voice_emulator.core.clock import SECOND
from voice_emulator.providers.contract import Contract, Pace, Pages, When, finding
from voice_emulator.providers.grading import Grading, LateNews
from voice_emulator.providers.kit.fields import at
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.causes import CAUSE_NAMES
from voice_emulator.providers.rule_context import RuleContext

_RECORDS = "Voice Record Query (NXCloud wiki): one request per second"
_AGENT_RECORDS = "Call Detail Records (CDR) Query Interface (NXCloud wiki)"
_BLANK_IN_BASE64 = re.compile(r"[A-Za-z0-9/] [A-Za-z0-9/=]")


@finding(
    "nxcloud-task-time-without-zone", "error", When.ARRIVED, operations=("gpsend",), providers=(PROVIDER_ID,),
    present="task_time",
    source="Send Voice Broadcast (NXCloud wiki): task_time is ignored without time_zone",
)  # fmt: skip
def task_time_without_zone(context: RuleContext) -> Iterator[str]:
    """A group call was scheduled without a time zone, so it is dialled at once.

    `task_time` needs `time_zone`. By the English pages the schedule is ignored without it, so a campaign
    for tomorrow morning calls everybody tonight. By the newer Chinese page the reply is code 31.

    How to fix it: send `time_zone` (`8`, `7`, ...) with every `task_time`.
    """
    request = context.request
    if request.text("task_time") and not (request.text("time_zone") or request.text("task_zone")):
        yield f"task_time {request.text('task_time')[:40]} has no time_zone"


@finding(
    "nxcloud-base64-plus-lost", "error", When.ARRIVED, operations=("uploadVoiceFile",),
    providers=(PROVIDER_ID,), present="content",
    source="Upload Voice Recording File (NXCloud wiki): content is Base64, sent URL-encoded",
)  # fmt: skip
def base64_plus_lost(context: RuleContext) -> Iterator[str]:
    """A voice file was uploaded as Base64 whose plus signs became blanks.

    Base64 uses `+`, and a form reads an unencoded `+` as a blank. The file arrives damaged, or not at all.

    How to fix it: percent-encode the value (`%2B`), as the page's own sample does.
    """
    if _BLANK_IN_BASE64.search(context.request.text("content")):
        yield "content has blanks where Base64 has plus signs"


def charge(fields: Mapping[str, Any]) -> Decimal | None:
    """The cost of a call in a voice receipt or a row: cycles times price, or the base fee of a failed call."""
    try:
        size, price = int(fields["size"]), Decimal(str(fields["customer_price"]))
        if size == 0 and int(fields["second"]) == 0:
            return Decimal(str(fields.get("basic_price") or 0))
    except (KeyError, ValueError, TypeError, InvalidOperation):
        return None
    return size * price


_PAGES = Pages("page", "page_size", lambda payload: at(payload, "info", "total", of=int))

GRADING = Grading(
    operation="gpsend",
    identity="messageid",
    cause=("hangup_cause", "MEDIA_PATH_LOST"),
    words={"result": "成功接通"},
    customer={"ext": "a&b=c d+e%20"},
    customer_operation="versend",
    empty="ivr_result",
    others=("versend", "notsend"),
    encodings={"form": "sibling pages: accounts of after May 2023 get the fields as a form in the body"},
    older={"receipt_revision": "2022", "language": "zh"},  # the Chinese page of 2022
    news=LateNews("makecall", "cdr", "in_call", "sessionid", {"username": "nx-agent"}),
)

CONTRACT = Contract(
    grading=GRADING,
    refusals=frozenset({
        "auth_failed", "auth_failed_1", "app_unavailable", "token_unknown", "token_expired",
        "signature_invalid", "timestamp_expired",
    }),
    limited=frozenset({"rate_limited", "frequency_limited"}),
    temporary=frozenset({
        "system_error", "request_failed", "insufficient_balance", "route_unavailable", "ip_not_allowed",
        "account_disabled", "data_stale", "data_error", "username_locked",
    }),
    paces={
        "getVoiceCdr": Pace(1, SECOND, _RECORDS),
        "getSipCdr": Pace(1, 2 * SECOND, f"{_AGENT_RECORDS}: one request per 2 s and address",
        by_address=True), "getSipCdrByOrderid": Pace(1, SECOND, f"{_AGENT_RECORDS}: one request per second"),
    },
    pages={"getVoiceCdr": _PAGES, "getSipCdr": _PAGES},
    uses_token=frozenset({"makecall"}),
    token_source="Agent API V1.0 (NXCloud wiki): the token lasts 1200 s",
    causes=tuple(CAUSE_NAMES.values()),
    rules=(task_time_without_zone, base64_plus_lost),
    charge=charge,
    rows={"getVoiceCdr": lambda payload: payload["info"]["rows"]},
)  # fmt: skip
