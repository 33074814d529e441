"""VoiceReport: the record of a call that has ended, and what acknowledges its push."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import MINUTE, wall_text
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import Retry
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Outcome, Party
from voice_emulator.providers.kit.pushes import Encoder, by_status, call_of

#: "Carrier response error codes" (55085), for one-way calls; the names are ours.
CAUSES = {
    "heard": "200000", "hung_up_early": "200001", "busy": "200002", "no_answer": "200003", "bad_number": "200004",
    "unreachable_or_refused": "200005", "bad_audio": "200006", "out_of_coverage": "200007", "key_timeout": "200008",
    "powered_off": "200010", "suspended": "200011", "shown_number_not_allowed": "200117", "supplier_hours": "200118",
    "supplier_frequency": "200119", "over_concurrency": "200121", "not_set_up": "9996", "system_error": "999999",
    "carrier_error": "500", "network_busy": "400", "callee_unusable": "482", "number_reclaimed": "476",
}  # fmt: skip
#: Which outcome gets which code is our choice, by the labels.
_CODES = {
    Outcome.ANSWERED: "heard", Outcome.TIME_LIMIT: "heard", Outcome.BUSY: "busy", Outcome.NO_ANSWER: "no_answer",
    Outcome.REJECTED: "unreachable_or_refused", Outcome.UNREACHABLE: "out_of_coverage",
    Outcome.INVALID_NUMBER: "bad_number", Outcome.BARRED: "suspended", Outcome.NETWORK_FAILURE: "carrier_error",
}  # fmt: skip
_HUNG_UP = {"chinese": {True: "用户", False: "机器"}, "english": {True: "User", False: "Machine"}}
#: China time; no page states a zone.
_UTC_OFFSET = 8
#: "HTTP batch push pattern" (214639), read as gaps between attempts.
PUSHED_AGAIN = Retry((MINUTE, 5 * MINUTE, 10 * MINUTE))
ACKNOWLEDGEMENT = '{"code":0,"msg":"接收成功"}'
#: The content type is that of a sibling product: this one's page states none.
ENCODE = Encoder("json", json_type="application/json;charset=utf-8")


def cause_of(call: Call) -> str:
    """The status code of an ended call: the rule's cause, by name or code, or that of its outcome."""
    wanted = call.plan.cause
    if wanted is not None:
        return CAUSES.get(wanted, wanted)
    if call.plan.outcome is Outcome.ANSWERED and call.plan.ended_by is Party.CALLEE:
        return CAUSES["hung_up_early"]
    return CAUSES[_CODES[call.plan.outcome]]


def _time(at: int | None) -> str:
    return wall_text(at, _UTC_OFFSET) if at is not None else ""


def voice_report(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The fields of one receipt; all are text, and what did not happen is left out."""
    call = call_of(push)
    settings, asked = tenant.settings[call.provider], call.submission.details
    times = {
        "originate_time": _time(call.dialled_at),
        "ring_time": _time(call.ring_at),
        "start_time": _time(call.answered_at),
        "end_time": _time(call.ended_at),
    }
    if settings["empty_times"] == "left_out":
        times = {name: text for name, text in times.items() if text}
    fields = {
        "call_id": call.provider_id,
        "out_id": str(asked.get("out_id", "")),
        "status_code": cause_of(call),
        # The sample has this text even beside 200003.
        "status_msg": "执行完成",
        "caller": call.caller,
        "callee": call.number,
        **times,
        "duration": str(call.talk_seconds),
        "voice_type": "voice",
        "hangup_direction": _HUNG_UP[settings["language"]][call.plan.ended_by is Party.CALLEE],
        "toll_type": settings["toll_type"],
        "dtmf": call.keys,
    }
    return {name: text for name, text in fields.items() if text or name not in ("out_id", "dtmf")}


def _code_of(reply: PushReply) -> Any:
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return answer.get("code") if isinstance(answer, Mapping) else None


def judge(reply: PushReply) -> str | None:
    """HTTP 200 and a JSON object with a numeric ``code``, whatever number; nothing else ("HTTP batch push pattern")."""
    wrong = by_status(200)(reply)
    code = _code_of(reply)
    if wrong is None and (isinstance(code, bool) or not isinstance(code, int | float)):
        return f"the answer has no numeric code; expected {ACKNOWLEDGEMENT}"
    return wrong


def tolerate(settings: Mapping[str, Any], reply: PushReply) -> str | None:
    """HTTP 200 alone, where the setting says that it acknowledges."""
    if settings["acknowledgement_code_required"] or reply.status != 200:
        return None
    return "acknowledged by HTTP 200 without a numeric code"
