"""createVoiceNotification, both versions: checks in a fixed order, then one call.

Sources: "Creating a Voice Outbound Call" V1.0.0 and V2.0.0 (cec_07_1311, cec_07_1312), "Creating a Voice
Notification" V1.0.0 and V2.0.0 (cec_07_2801, cec_07_2802). The tables of codes give no order of checks;
:data:`ORDER_V2` and :data:`ORDER_V1` are this emulator's, fixed and documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import MILLISECOND, SECOND
from voice_emulator.core.placing import NO_DETAILS, ReceiptPlan, Submission
from voice_emulator.core.scenario import Retry
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.huawei_cec.callback_urls import check_trusted, is_legible, read_callback_url
from voice_emulator.providers.huawei_cec.errors import CREATE_V1
from voice_emulator.providers.huawei_cec.fields import body_of, check_body, code_of, text_of
from voice_emulator.providers.huawei_cec.playlist import (
    check_play_list,
    check_voice_content,
    has_files,
    spoken_content,
    spoken_play_list,
)
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID
from voice_emulator.providers.huawei_cec.settings import access_codes
from voice_emulator.providers.request import JSON_TYPE, Problem, Reply, Request
from voice_emulator.schemas.validate import Violation

_FIRST = ("method", "401", "403", "encoding", "malformed")
ORDER_V2 = (
    *_FIRST, "5", "11", "12", "15", "13", "14", "17", "22", "23", "18", "19", "20", "21",
    "10", "7", "36", "9", "16", "6", "1",
)  # fmt: skip
ORDER_V1 = (*_FIRST, "5", "8", "2", "7", "36", "9", "16", "6", "1")

_CODES = {
    "called": "5", "playList": "11", "callBackUrl": "9", "callerPresent": "7", "playTimes": "10",
    "priority": "36", "voiceContent": "8", "callData": "2",
}  # fmt: skip

#: Serial numbers per millisecond: the six digits after the thirteen of the time.
_SERIALS = 10**6


def called_numbers(request: Request) -> Sequence[str]:
    """The called number, also of a bad request."""
    called = text_of(request, "called")
    return (called,) if called else ()


def explain(request: Request, violation: Violation) -> Problem:
    """The result code of a schema violation; inside playList it depends on the member."""
    code = code_of(violation, _CODES)
    if code == "11":
        code = _inside_play_list(violation)
    return Problem(code, violation.message, violation.pointer)


def _inside_play_list(violation: Violation) -> str:
    parts = violation.pointer.split("/")[2:]
    if not parts:
        return "11"
    if "templateParams" not in parts:
        return "12"
    if len(parts) == 2:
        return "15"
    return "13" if violation.keyword == "maxLength" else "14"


def check_v2(request: Request) -> list[Problem]:
    """What the schema of V2 cannot check."""
    return [
        *check_body(request), *check_play_list(request), *_check_account(request),
        *_check_types(request, (("playTimes", str, "10"), ("priority", (int, float), "36"))),
    ]  # fmt: skip


def check_v1(request: Request) -> list[Problem]:
    """What the schema of V1 cannot check."""
    return [
        *check_body(request), *check_voice_content(request), *_check_account(request),
        *_check_types(request, (("priority", (int, float), "36"),)),
    ]  # fmt: skip


def _check_types(request: Request, tolerated: tuple[tuple[str, Any, str], ...]) -> Sequence[Problem]:
    """Under strict types playTimes is a number and priority text, as the tables of parameters say."""
    if request.settings["lenient_types"]:
        return ()
    body = body_of(request)
    return [
        Problem(code, f"{name} has a JSON type that is merely tolerated", f"/{name}")
        for name, types, code in tolerated
        if isinstance(body.get(name), types)
    ]


def _check_account(request: Request) -> Iterator[Problem]:
    """Caller, callback URL, and what the account allows."""
    settings = request.settings
    if not _may_show(request, settings):
        yield Problem("7", "callerPresent is not an access code of the tenant", "/callerPresent")
    value = text_of(request, "callBackUrl")
    if value and is_legible(value):
        try:
            # Kept for the submission.
            url = request.scratch["callback_url"] = read_callback_url(value, settings["callback_url_form"])
            check_trusted(url, settings["callback_trustlist"])
        except ValueError as error:
            yield Problem("9", f"callBackUrl {error}", "/callBackUrl")
    called = text_of(request, "called")
    trial = settings["trial_allow_list"]
    if trial is not None and called and called not in trial:
        yield Problem("16", "the number is not on the trial tenant's allow-list", "/called")
    if settings["vdn"] != "enabled":
        yield Problem("6", f"the VDN is {settings['vdn']}")
    if settings["one_open_call_per_number"] and called and _has_open_call(request.tenant, called):
        yield Problem("1", "a call to this number has not ended yet", "/called")


def _may_show(request: Request, settings: Mapping[str, Any]) -> bool:
    """An access code, or 11 to 14 digits with caller number transparency; any number without access codes."""
    caller = text_of(request, "callerPresent")
    codes = access_codes(request.credentials, settings)
    if not caller or not codes or caller in codes:
        return True
    digits = caller.isascii() and caller.isdigit() and 11 <= len(caller) <= 14
    return bool(settings["caller_transparency"] and digits)


def _has_open_call(tenant: Tenant, called: str) -> bool:
    return any(call.number == called and not call.ended for call in tenant.ledger.of_provider(PROVIDER_ID))


def submit(request: Request) -> Submission:
    """One call. Its release event goes to the URL of the request, or else to the configured one."""
    settings = request.settings
    shown = text_of(request, "callerPresent")
    if not shown:
        codes = access_codes(request.credentials, settings)
        shown = codes[0] if codes else settings["shown_caller"]
    operation = request.operation_name
    spoken: tuple[str, ...] | None = None
    if has_files(request):
        # What is played, for the views of the call, where the catalogue knows it.
        spoken = tuple(spoken_content(request) if operation == CREATE_V1 else spoken_play_list(request))
    return _submission(
        operation, shown, request.scratch.get("callback_url"), spoken, settings["release_attempts"],
        settings["release_interval"],
    )  # fmt: skip


@lru_cache(maxsize=1_000)
def _submission(
    operation: str, caller: str, url: str | None, spoken: tuple[str, ...] | None, attempts: int, seconds: int
) -> Submission:
    """The submission, shared by all requests with the same caller, content and receiver."""
    return Submission(
        provider=PROVIDER_ID,
        operation=operation,
        caller=caller,
        kind="voice_notification",
        receipts=_release(attempts, seconds),
        wants_keys=False,
        callback_url=url,
        details=NO_DETAILS if spoken is None else {"spoken": list(spoken)},
    )


@lru_cache(maxsize=100)
def _release(attempts: int, seconds: int) -> tuple[ReceiptPlan, ...]:
    """The one receipt of every call."""
    return (ReceiptPlan("release", retry=Retry((seconds * SECOND,) * (attempts - 1))),)


def serial_number(tenant: Tenant, request: Request, call: Call, index: int) -> str:
    """A 19-digit serial number that grows with time, as the samples' do."""
    ledger = tenant.ledger
    # Drawn from the call's id. Two tenants may share a serial number, two calls of one tenant may not.
    high, low = request.now // MILLISECOND * _SERIALS, int(call.id, 16) % _SERIALS
    while ledger.named(PROVIDER_ID, serial := str(high + low)) is not None:
        low = (low + 1) % _SERIALS
    ledger.name(call, serial)
    return serial


def answer(request: Request, calls: Sequence[Call]) -> Reply:
    """The serial number of the accepted call."""
    if calls:
        serial = calls[0].provider_id
    else:
        # A rule prevents the call: the client gets a number, and nothing follows.
        serial = request.tenant.ids.increasing("callSerialNo", request.now, 6, *request.key)
    payload = {"retMsg": "Created successfully.", "retCode": "0", "result": {"callSerialNo": serial}}
    # Not encoded by a library: this is the most frequent reply, and a serial number is digits.
    body = f'{{"retMsg":"Created successfully.","retCode":"0","result":{{"callSerialNo":"{serial}"}}}}'
    return Reply(200, body.encode(), JSON_TYPE, "0", payload=payload)
