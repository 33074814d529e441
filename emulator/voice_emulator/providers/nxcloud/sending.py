"""gpsend, notsend, versend: their checks and their calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone

from voice_emulator.core.billing import Tariff
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import MILLISECOND, SECOND, rfc3339
from voice_emulator.core.placing import ReceiptPlan, Submission
from voice_emulator.core.plan import NO_LIMITS, Limits
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.nxcloud.access import check_outage
from voice_emulator.providers.nxcloud.account import PROVIDER_ID, account_of
from voice_emulator.providers.nxcloud.balance import left_to_spend
from voice_emulator.providers.nxcloud.errors import BATCH
from voice_emulator.providers.nxcloud.files import base_url, is_known_file
from voice_emulator.providers.nxcloud.replies import accepted
from voice_emulator.providers.request import Problem, Reply, Request
from voice_emulator.schemas.validate import Violation

#: Space of the ids in the directory.
MESSAGEIDS = "nx-messageid"

#: Which of several problems the reply reports. No page states an order: cheap checks come first, money last.
ORDER = (
    "method", "malformed", "encoding", "invalid_parameter", "auth_failed", "ip_not_allowed",
    "country_code_invalid", "invalid_number", "batch_too_large", "display_number_invalid",
    "display_number_too_long", "url_unknown", "file_error", "content_illegal", "content_too_long",
    "time_zone_missing", "task_time_past", "frequency_limited", "rate_limited", "route_unavailable",
    "insufficient_balance", "request_failed", "system_error",
)  # fmt: skip

_KINDS = {"gpsend": "group", "notsend": "notification", "versend": "verification"}
_FIELD_CODES = {"phone": "invalid_number", "country_code": "country_code_invalid", "url": "url_unknown"}
_GROUP, _VOICE = (ReceiptPlan("group"),), (ReceiptPlan("voice"),)


def numbers(request: Request) -> Sequence[str]:
    """The called numbers, also of a bad request."""
    return [number for number in request.text("phone").split(",") if number]


def explain(request: Request, violation: Violation) -> Problem:
    """Which code a schema violation has. An absent or empty required field is always code 2."""
    field = violation.field
    if violation.keyword == "required":
        code = "invalid_parameter"
    elif field == "content":
        code = "content_illegal"
    elif violation.value == "":
        code = "invalid_parameter"
    elif field == "show_phone":
        code = _bad_show_phone(request)
    else:
        code = _FIELD_CODES.get(field, "invalid_parameter")
    return Problem(code, violation.message, violation.pointer)


def check(request: Request) -> Iterable[Problem]:
    """All checks beyond the schema, which reports missing and malformed fields."""
    operation = request.operation_name
    yield from _check_numbers(request, operation)
    yield from _check_show_phone(request)
    yield from _check_content(request, "content" if operation != "gpsend" else "msg_content")
    if operation == "gpsend":
        yield from _check_url(request)
        yield from _check_schedule(request)
    elif operation == "versend":
        yield from _check_frequency(request)
    elif request.settings["notsend_lang"] == "required" and not request.text("lang"):
        yield Problem("invalid_parameter", "is required and missing", "/lang")
    yield from _check_balance(request, operation)
    yield from check_outage(request)


def submit(request: Request) -> Submission:
    """The calls an accepted request asks for."""
    operation = request.operation_name
    settings, kind = request.settings, _KINDS[operation]
    messageid = _new_messageid(request)
    request.scratch["messageid"] = messageid
    account = account_of(request.tenant)
    account.kinds[messageid] = kind
    if kind == "verification":
        account.count_verification(request.text("phone"), request.now)
    hangup = int(request.text("sched_hangup") or 0) if kind == "group" else 0
    return Submission(
        provider=PROVIDER_ID,
        operation=operation,
        caller=request.text("show_phone"),
        kind=kind,
        receipts=_GROUP if kind == "group" else _VOICE,
        tariff=_tariff(request, kind),
        limits=Limits(talk=hangup * SECOND) if hangup else NO_LIMITS,
        start_at=_start_at(request) if kind == "group" else None,
        wants_keys=kind == "group",
        batch_id=messageid,
        details={
            "country": request.text("country_code"),
            "ext": request.text("ext"),
            "base": base_url(request),
            "limit_cause": settings["sched_hangup_cause"],
        },
    )


def call_id(tenant: Tenant, request: Request, call: Call, index: int) -> str:
    """The messageid of one call, with its own suffix if the account is set to that."""
    batch = call.batch_id
    if call.submission.kind != "agent" and len(request.numbers) > 1 and request.settings["messageid_suffix"]:
        return f"{batch}-{tenant.ids.drawn_integer(10**10, PROVIDER_ID, 'suffix', call.id):010d}"
    return batch


def answer(request: Request, calls: Sequence[Call]) -> Reply:
    """The id of the submission."""
    messageid = request.scratch.get("messageid")
    return accepted(request, messageid if isinstance(messageid, str) else _new_messageid(request))


def _new_messageid(request: Request) -> str:
    ids = request.tenant.ids
    if request.settings["messageid_form"] == "hex":
        return ids.hexadecimal(MESSAGEIDS, 32, *request.key)
    millis = request.now // MILLISECOND
    return ids.unique(
        MESSAGEIDS, lambda n: ids.drawn_hexadecimal(16, MESSAGEIDS, *request.key, n) + f"{millis:013d}"
    )


def _tariff(request: Request, kind: str) -> Tariff:
    family = "tariff" if kind == "group" else "voice_tariff"
    by_country: dict[str, Tariff] = request.settings[f"{family}s"]
    found: Tariff = by_country.get(request.text("country_code")) or request.settings[family]
    return found


def _check_numbers(request: Request, operation: str) -> Iterable[Problem]:
    limit = request.settings["notsend_batch_limit" if operation == "notsend" else "batch_limit"]
    if operation in BATCH and len(request.numbers) > limit:
        code = "batch_too_large" if request.settings["batch_limit_code"] == "7" else "invalid_parameter"
        yield Problem(code, f"{len(request.numbers)} numbers, at most {limit}", "/phone")
    routes = request.settings["routes"]
    country = request.text("country_code")
    if routes and country and country not in routes:
        yield Problem("route_unavailable", f"no route to country code {country[:20]}", "/country_code")


def _bad_show_phone(request: Request) -> str:
    return "display_number_too_long" if request.settings["dialect"] == "message" else "display_number_invalid"


def _check_show_phone(request: Request) -> Iterable[Problem]:
    shown, limit = request.text("show_phone"), request.settings["show_phone_max"]
    code = _bad_show_phone(request)
    if limit is not None and len(shown) > limit:
        yield Problem(code, f"show_phone has {len(shown)} digits, at most {limit}", "/show_phone")
    own = request.settings["show_phones"]
    if own and shown and shown not in own:
        yield Problem(code, f"{shown[:60]} is not in show_phones", "/show_phone")


def _check_content(request: Request, field: str) -> Iterable[Problem]:
    content = request.text(field)
    if not content:
        return
    if not content.strip() and field == "content":
        yield Problem("content_illegal", "is blank", f"/{field}")
    if len(content) > (limit := request.settings["content_max"]):
        yield Problem("content_too_long", f"{len(content)} characters, at most {limit}", f"/{field}")
    folded = content.casefold()
    for word in request.settings["illegal_keywords"]:
        if word.casefold() in folded:
            yield Problem("content_illegal", f"contains the illegal keyword {word!r}", f"/{field}")


def _check_url(request: Request) -> Iterable[Problem]:
    url, settings = request.text("url"), request.settings
    if not url:
        return
    if url in settings["broken_files"]:
        code = "file_error" if settings["dialect"] == "message" else "url_unknown"
        yield Problem(code, "the file is in broken_files", "/url")
    elif (known := settings["voice_files"]) and url not in known and not is_known_file(request.tenant, url):
        yield Problem("url_unknown", "the file is neither in voice_files nor uploaded", "/url")


def _check_schedule(request: Request) -> Iterable[Problem]:
    if not request.text("task_time"):
        return
    says_so = request.settings["dialect"] == "message"
    if not _time_zone(request):
        if says_so:
            yield Problem("time_zone_missing", "task_time needs time_zone", "/time_zone")
        return
    try:
        start = _start_at(request)
    except (ValueError, OverflowError) as error:
        yield Problem("invalid_parameter", str(error), "/task_time")
        return
    if start is not None and start <= request.now:
        code = "task_time_past" if says_so else "invalid_parameter"
        yield Problem(code, f"{request.text('task_time')} is not after {rfc3339(request.now)}", "/task_time")


def _time_zone(request: Request) -> str:
    return request.text("time_zone") or request.text("task_zone")


def _start_at(request: Request) -> int | None:
    """The instant to dial; None for at once. Without time_zone the task_time is ignored.

    Raises ValueError for an invalid date.
    """
    text, zone = request.text("task_time"), _time_zone(request)
    if not text or not zone:
        return None
    # fromisoformat also accepts other spellings, which the schema refuses.
    local = datetime.fromisoformat(text).replace(tzinfo=timezone(timedelta(hours=int(zone))))
    return (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _check_frequency(request: Request) -> Iterable[Problem]:
    account, settings = account_of(request.tenant), request.settings
    per_hour, per_second = settings["frequency_limit"], settings["tps_limit"]
    number = request.text("phone")
    if per_hour is not None and account.sends_this_hour(number, request.now) >= per_hour:
        yield Problem(
            "frequency_limited", f"{number[:20]} has reached its limit of {per_hour} per hour", "/phone"
        )
    if per_second is not None and account.requests_this_second(request.now) >= per_second:
        yield Problem("rate_limited", f"more than {per_second} requests in this second")


def _check_balance(request: Request, operation: str) -> Iterable[Problem]:
    price = _tariff(request, _KINDS[operation]).price
    left = left_to_spend(request.tenant, price)
    needed = len(request.numbers) * price
    if left is not None and left < needed:
        yield Problem("insufficient_balance", f"{needed} is needed for one cycle each, {left} is left")
