"""The pushes: voice receipts in the query string or as a form, agent records and states as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Step
from voice_emulator.providers.kit.pushes import FORM_TYPE, Encoder, by_status, call_of
from voice_emulator.providers.kit.tables import receipts
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.records import VoiceRecord, agent_record
from voice_emulator.providers.provider import ReceiptKind

_RECEIPT_PAGE = "Voice Receipt Callback (NXCloud wiki)"
_RECORD_PAGE = "Call Detail Records (CDR) Callback Interface Specification V1.0 (NXCloud wiki)"
_STATUS_PAGE = "Call Status Callback Push Interface V1.0 (NXCloud wiki)"


def voice_fields(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The voice receipt of a call, either block."""
    return dict(VoiceRecord(tenant, call_of(push)).receipt())


def record_fields(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The agent record of a call."""
    return agent_record(tenant, call_of(push))


def status_fields(tenant: Tenant, push: Push) -> dict[str, Any]:
    """A state of an agent call. Only the text of the first is documented."""
    call = call_of(push)
    if push.kind == "in_call":
        return _status(call, 3, call.answered_at, "in call")
    if push.step is Step.DIAL:
        return _status(call, 1, call.dialled_at, "start calling")
    if push.step is Step.ANSWER:
        return _status(call, 2, call.answered_at, "connected")
    return _status(call, 4, call.ended_at, "hang up")


#: POST with the fields in the query string and no body, or as a form.
encode_voice = Encoder(setting="dr_transport", form_type=f"{FORM_TYPE};charset=UTF-8")
#: WebCall CDR callback page: HTTP 200 acknowledges.
judge_agent = by_status(200)


def judge_voice(reply: PushReply) -> str | None:
    """Acknowledged by the body ``success``: case and surrounding blanks do not matter."""
    if not 200 <= reply.status < 300:
        return f"HTTP status {reply.status}"
    if reply.body.strip().lower() == b"success":
        return None
    shown = reply.body[:80].decode("utf-8", "replace")
    return f"answered {shown!r} instead of the text success"


def tolerate_voice(settings: Mapping[str, Any], reply: PushReply) -> str | None:
    """The word as JSON text, in quotes, as a production receiver sends it."""
    if settings["strict_acknowledgement"] or not 200 <= reply.status < 300:
        return None
    try:
        word = json.loads(reply.body[:80])
    except ValueError:
        return None
    if not isinstance(word, str) or word.strip().lower() != "success":
        return None
    return "answered the text success in JSON quotes; the page has it without"


def _status(call: Call, state: int, at: int | None, info: str) -> dict[str, Any]:
    instant = at or 0
    # Five digits after the point, as in the sample.
    time = f"{instant // SECOND}.{instant % SECOND // 10:05d}"
    return {"sessionid": call.provider_id, "state": state, "time": time, "info": info}


_voice = partial(
    ReceiptKind, source=_RECEIPT_PAGE, fields=voice_fields, encode=encode_voice, judge=judge_voice,
    tolerate=tolerate_voice, acknowledgement="success",
    corrupt={
        "unknown_enum": "hangup_cause", "wrong_type": "second", "oversize": "messageid", "empty": "phone",
        "bad_date": "start_time", "negative": "duration", "wrong_id": "messageid", "overcharge": "size",
    },
)  # fmt: skip
_agent = partial(ReceiptKind, encode=Encoder(), judge=judge_agent, acknowledgement="HTTP 200")
_state = partial(
    _agent, source=_STATUS_PAGE, fields=status_fields, schema="nxcloud/status.receipt",
    url_key="nxcloud_status",
)  # fmt: skip

RECEIPTS = receipts(
    PROVIDER_ID,
    _voice("group", "Voice receipt of a group call"),
    _voice("voice", "Voice receipt of a verification or notification call"),
    _agent(
        "cdr", "Agent call record", source=_RECORD_PAGE, fields=record_fields, url_key="nxcloud_cdr",
        corrupt={"unknown_enum": "direction", "wrong_type": "duration", "oversize": "orderid",
                 "empty": "phone", "bad_date": "start_time", "negative": "duration", "wrong_id": "sessionid"},
    ),
    _state(
        "status", "Agent call state",
        corrupt={"unknown_enum": "state", "wrong_type": "state", "oversize": "info", "empty": "sessionid",
                 "wrong_id": "sessionid"},
    ),
    _state("in_call", "Agent call state 3, in call"),
)  # fmt: skip
