"""The operations and where they live."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voice_emulator.providers.nxcloud import access, agent, balance, files, queries, recordings, sending
from voice_emulator.providers.provider import Route
from voice_emulator.providers.request import Header, Operation, Problem, Request

_FORM = frozenset({"urlencoded", "multipart", "text", "query"})
_JSON = frozenset({"json"})

_SIGNED = (
    Header("accessKey", "Key of the customer at the newer API.", True, "fme2na3kdi3ki"),
    Header("ts", "Milliseconds since the epoch, at most a minute off.", True, "1655710885431"),
    Header("bizType", "Kind of business: 7 in the page's text, 8 in its example.", True, "8"),
    Header("action", "What is asked for.", True, "upload"),
    Header("sign", "Lower-case MD5 of the signed text.", True, "884afe159e39b6c88a0d6102ca97d704"),
)  # fmt: skip


def _operation(name: str, title: str, source: str, accepts: frozenset[str], **slots: Any) -> Operation:
    return Operation(
        name=name, title=title, source=f"{source} (NXCloud wiki)", accepts=accepts,
        request=f"nxcloud/{name}.request", reply=f"nxcloud/{name}.reply", **slots,
    )  # fmt: skip


def _sending(name: str, title: str, source: str, receipt: str) -> Operation:
    return _operation(
        name, title, source, _FORM, identify=access.by_appkey, authenticate=access.check_application,
        explain=sending.explain, check=sending.check, numbers=sending.numbers, submit=sending.submit,
        answer=sending.answer, order=sending.ORDER, receipts=(receipt,),
    )  # fmt: skip


_ALL = (
    _sending("gpsend", "Send voice broadcast (group call)", "Send Voice Broadcast", "group"),
    _sending("notsend", "Send voice notification", "Send Voice Notification", "voice"),
    _sending("versend", "Send voice verification code", "Send Voice Verification Code", "voice"),
    _operation(
        "conversion", "Report whether a code was filled in", "Voice Verification Code Fill Report", _JSON,
        identify=queries.by_messageid, authenticate=lambda request: (), explain=access.explain_plainly,
        check=queries.check_conversion, answer=queries.answer_conversion, order=queries.CONVERSION_ORDER,
    ),
    _operation(
        "getVoiceCdr", "Query voice records", "Voice Record Query", _FORM, identify=access.by_appkey,
        authenticate=access.check_application, explain=access.explain_query, check=queries.check_voice,
        answer=queries.answer_voice, order=queries.VOICE_ORDER, queries_calls=True,
    ),
    _operation(
        "getBalance", "Ask for the balance", "Balance Inquiry", _FORM, identify=access.by_appkey,
        authenticate=access.check_application, explain=access.explain_plainly, check=access.check_outage,
        answer=balance.answer, order=balance.ORDER,
    ),
    _operation(
        "uploadVoiceFile", "Upload a voice file (Base64)", "Upload Voice Recording File", _FORM,
        identify=access.by_appkey, authenticate=access.check_application, explain=access.explain_plainly,
        check=files.check_upload, answer=files.answer_upload, order=files.UPLOAD_ORDER,
    ),
    _operation(
        "getUserFileUrl", "List uploaded voice files", "Query Uploaded Recording Files", _FORM,
        identify=access.by_account, authenticate=access.check_console, explain=access.explain_query,
        check=files.check_list, answer=files.answer_list, order=files.LIST_ORDER,
    ),
    _operation(
        "uploadFile", "Upload a voice file (signed)",
        "Upload voice file v1; API Interface Invocation Convention",
        frozenset({"multipart", "urlencoded", "json", "text"}), identify=files.by_access_key,
        authenticate=files.check_signature, explain=access.explain_plainly, check=files.check_signed_upload,
        answer=files.answer_signed_upload, order=files.SIGNED_ORDER, headers=_SIGNED,
    ),
    _operation(
        "token", "Get an agent token", "Agent API V1.0", _FORM, identify=access.by_agent_appkey,
        authenticate=agent.check_token_credentials, explain=access.explain_plainly, check=access.check_outage,
        answer=agent.answer_token, order=agent.TOKEN_ORDER, issues_token=True,
    ),
    _operation(
        "makecall", "Let an agent call a number", "Agent API V1.0", _FORM, identify=agent.by_token,
        authenticate=agent.check_token, explain=access.explain_plainly, check=agent.check_call,
        numbers=agent.call_numbers, submit=agent.submit, answer=agent.answer_call, order=agent.CALL_ORDER,
        receipts=("cdr", "status", "in_call"),
    ),
    _operation(
        "getSipCdr", "Query agent records", "Call Detail Records (CDR) Query Interface", _FORM,
        identify=access.by_agent_appkey, authenticate=access.check_agent_application,
        explain=access.explain_query, check=queries.check_sip, answer=queries.answer_sip,
        order=queries.SIP_ORDER, queries_calls=True,
    ),
    _operation(
        "getSipCdrByOrderid", "Query agent records by order id",
        "Call Detail Records (CDR) Query Interface", _JSON,
        identify=access.by_agent_appkey, authenticate=access.check_agent_application,
        explain=access.explain_plainly, check=queries.check_by_orderid, answer=queries.answer_by_orderid,
        order=queries.SIP_ORDER, queries_calls=True,
    ),
)  # fmt: skip

OPERATIONS: Mapping[str, Operation] = {operation.name: operation for operation in _ALL}


def _always(name: str) -> Callable[[Request], str | Problem]:
    return lambda request: name


def _route(path: str, name: str) -> Route:
    return Route(path, select=_always(name), operations=(name,))


_VOICE = ("gpsend", "notsend", "versend", "conversion", "getVoiceCdr", "uploadVoiceFile", "getUserFileUrl",
          "getSipCdr", "getSipCdrByOrderid")  # fmt: skip

ROUTES = (
    *(_route(f"/api/voiceSms/{name}", name) for name in _VOICE),
    _route("/api/common/getBalance", "getBalance"),
    _route("/v1/voice/uploadFile", "uploadFile"),
    _route("/v1/call/token", "token"),
    _route("/v1/call/makecall", "makecall"),
    Route(files.FOLDER, serve=files.serve_file, methods=frozenset({"GET"})),
    Route(recordings.REDIRECTS, serve=recordings.serve_redirect, methods=frozenset({"GET"})),
    Route(recordings.SOUNDS, serve=recordings.serve_sound, methods=frozenset({"GET"})),
)
