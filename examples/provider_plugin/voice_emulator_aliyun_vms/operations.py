"""SingleCallByTts, SingleCallByVoice and QueryCallDetailByCallId."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import HOUR, MILLISECOND, MINUTE, SECOND, moment, wall_text
from voice_emulator.core.placing import Batch, ReceiptPlan, Submission
from voice_emulator.core.scenario import Retry
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.kit.tables import operations
from voice_emulator.providers.request import Header, Operation, Problem, Reply, Request, compact_json
from voice_emulator.schemas.validate import Violation
from voice_emulator_aliyun_vms.access import ID, action_of, authenticate, identify, state_of
from voice_emulator_aliyun_vms.errors import REQUIRED, reply, request_id
from voice_emulator_aliyun_vms.receipts import cause_of

DAY = 24 * HOUR
#: Calls to one number within a time ("Throttling FAQ"); each window opens with its first call.
LIMITS = ((1, MINUTE), (5, HOUR), (20, DAY))
#: Which products' records show a call, by how it was made. For TTS the page names two.
PRODUCTS = {"tts": ("11010000138001", "11000000300006"), "voice": ("11000000300006",)}


def select(request: Request) -> str | Problem:
    """The operation that the request names."""
    action = action_of(request)
    return (
        action
        if action in OPERATIONS
        else Problem("InvalidApi.NotFound", f"there is no action {action[:60]!r}", "/Action")
    )


def explain(request: Request, violation: Violation) -> Problem:
    """A missing parameter has a code of its own, and so has a number."""
    name = violation.pointer.strip("/")
    if name in REQUIRED and request.fields.get(name) is None:
        return Problem(f"Missing{name}", violation.message, violation.pointer)
    if name == "CalledNumber":
        return Problem("isv.MOBILE_NUMBER_ILLEGAL", violation.message, violation.pointer)
    return Problem("isv.INVALID_PARAMETERS", violation.message, violation.pointer)


# --- calls ----------------------------------------------------------------------------------------


def check_call(request: Request) -> Iterable[Problem]:
    """What no schema says: the variables of a template, the length of OutId, how often a number may be called."""
    variables, out_id = request.text("TtsParam"), request.text("OutId")
    if len(variables) >= 250:
        yield Problem("isv.PARAM_LENGTH_LIMIT", "TtsParam must be shorter than 250 characters", "/TtsParam")
    elif variables:
        try:
            parsed = json.loads(variables)
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict):
            yield Problem("isv.TEMPLATE_PARAMS_ILLEGAL", "TtsParam is not a JSON object", "/TtsParam")
        elif "://" in variables:
            yield Problem("isv.PARAM_NOT_SUPPORT_URL", "TtsParam contains a URL", "/TtsParam")
    limit = request.settings["out_id_limit"]
    if limit and len(out_id.encode("utf-8", "surrogatepass")) > limit:
        yield Problem("isv.PARAM_LENGTH_LIMIT", f"OutId has more than {limit} bytes", "/OutId")
    if request.settings["throttle"] and any(count >= most for most, _, _, count in _windows(request)):
        yield Problem("isv.BUSINESS_LIMIT_CONTROL", "too many calls to this number", "/CalledNumber")


def _windows(request: Request) -> Iterable[tuple[int, int, int, int]]:
    """For each limit: how many calls, its length, when the window in force opened, and calls in it."""
    known, number = state_of(request.tenant).windows, request.text("CalledNumber")
    for most, span in LIMITS:
        opened, count = known.get((number, span), (request.now, 0))
        yield (most, span, request.now, 0) if request.now >= opened + span else (most, span, opened, count)


def submit(kind: str, request: Request) -> Submission:
    """One call; the account's settings say how its receipt is pushed."""
    settings, number = request.settings, request.text("CalledNumber")
    for _, span, opened, count in list(_windows(request)):
        state_of(request.tenant).windows[number, span] = (opened, count + 1)
    digits = request.tenant.ids.increasing("aliyun_vms call", request.now, 10, *request.key)
    plan = ReceiptPlan(
        "VoiceReport",
        retry=Retry(tuple(int(gap) * SECOND for gap in settings["retry_gaps"])),
        batch=Batch(settings["batch_maximum"], settings["batch_wait"] * MILLISECOND),
    )
    return Submission(
        ID,
        request.operation_name,
        caller=request.text("CalledShowNumber") or settings["shared_caller"],
        kind=kind,
        receipts=(plan,),
        batch_id=f"{digits[:12]}^{digits[12:]}",
        details={"out_id": request.text("OutId")},
    )


def call_id(tenant: Tenant, request: Request, call: Call, index: int) -> str:
    """The CallId, by which the query finds the call again."""
    tenant.ledger.name(call, call.batch_id)
    return call.batch_id


def called(request: Request, calls: Sequence[Call]) -> Reply:
    """Accepted, not answered: the outcome comes later."""
    payload = _ok(request)
    if calls:
        payload["CallId"] = calls[0].provider_id
    return reply(request, payload, "OK")


def _ok(request: Request) -> dict[str, Any]:
    return {"RequestId": request_id(request), "Code": "OK", "Message": "OK"}


# --- the record query -----------------------------------------------------------------------------


def detail(request: Request, calls: Sequence[Call]) -> Reply:
    """The record of one call: a text that holds JSON. A wrong product or day gives no Data, and is not an error."""
    call = request.tenant.ledger.named(ID, request.text("CallId"))
    payload = _ok(request)
    if call is None or not _is_shown(request, call):
        return reply(request, payload, "OK")
    return reply(request, {**payload, "Data": compact_json(_record(call))}, "OK", shown_calls=(call,))


def _is_shown(request: Request, call: Call) -> bool:
    wanted = int(request.text("QueryDate")) * MILLISECOND
    same_day = moment(wanted, 8).date() == moment(call.submitted_at, 8).date()
    known_from = (call.ended_at or 0) + request.settings["lag"] * SECOND
    return (
        call.ended
        and request.text("ProdId") in PRODUCTS[call.submission.kind]
        and (same_day or 0 <= call.submitted_at - wanted < DAY)
        and request.now >= max(known_from, call.query_from or 0)
    )


def _record(call: Call) -> dict[str, Any]:
    def at(instant: int | None) -> str:
        return wall_text(instant, 8) if instant is not None else ""

    return {
        "callId": call.provider_id,
        "caller": call.caller,
        "callee": call.number,
        "callerShowNumber": call.caller,
        "calleeShowNumber": call.number,
        "gmtCreate": at(call.submitted_at),
        "startDate": at(call.answered_at),
        "endDate": at(call.ended_at),
        "duration": call.talk_seconds,
        "state": cause_of(call),
        "stateDesc": "执行完成",
        "bRingTime": at(call.ring_at),
        "bStartTime": at(call.answered_at),
        "bEndTime": at(call.ended_at),
    }


# --- the table ------------------------------------------------------------------------------------

HEADERS = (
    Header("x-acs-action", "The operation; with the newer signature only.", example="SingleCallByTts"),
    Header("x-acs-version", "2017-05-25; with the newer signature only.", example="2017-05-25"),
    Header("x-acs-date", "UTC, as 2026-01-05T01:00:00Z; with the newer signature only."),
    Header("x-acs-signature-nonce", "Unique per request; with the newer signature only."),
    Header(
        "x-acs-content-sha256", "Lower-case hexadecimal SHA-256 of the body; with the newer signature only."
    ),
    Header("Authorization", "ACS3-HMAC-SHA256 Credential=...,SignedHeaders=...,Signature=...", secret=True),
)
operation = partial(
    Operation,
    accepts=frozenset({"query", "urlencoded"}),
    identify=identify,
    authenticate=authenticate,
    explain=explain,
    methods=frozenset({"GET", "POST"}),
    headers=HEADERS,
)
call = partial(
    operation,
    check=check_call,
    numbers=lambda request: [request.text("CalledNumber")] if request.text("CalledNumber") else [],
    answer=called,
    receipts=("VoiceReport",),
)
OPERATIONS = operations(
    ID,
    call("SingleCallByTts", "Call a number and read a template to it", "SingleCallByTts (393519)",
         submit=partial(submit, "tts")),
    call("SingleCallByVoice", "Call a number and play a file to it", "SingleCallByVoice (393517, 114036)",
         submit=partial(submit, "voice")),
    operation("QueryCallDetailByCallId", "Show the record of one call", "QueryCallDetailByCallId (393529)",
              answer=detail, queries_calls=True),
)  # fmt: skip
