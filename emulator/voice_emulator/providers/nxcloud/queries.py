"""Record queries and the fill report: getVoiceCdr, getSipCdr, getSipCdrByOrderid, conversion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import DAY, SECOND, parse_wall_text
from voice_emulator.providers.kit.access import by_issued
from voice_emulator.providers.nxcloud.access import check_outage
from voice_emulator.providers.nxcloud.account import PROVIDER_ID, account_of
from voice_emulator.providers.nxcloud.agent import phone_account
from voice_emulator.providers.nxcloud.records import VoiceRecord, agent_row
from voice_emulator.providers.nxcloud.replies import listed, one_page
from voice_emulator.providers.nxcloud.sending import MESSAGEIDS
from voice_emulator.providers.request import Problem, Reply, Request, json_reply

VOICE_ORDER = (
    "method", "malformed", "encoding", "invalid_parameter", "auth_failed", "ip_not_allowed",
    "page_invalid", "time_invalid", "rate_limited", "system_error",
)  # fmt: skip
SIP_ORDER = (
    "method", "malformed", "encoding", "invalid_parameter", "auth_failed", "username_unknown",
    "page_invalid", "time_invalid", "rate_limited", "system_error",
)  # fmt: skip
CONVERSION_ORDER = (
    "method", "malformed", "encoding", "invalid_parameter", "messageid_unknown", "system_error",
)  # fmt: skip

#: getSipCdr and getSipCdrByOrderid show calls this far back (the pages say so).
_SIP_LOOKBACK = 15 * DAY


def _ended(request: Request, wanted: Callable[[Call], bool]) -> list[Call]:
    """The calls whose records are available now, in the order they ended."""
    now = request.now
    return sorted(
        (
            call
            for call in request.tenant.ledger.of_provider(PROVIDER_ID)
            if call.record and (call.query_from is None or call.query_from <= now) and wanted(call)
        ),
        key=lambda call: call.record,
    )


def _span(request: Request) -> tuple[int, int] | None:
    """First and last instant, both included; None for an invalid date or the wrong order."""
    offset = request.settings["utc_offset"]
    try:
        first = parse_wall_text(request.text("start_time"), offset)
        last = parse_wall_text(request.text("end_time"), offset)
    except ValueError:
        return None
    return (first, last + SECOND - 1) if first <= last else None


def _check_span(request: Request, *, limited: bool, days: int) -> Iterable[Problem]:
    if not request.text("start_time") or not request.text("end_time"):
        return
    span = _span(request)
    if span is None:
        yield Problem("time_invalid", "start_time and end_time must be times, in this order", "/start_time")
    elif limited and span[1] - span[0] > DAY + SECOND:
        yield Problem("time_invalid", "the span is longer than 24 hours", "/end_time")
    elif limited and span[0] < request.now - days * DAY:
        yield Problem("time_invalid", f"start_time is more than {days} days ago", "/start_time")


def _check_rate(request: Request, client: str, seconds: int) -> Iterable[Problem]:
    if not request.settings["query_rate_limits"]:
        return
    last = account_of(request.tenant).last_query(request.operation_name, client)
    if last is not None and request.now - last < seconds * SECOND:
        yield Problem("rate_limited", f"asked again within {seconds} s")


def _count(request: Request, client: str) -> None:
    account_of(request.tenant).count_query(request.operation_name, client, request.now)


def _shown(request: Request, found: Sequence[Call], row: Callable[[Call], dict[str, Any]]) -> Reply:
    """The page asked for."""
    reply = listed(request, "1", found, row)
    reply.shown_calls = one_page(request, found)
    return reply


# --- getVoiceCdr ------------------------------------------------------------------------------


def check_voice(request: Request) -> Iterable[Problem]:
    """Span, look-back and rate, where the account's settings are strict about them."""
    settings = request.settings
    yield from check_outage(request)
    if settings["cdr_messageid_required"] and not request.text("messageid"):
        yield Problem("invalid_parameter", "is required and missing", "/messageid")
    yield from _check_span(request, limited=settings["strict_queries"], days=settings["lookback_days"])
    yield from _check_rate(request, request.text("appkey"), 1)


def answer_voice(request: Request, calls: Sequence[Call]) -> Reply:
    """The records of ended calls of one voice type, in the order they ended."""
    _count(request, request.text("appkey"))
    span = _span(request) or (0, 0)
    group, messageid = request.text("voiceType") == "0", request.text("messageid")

    def wanted(call: Call) -> bool:
        kind, at = call.submission.kind, call.dialled_at or 0
        return (
            (kind == "group") is group
            and kind != "agent"
            and span[0] <= at <= span[1]
            and (not messageid or messageid in (call.batch_id, call.provider_id))
        )

    return _shown(request, _ended(request, wanted), lambda call: VoiceRecord(request.tenant, call).row())


# --- getSipCdr, getSipCdrByOrderid ------------------------------------------------------------


def check_sip(request: Request) -> Iterable[Problem]:
    """At most 24 hours, at most 15 days ago, at most one query in two seconds from one address."""
    yield from check_outage(request)
    username = request.text("username")
    if username and phone_account(request.tenant, username) is None:
        yield Problem("username_unknown", f"there is no phone account {username[:80]!r}", "/username")
    yield from _check_span(request, limited=True, days=15)
    yield from _check_rate(request, request.peer, 2)


def answer_sip(request: Request, calls: Sequence[Call]) -> Reply:
    """The records of ended agent calls, in the order they ended."""
    _count(request, request.peer)
    span = _span(request) or (0, 0)
    username, direction = request.text("username"), request.text("direction")

    def wanted(call: Call) -> bool:
        return (
            call.submission.kind == "agent"
            and span[0] <= (call.dialled_at or 0) <= span[1]
            and (not username or call.submission.details["username"] == username)
            and direction != "0"  # agents only call out here
        )

    return _shown(request, _ended(request, wanted), lambda call: agent_row(request.tenant, call))


def check_by_orderid(request: Request) -> Iterable[Problem]:
    """At most one query a second."""
    yield from check_outage(request)
    yield from _check_rate(request, request.text("appkey"), 1)


def answer_by_orderid(request: Request, calls: Sequence[Call]) -> Reply:
    """The records of those order ids; unknown ones are ignored."""
    _count(request, request.text("appkey"))
    given = request.fields["orderid"]
    orderids = frozenset(str(given).split(","))
    oldest = request.now - _SIP_LOOKBACK

    def wanted(call: Call) -> bool:
        submission = call.submission
        return (
            submission.kind == "agent"
            and submission.details["orderid"] in orderids
            and call.submitted_at >= oldest
        )

    found = _ended(request, wanted)
    rows = [agent_row(request.tenant, call) for call in found]
    for row in rows:
        del row["mobile_name"]
    return json_reply({"code": "0", "row": rows}, code="0", shown_calls=found)


# --- conversion -------------------------------------------------------------------------------


#: The operation has no credential.
by_messageid = by_issued("messageid", MESSAGEIDS)


def check_conversion(request: Request) -> Iterable[Problem]:
    """The messageid must be one of a verification call (setting ``conversion_of``)."""
    yield from check_outage(request)
    messageid = request.text("messageid")
    if not messageid:
        return
    kind = account_of(request.tenant).kinds.get(messageid)
    if kind is None or (kind != "verification" and request.settings["conversion_of"] == "versend"):
        message = f"no verification call has the messageid {messageid[:80]!r}"
        yield Problem("messageid_unknown", message, "/messageid")


def answer_conversion(request: Request, calls: Sequence[Call]) -> Reply:
    """Remember the report."""
    account_of(request.tenant).filled[request.text("messageid")] = request.fields["status"]
    return json_reply({"code": "success", "info": "success"}, code="success")
