"""The pushes: voice receipts in the query string or as a form, agent records and states as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Step
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.records import VoiceRecord, agent_record
from voice_emulator.providers.provider import Envelope, PushRequest, ReceiptKind
from voice_emulator.providers.request import compact_json

_RECEIPT_PAGE = "Voice Receipt Callback (NXCloud wiki)"
_RECORD_PAGE = "Call Detail Records (CDR) Callback Interface Specification V1.0 (NXCloud wiki)"
_STATUS_PAGE = "Call Status Callback Push Interface V1.0 (NXCloud wiki)"


def voice_fields(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The voice receipt of a call, either block."""
    return dict(VoiceRecord(tenant, _call(push)).receipt())


def record_fields(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The agent record of a call."""
    return agent_record(tenant, _call(push))


def status_fields(tenant: Tenant, push: Push) -> dict[str, Any]:
    """A state of an agent call. Only the text of the first is documented."""
    call = _call(push)
    if push.kind == "in_call":
        return _status(call, 3, call.answered_at, "in call")
    if push.step is Step.DIAL:
        return _status(call, 1, call.dialled_at, "start calling")
    if push.step is Step.ANSWER:
        return _status(call, 2, call.answered_at, "connected")
    return _status(call, 4, call.ended_at, "hang up")


def encode_voice(envelope: Envelope) -> PushRequest:
    """POST with the fields in the query string and no body, or as a form (setting ``dr_transport``)."""
    default = envelope.tenant.settings[PROVIDER_ID]["dr_transport"]
    return _encode(envelope, envelope.effect.encoding or default)


def encode_agent(envelope: Envelope) -> PushRequest:
    """POST with a JSON body."""
    return _encode(envelope, envelope.effect.encoding or "json")


def judge_voice(reply: PushReply) -> str | None:
    """Acknowledged by the body ``success``, in any case and with blanks around it."""
    if not 200 <= reply.status < 300:
        return f"HTTP status {reply.status}"
    if reply.body.strip().lower() == b"success":
        return None
    shown = reply.body[:80].decode("utf-8", "replace")
    return f"answered {shown!r} instead of the text success"


def tolerate_voice(settings: Mapping[str, Any], reply: PushReply) -> str | None:
    """The word as JSON text, quotes and all: a production receiver answers so."""
    if settings["strict_acknowledgement"] or not 200 <= reply.status < 300:
        return None
    try:
        word = json.loads(reply.body[:80])
    except ValueError:
        return None
    if not isinstance(word, str) or word.strip().lower() != "success":
        return None
    return "answered the text success in JSON quotes; the page has it without"


def judge_agent(reply: PushReply) -> str | None:
    """Acknowledged by HTTP 200 (WebCall CDR callback page)."""
    return None if reply.status == 200 else f"HTTP status {reply.status}, expected 200"


def _call(push: Push) -> Call:
    if push.call is None:
        raise ValueError(f"push {push.id} reports no call")
    return push.call


def _status(call: Call, state: int, at: int | None, info: str) -> dict[str, Any]:
    instant = at or 0
    # Five digits after the point, as in the sample.
    time = f"{instant // SECOND}.{instant % SECOND // 10:05d}"
    return {"sessionid": call.provider_id, "state": state, "time": time, "info": info}


def _encode(envelope: Envelope, encoding: str) -> PushRequest:
    url, fields = envelope.url, envelope.fields
    if encoding == "json":
        kind = "application/json;charset=UTF-8"
        body = compact_json(fields).encode("utf-8", "surrogatepass")
    elif encoding == "form":
        kind = "application/x-www-form-urlencoded;charset=UTF-8"
        body = _form(fields).encode()
    else:
        url, kind, body = _with_query(url, _form(fields)), "", b""
    if envelope.effect.wrong_content_type:
        kind = "text/plain"
    return PushRequest("POST", url, (("Content-Type", kind),) if kind else (), body)


def _form(fields: Mapping[str, Any]) -> str:
    """Fields as name=value, everything percent-encoded, a space as %20."""
    return "&".join(
        f"{quote(name, safe='')}={quote(_text(value), safe='')}" for name, value in fields.items()
    )


def _text(value: Any) -> bytes:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _with_query(url: str, query: str) -> str:
    parts = urlsplit(url)
    joined = f"{parts.query}&{query}" if parts.query else query
    return urlunsplit(parts._replace(query=joined, fragment=""))


def _voice(name: str, title: str, corrupt: Mapping[str, str]) -> ReceiptKind:
    return ReceiptKind(
        name=name, title=title, source=_RECEIPT_PAGE, schema=f"nxcloud/{name}.receipt", url_key="nxcloud",
        fields=voice_fields, encode=encode_voice, judge=judge_voice, tolerate=tolerate_voice, corrupt=corrupt,
        acknowledgement="success",
    )  # fmt: skip


def _agent(
    name: str, title: str, page: str, schema: str, url_key: str, corrupt: Mapping[str, str]
) -> ReceiptKind:
    return ReceiptKind(
        name=name, title=title, source=page, schema=f"nxcloud/{schema}.receipt", url_key=url_key,
        fields=record_fields if schema == "cdr" else status_fields, encode=encode_agent, judge=judge_agent,
        corrupt=corrupt, acknowledgement="HTTP 200", text_values=False,
    )  # fmt: skip


_SPOILT = {
    "unknown_enum": "hangup_cause", "wrong_type": "second", "oversize": "messageid", "empty": "phone",
    "bad_date": "start_time", "negative": "duration", "wrong_id": "messageid",
}  # fmt: skip

RECEIPTS = {
    "group": _voice("group", "Voice receipt of a group call", _SPOILT),
    "voice": _voice("voice", "Voice receipt of a verification or notification call", _SPOILT),
    "cdr": _agent(
        "cdr", "Agent call record", _RECORD_PAGE, "cdr", "nxcloud_cdr",
        {"unknown_enum": "direction", "wrong_type": "duration", "oversize": "orderid", "empty": "phone",
         "bad_date": "start_time", "negative": "duration", "wrong_id": "sessionid"},
    ),
    "status": _agent(
        "status", "Agent call state", _STATUS_PAGE, "status", "nxcloud_status",
        {"unknown_enum": "state", "wrong_type": "state", "oversize": "info", "empty": "sessionid",
         "wrong_id": "sessionid"},
    ),
    "in_call": _agent("in_call", "Agent call state 3, in call", _STATUS_PAGE, "status", "nxcloud_status", {}),
}  # fmt: skip
