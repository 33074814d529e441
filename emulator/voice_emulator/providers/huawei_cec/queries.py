"""Records, state and recordings of calls.

Sources: "Querying Call Detail Records" (cec_07_1305, cec_07_0054), "Querying the Call State" (cec_07_1306,
cec_07_0055), "Obtaining the Recording Download Address" (cec_07_1307, cec_07_0056).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import DAY, MILLISECOND, SECOND
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.huawei_cec.errors import (
    RECORDS,
    STATE,
    STORE_TROUBLES,
    business_reply,
    gateway_reply,
)
from voice_emulator.providers.huawei_cec.fields import (
    MALFORMED,
    body_of,
    check_body,
    code_of,
    explain_by,
    text_of,
)
from voice_emulator.providers.huawei_cec.media import CecState
from voice_emulator.providers.huawei_cec.records import (
    PROVIDER_ID,
    call_record,
    call_state,
    is_listed,
    record_file,
    started_at,
)
from voice_emulator.providers.huawei_cec.settings import access_codes
from voice_emulator.providers.kit.access import issued_to
from voice_emulator.providers.kit.audio import alaw_wav
from voice_emulator.providers.kit.replies import file_reply
from voice_emulator.providers.request import Problem, Reply, Request, json_reply
from voice_emulator.schemas.validate import Violation

LONGEST_SPAN = 7 * DAY
LINK_LIFETIME = 300 * SECOND
RECORDING_PATH = "/apiaccess/CC-Management/v1/mobileAgent/recording/"
LONGEST_URL = 200
LINK_SPACE = "cec-recording"
#: Task types whose records are voice notifications: all, and voice notification.
_OUR_TASKS = ("", "0", "3")
_FIRST = ("method", "401", "403", "encoding", "malformed")
ORDER_RECORDS = (*_FIRST, "2", "4", "12", "1")
ORDER_STATE = (*_FIRST, "3", "1")
ORDER_RECORDING = (*_FIRST, "12", "3", "6", "7", "8", "9", "10", "5", "11", "13", "1")

explain_records = explain_by(
    {"startTime": "2", "endTime": "2", "offset": "4", "limit": "4", "caller": "12", "taskType": "1"}
)
explain_state = explain_by({"callSerialNo": "3"})


def explain_recording(request: Request, violation: Violation) -> Problem:
    """Only a serial number longer than 50 characters has a code; a missing one is a bad request."""
    code = code_of(violation, {"callSerialNo": "12"})
    if violation.keyword != "maxLength":
        code = MALFORMED
    return Problem(code, violation.message, violation.pointer)


def check_records(request: Request) -> Iterator[Problem]:
    """The span, and the caller, which must be an access code where some are configured."""
    yield from check_body(request)
    start, end = text_of(request, "startTime"), text_of(request, "endTime")
    if all(text.isascii() and text.isdigit() and len(text) <= 15 for text in (start, end)):
        span = (int(end) - int(start)) * MILLISECOND
        if not 0 <= span <= LONGEST_SPAN:
            yield Problem("2", "endTime must be 0 to 7 days after startTime", "/endTime")
    caller = text_of(request, "caller")
    codes = access_codes(request.credentials, request.settings)
    if caller and codes and caller not in codes:
        yield Problem("12", "caller is not an access code of the tenant", "/caller")


def list_records(request: Request, calls: Sequence[Call]) -> Reply:
    """A page of the records that started within the span, both ends included, oldest first."""
    body = body_of(request)
    first, last = int(body["startTime"]), int(body["endTime"])
    caller = text_of(request, "caller")
    found = []
    if text_of(request, "taskType") in _OUR_TASKS:
        found = [
            call
            for call in request.tenant.ledger.of_provider(PROVIDER_ID)
            if is_listed(call, request.now)
            and first <= started_at(call) // MILLISECOND <= last
            and (not caller or call.caller == caller)
        ]
    if not found:
        return business_reply(RECORDS, "1", "no record was found")
    offset, limit = int(text_of(request, "offset") or 0), int(text_of(request, "limit") or 100)
    shown = found[offset : offset + limit]
    page = [call_record(call) for call in shown]
    payload = {"retCode": "0", "retMsg": "success", "result": {"total": len(found), "callInfo": page}}
    return json_reply(payload, code="0", shown_calls=shown)


def show_state(request: Request, calls: Sequence[Call]) -> Reply:
    """The state of one call."""
    call = request.tenant.ledger.named(PROVIDER_ID, text_of(request, "callSerialNo"))
    if call is None:
        return business_reply(STATE, "1", "the query failed: no such call")
    payload = {"retCode": "0", "retMsg": "success", "result": call_state(call)}
    return json_reply(payload, code="0", shown_calls=[call])


def check_recording(request: Request) -> Iterator[Problem]:
    """The state of the VDN and of the store, then whether there is a recording at all."""
    yield from check_body(request)
    settings = request.settings
    if settings["vdn"] != "enabled":
        yield Problem("3" if settings["vdn"] == "disabled" else "6", f"the VDN is {settings['vdn']}")
    trouble = STORE_TROUBLES.get(settings["recording_store"])
    if trouble is not None:
        yield Problem(trouble, f"the store of recordings: {settings['recording_store']}")
    serial = text_of(request, "callSerialNo")
    if serial and len(serial) <= 50 and _recorded_call(request.tenant, serial) is None:
        yield Problem("5", "no ended, recorded call has this callSerialNo", "/callSerialNo")


def link_recording(request: Request, calls: Sequence[Call]) -> Reply:
    """A link that serves the recording for five minutes of tenant time."""
    tenant = request.tenant
    call = _recorded_call(tenant, text_of(request, "callSerialNo"))
    link = tenant.ids.hexadecimal(LINK_SPACE, 32, *request.key, call.id if call else "")
    if call is not None:
        tenant.account_state(PROVIDER_ID, CecState).links[link] = (call.id, request.now + LINK_LIFETIME)
    url = f"{request.scheme}://{request.host}{RECORDING_PATH}{link}.wav"
    if len(url) > LONGEST_URL:
        # The Host header is too long for the field. Every path is served under every Host.
        url = f"{request.scheme}://service.besclouds.com{RECORDING_PATH}{link}.wav"
    return json_reply({"retCode": 0, "retMsg": "success", "result": {"url": url}}, code="0")


def serve_recording(request: Request) -> Reply:
    """The audio behind a link; unknown and expired links are the gateway's 404."""
    link = request.path.removeprefix(RECORDING_PATH).removesuffix(".wav")
    tenant = issued_to(request, LINK_SPACE, link)
    call = _linked_call(tenant, link) if tenant is not None else None
    if call is None:
        return gateway_reply(404, "the link is unknown or has expired", "404")
    return file_reply(alaw_wav(call.talk_seconds), "audio/wav", code="0")


def _linked_call(tenant: Tenant, link: str) -> Call | None:
    call_id, until = tenant.account_state(PROVIDER_ID, CecState).links.get(link, ("", 0))
    return tenant.ledger.get(call_id) if tenant.now < until else None


def _recorded_call(tenant: Tenant, serial: str) -> Call | None:
    call = tenant.ledger.named(PROVIDER_ID, serial)
    return call if call is not None and call.ended and record_file(tenant, call) is not None else None
