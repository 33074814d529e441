"""The operations and their paths."""

from __future__ import annotations

from functools import partial

from voice_emulator.providers.kit.tables import download, operations, route
from voice_emulator.providers.nxcloud import access, agent, balance, files, queries, recordings, sending
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.agent import SESSIONS
from voice_emulator.providers.nxcloud.sending import MESSAGEIDS
from voice_emulator.providers.request import Header, Operation

_FORM = frozenset({"urlencoded", "multipart", "text", "query"})
_JSON = frozenset({"json"})

_SIGNED = (
    Header("accessKey", "Key of the customer at the newer API.", True, "fme2na3kdi3ki"),
    Header("ts", "Milliseconds since the epoch, at most a minute off.", True, "1655710885431"),
    Header("bizType", "Kind of business: 7 in the page's text, 8 in its example.", True, "8"),
    Header("action", "What is asked for.", True, "upload"),
    Header("sign", "Lower-case MD5 of the signed text.", True, "884afe159e39b6c88a0d6102ca97d704"),
)  # fmt: skip


#: A voice operation: the fields of a form, with the key of a voice application.
_voice = partial(
    Operation, accepts=_FORM, identify=access.by_appkey, authenticate=access.check_application,
    explain=access.explain_plainly,
)  # fmt: skip
_sending = partial(
    _voice, explain=sending.explain, check=sending.check, numbers=sending.numbers, submit=sending.submit,
    answer=sending.answer, order=sending.ORDER,
)  # fmt: skip
#: An agent operation: the same with the key of an agent approval form.
_agent = partial(
    _voice, identify=access.by_agent_appkey, authenticate=access.check_agent_application,
)  # fmt: skip

OPERATIONS = operations(
    PROVIDER_ID,
    _sending("gpsend", "Send voice broadcast (group call)", "Send Voice Broadcast (NXCloud wiki)",
    receipts=("group",)),
    _sending("notsend", "Send voice notification", "Send Voice Notification (NXCloud wiki)",
    receipts=("voice",)), _sending(
        "versend", "Send voice verification code", "Send Voice Verification Code (NXCloud wiki)",
        receipts=("voice",),
    ),
    Operation(
        "conversion", "Report whether a code was filled in",
        "Voice Verification Code Fill Report (NXCloud wiki)", _JSON,
        identify=queries.by_messageid, authenticate=lambda request: (), explain=access.explain_plainly,
        check=queries.check_conversion, answer=queries.answer_conversion, order=queries.CONVERSION_ORDER,
        changes=True,
    ),
    _voice(
        "getVoiceCdr", "Query voice records", "Voice Record Query (NXCloud wiki)",
        explain=access.explain_query,
        check=queries.check_voice, answer=queries.answer_voice, order=queries.VOICE_ORDER, queries_calls=True,
    ),
    _voice(
        "getBalance", "Ask for the balance", "Balance Inquiry (NXCloud wiki)", check=access.check_outage,
        answer=balance.answer, order=balance.ORDER,
    ),
    _voice(
        "uploadVoiceFile", "Upload a voice file (Base64)", "Upload Voice Recording File (NXCloud wiki)",
        check=files.check_upload, answer=files.answer_upload, order=files.UPLOAD_ORDER, changes=True,
    ),
    _voice(
        "getUserFileUrl", "List uploaded voice files", "Query Uploaded Recording Files (NXCloud wiki)",
        identify=access.by_account, authenticate=access.check_console, explain=access.explain_query,
        check=files.check_list, answer=files.answer_list, order=files.LIST_ORDER,
    ),
    Operation(
        "uploadFile", "Upload a voice file (signed)",
        "Upload voice file v1; API Interface Invocation Convention (NXCloud wiki)",
        frozenset({"multipart", "urlencoded", "json", "text"}), identify=files.by_access_key,
        authenticate=files.check_signature, explain=access.explain_plainly, check=files.check_signed_upload,
        answer=files.answer_signed_upload, order=files.SIGNED_ORDER, headers=_SIGNED,
        changes=True,
    ),
    _agent(
        "token", "Get an agent token", "Agent API V1.0 (NXCloud wiki)",
        authenticate=agent.check_token_credentials,
        check=access.check_outage, answer=agent.answer_token, order=agent.TOKEN_ORDER, issues_token=True,
    ),
    _agent(
        "makecall", "Let an agent call a number", "Agent API V1.0 (NXCloud wiki)", identify=agent.by_token,
        authenticate=agent.check_token, check=agent.check_call, numbers=agent.call_numbers,
        submit=agent.submit,
        answer=agent.answer_call, order=agent.CALL_ORDER, receipts=("cdr", "status", "in_call"),
    ),
    _agent(
        "getSipCdr", "Query agent records", "Call Detail Records (CDR) Query Interface (NXCloud wiki)",
        explain=access.explain_query, check=queries.check_sip, answer=queries.answer_sip,
        order=queries.SIP_ORDER, queries_calls=True,
    ),
    _agent(
        "getSipCdrByOrderid", "Query agent records by order id",
        "Call Detail Records (CDR) Query Interface (NXCloud wiki)", accepts=_JSON,
        check=queries.check_by_orderid,
        answer=queries.answer_by_orderid, order=queries.SIP_ORDER, queries_calls=True,
    ),
)  # fmt: skip

_VOICE = ("gpsend", "notsend", "versend", "conversion", "getVoiceCdr", "uploadVoiceFile", "getUserFileUrl",
          "getSipCdr", "getSipCdrByOrderid")  # fmt: skip

ROUTES = (
    *(route(f"/api/voiceSms/{name}", name) for name in _VOICE),
    route("/api/common/getBalance", "getBalance"),
    route("/v1/voice/uploadFile", "uploadFile"),
    route("/v1/call/token", "token"),
    route("/v1/call/makecall", "makecall"),
    download(files.FOLDER, files.serve_file, files.FILES),
    download(recordings.REDIRECTS, recordings.serve_redirect, SESSIONS),
    download(recordings.SOUNDS, recordings.serve_sound, MESSAGEIDS, SESSIONS),
)
