"""Every code of Huawei Cloud CEC, and the two bodies they are answered with.

Business codes travel in HTTP 200 as ``retCode``/``retMsg`` or ``returnCode``/``description``; what the
gateway (API Fabric) refuses has its own status and the body ``errorCode``/``exceptionInfo``.
"""

from __future__ import annotations

from typing import Any

from voice_emulator.providers.provider import ErrorCode
from voice_emulator.providers.request import Problem, Reply, Request, json_reply
from voice_emulator.providers.settings import Provenance

CREATE_V2 = "createVoiceNotification"
CREATE_V1 = "createVoiceNotificationV1"
TOKEN = "tokenByAkSk"
QUERY_MEDIA = "queryVoiceNotificationRecording"
UPLOAD = "importVoiceFile"
TEMPLATE = "createVoiceTemplate"
RECORDS = "queryCallDetailRecord"
STATE = "queryCallState"
RECORDING = "getRecordingAddress"

BOTH = frozenset({CREATE_V1, CREATE_V2})
V1 = frozenset({CREATE_V1})
V2 = frozenset({CREATE_V2})

#: What the gateway's own text says of a bad token; the only text of it that is printed anywhere.
AUTH_TEXT = "auth fail! please apply or refresh the access token from the server!"
RULE = "a rule with reply.error"


def _gateway(name: str, code: str, text: str, how: str, provenance: Provenance = "documented") -> ErrorCode:
    return ErrorCode(name, code, text, text, frozenset(), provenance, how)


_GATEWAY = (
    _gateway("auth_failed", "403", AUTH_TEXT,
             "a missing, malformed, unknown or expired token; wrong app_key or app_secret"),
    _gateway("account_suspended", "401",
             "unauthorized: check the purchased services and the account status",
             "setting account_status: suspended"),
    _gateway("invalid_parameter", "400", "bad request: check the request path and parameters",
             "a body that is not a JSON object, or a field of the wrong JSON type"),
    _gateway("not_found", "404", "the requested content is not found: check the request path",
             "an unknown path"),
    _gateway("method_not_allowed", "405", "the method is not allowed: check the request",
             "any method but POST", "choice"),
    _gateway("rate_limited", "429", "flow control: too many requests",
             "more uploads in a second than the setting upload_rate", "choice"),
    _gateway("system_error", "500", "business failure: check the values of parameters", RULE),
    _gateway("ip_not_allowed", "403", AUTH_TEXT, "setting allowed_ips without the client's address",
             "inferred"),
)  # fmt: skip


def _code(
    operations: frozenset[str] | str,
    code: int,
    name: str,
    text: str,
    how: str,
    provenance: Provenance = "documented",
) -> ErrorCode:
    where = frozenset({operations}) if isinstance(operations, str) else operations
    return ErrorCode(name, str(code), text, text, where, provenance, how)


_CREATE = (
    _code(BOTH, 1, "unfinished_task", "an unfinished task exists, try again later",
          "setting one_open_call_per_number, and a second call to a number whose call has not ended"),
    _code(V1, 2, "call_data_too_long", "callData is longer than 1024 characters",
          "callData of 1025 characters"),
    _code(BOTH, 3, "creation_failed", "creation failed, no call serial number was made", RULE),
    _code(BOTH, 4, "soft_phone_malformed", "the format of softPhone is wrong",
          RULE + "; a left-over of a shared table, no parameter of that name exists"),
    _code(BOTH, 5, "invalid_number", "called is missing or malformed",
          "called missing, too long or with letters"),
    _code(BOTH, 6, "vdn_disabled", "the VDN is not enabled", "setting vdn: disabled"),
    _code(BOTH, 7, "caller_refused", "callerPresent is not usable",
          "callerPresent of 33 characters, or none of the setting access_codes"),
    _code(V1, 8, "voice_content_refused", "voiceContent is empty, too long or names an unknown recording",
          "voiceContent missing, empty, too long, malformed, or unknown with a strict catalogue"),
    _code(BOTH, 9, "callback_url_refused", "callBackUrl does not meet the conditions",
          "callBackUrl that is neither a URL nor the Base64 of one, too long, or off the trustlist"),
    _code(V2, 10, "play_times_out_of_range", "playTimes is not within 1 to 5", "playTimes 0 or 6"),
    _code(V2, 11, "play_list_size", "playList is empty or longer than 5",
          "playList missing, [] or of 6 items"),
    _code(V2, 12, "nothing_to_play", "voiceId, voiceFileName and templateId are all empty",
          "playList [{}]"),
    _code(V2, 13, "variable_too_long", "a variable is longer than 32 bytes",
          "a templateParams value of 11 Chinese characters"),
    _code(V2, 14, "variable_with_placeholder", "a variable contains $, { or }",
          "a templateParams value ${a}"),
    _code(V2, 15, "variable_count", "templateParams is empty or longer than 10",
          "templateParams [] or of 11 values"),
    _code(BOTH, 16, "trial_number", "trial tenant: the called number is not on its allow-list",
          "setting trial_allow_list without the number"),
    _code(V2, 17, "file_not_found", "the voice or text file does not exist",
          "an unknown id with a strict catalogue"),
    _code(V2, 18, "wrong_scene", "the scene of the file is not voice notification",
          "a file uploaded with voiceType 0"),
    _code(V2, 19, "not_submitted", "the file has not been submitted for review",
          "setting voice_files with status unsubmitted"),
    _code(V2, 20, "review_pending", "the review of the file is pending", "a file that was just uploaded"),
    _code(V2, 21, "review_rejected", "the file was rejected",
          "an upload with the setting review_verdict: rejected"),
    _code(V2, 22, "not_a_text", "templateId names a file that is not text",
          "templateId with the id of a recording"),
    _code(V2, 23, "not_an_audio", "voiceId names a file that is not audio",
          "voiceId with the id of a template"),
    *(_code(V2, code, f"unread_{code}", f"refused with code {code}",
            RULE + "; the end of the code table could not be read", "inferred") for code in range(24, 36)),
    _code(V1, 36, "priority_malformed", "priority must be an integer from 1 to 9", "priority 0 or 10"),
    _code(V2, 36, "priority_malformed", "priority must be an integer from 1 to 9", "priority 0 or 10",
          "inferred"),
)  # fmt: skip

_MEDIA = (
    _code(QUERY_MEDIA, 1, "type_refused", "type must be 0 or 2", "type 1"),
    _code(QUERY_MEDIA, 2, "page_refused", "offset or limit is out of range", "offset -1", "choice"),
    _code(UPLOAD, 1, "upload_refused", "the file or a parameter of it was refused", "locale fr_FR",
          "choice"),
    _code(TEMPLATE, 1, "template_refused", "the template or a parameter of it was refused",
          "textcontent that begins with a variable", "choice"),
)  # fmt: skip

_CALLS = (
    _code(RECORDS, 1, "no_record", "no record was found", "a span without calls"),
    _code(RECORDS, 2, "time_refused", "startTime or endTime is malformed or spans more than 7 days",
          "startTime abc"),
    _code(RECORDS, 4, "page_refused", "offset or limit is malformed", "limit 101"),
    _code(RECORDS, 12, "caller_unusable", "caller is not usable",
          "caller of 33 characters, or none of the setting access_codes"),
    _code(STATE, 1, "query_failed", "the query failed", "an unknown callSerialNo"),
    _code(STATE, 3, "serial_malformed", "callSerialNo is malformed", "callSerialNo abc"),
    _code(RECORDING, 1, "store_upload_failed", "uploading to the object store failed",
          "setting recording_store: store_upload_failed"),
    _code(RECORDING, 3, "vdn_disabled", "the VDN is not usable", "setting vdn: disabled"),
    _code(RECORDING, 5, "no_record", "no history record of this call",
          "an unknown or unrecorded callSerialNo"),
    _code(RECORDING, 6, "vdn_missing", "there is no such VDN", "setting vdn: missing"),
    _code(RECORDING, 7, "transfer_unset", "the transfer information is empty",
          "setting recording_store: transfer_unset"),
    _code(RECORDING, 8, "transfer_password_unset", "the transfer password is empty",
          "setting recording_store: transfer_password_unset"),
    _code(RECORDING, 9, "transfer_unreachable", "connecting for the transfer failed",
          "setting recording_store: transfer_unreachable"),
    _code(RECORDING, 10, "temporary_path_failed", "making the temporary path failed",
          "setting recording_store: temporary_path_failed"),
    _code(RECORDING, 11, "platform_download_failed", "the download from the platform failed",
          "setting recording_store: platform_download_failed"),
    _code(RECORDING, 12, "serial_too_long", "callSerialNo is longer than 50 characters",
          "callSerialNo of 51 digits"),
    _code(RECORDING, 13, "recording_too_large", "the recording is too large",
          "setting recording_store: recording_too_large"),
)  # fmt: skip

ERRORS: tuple[ErrorCode, ...] = (*_GATEWAY, *_CREATE, *_MEDIA, *_CALLS)

#: Code of an authentication failure, whatever status the account gives it.
AUTH = "403"
#: Problems found before an operation's own code runs, and the gateway code each becomes.
_INTERNAL = {"malformed": "400", "encoding": "400", "method": "405"}
GATEWAY_CODES = frozenset(error.code for error in _GATEWAY)
_TEXTS = {(operation, error.code): error.text for error in ERRORS for operation in error.operations}
_GATEWAY_TEXTS = {error.code: error.text for error in reversed(_GATEWAY)}
_DESCRIBED = frozenset({QUERY_MEDIA, UPLOAD, TEMPLATE})

#: Words of the setting ``recording_store``, and the code each leads to.
STORE_TROUBLES = {
    "store_upload_failed": "1",
    "transfer_unset": "7",
    "transfer_password_unset": "8",
    "transfer_unreachable": "9",
    "temporary_path_failed": "10",
    "platform_download_failed": "11",
    "recording_too_large": "13",
}


def business_reply(operation: str, code: str, text: str, *, refused: bool = True) -> Reply:
    """A reply in HTTP 200 that carries only a result code, in the spelling of ``operation``.

    Two spellings exist: retCode/retMsg, and returnCode/description on the configuration interfaces.
    getRecordingAddress types its retCode as a number.
    """
    payload: dict[str, Any]
    if operation in _DESCRIBED:
        payload = {"returnCode": code, "description": text}
    elif operation == RECORDING:
        payload = {"retCode": int(code), "retMsg": text}
    else:
        payload = {"retCode": code, "retMsg": text}
    return json_reply(payload, code=code, refused=refused)


def gateway_reply(status: int, text: str, code: str) -> Reply:
    """The gateway's error body ("Obtaining the Token of CC-Messaging", cec_05_1003)."""
    payload = {"errorCode": str(status), "exceptionInfo": text}
    return json_reply(payload, code=code, refused=True, status=status)


def refuse(request: Request, problem: Problem) -> Reply:
    """Render the problem that won.

    Codes of the gateway become a status and its body (an authentication failure takes the status of the
    setting ``auth_failure_status``), all others a result code in HTTP 200.
    """
    code = _INTERNAL.get(problem.code, problem.code)
    operation = request.operation_name
    known = _TEXTS.get((operation, code))
    if known is not None:
        return business_reply(operation, code, problem.text or known)
    code = code if code in GATEWAY_CODES else "500"
    text = problem.text or _GATEWAY_TEXTS[code]
    if problem.code in _INTERNAL:
        text = f"{text} ({_printable(problem)})"
    status = int(request.settings["auth_failure_status"]) if code == AUTH else int(code)
    reply = gateway_reply(status, text, code)
    if code == "405":
        reply.headers = (("Allow", "POST"),)
    return reply


def _printable(problem: Problem) -> str:
    """The problem in one short line that any client can print."""
    sentence = f"{problem.place}: {problem.message}" if problem.place else problem.message
    return sentence[:200].encode("ascii", "backslashreplace").decode("ascii")
