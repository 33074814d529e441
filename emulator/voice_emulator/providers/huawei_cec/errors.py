"""Every code of Huawei Cloud CEC, and the two bodies that carry them.

Business codes are sent with HTTP 200 as ``retCode``/``retMsg`` or ``returnCode``/``description``. The
gateway (API Fabric) refuses with a status of its own and the body ``errorCode``/``exceptionInfo``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from voice_emulator.providers.kit.replies import one_line
from voice_emulator.providers.kit.tables import errors
from voice_emulator.providers.provider import ErrorCode as Code
from voice_emulator.providers.request import Problem, Reply, Request, json_reply

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

#: The gateway's text for a bad token, the only one that a page prints.
AUTH_TEXT = "auth fail! please apply or refresh the access token from the server!"
RULE = "a rule with reply.error"
_UNREAD = f"{RULE}; the end of the code table could not be read"


_GATEWAY = (
    Code("auth_failed", "403", AUTH_TEXT,
         "a missing, malformed, unknown or expired token; wrong app_key or app_secret"),
    Code("account_suspended", "401", "unauthorized: check the purchased services and the account status",
         "setting account_status: suspended"),
    Code("invalid_parameter", "400", "bad request: check the request path and parameters",
         "a body that is not a JSON object, or a field of the wrong JSON type"),
    Code("not_found", "404", "the requested content is not found: check the request path", "an unknown path"),
    Code("method_not_allowed", "405", "the method is not allowed: check the request", "any method but POST",
         "choice"),
    Code("rate_limited", "429", "flow control: too many requests",
         "more uploads in a second than the setting upload_rate", "choice"),
    Code("system_error", "500", "business failure: check the values of parameters", RULE),
    Code("ip_not_allowed", "403", AUTH_TEXT, "setting allowed_ips without the client's address", "inferred"),
)  # fmt: skip


_BUSINESS = (
    *errors(BOTH,
        Code("unfinished_task", "1", "an unfinished task exists, try again later",
             "setting one_open_call_per_number, and a second call to a number whose call has not ended"),
        Code("creation_failed", "3", "creation failed, no call serial number was made", RULE),
        Code("soft_phone_malformed", "4", "the format of softPhone is wrong",
             f"{RULE}; a left-over of a shared table, no parameter of that name exists"),
        Code("invalid_number", "5", "called is missing or malformed",
             "called missing, too long or with letters"),
        Code("vdn_disabled", "6", "the VDN is not enabled", "setting vdn: disabled"),
        Code("caller_refused", "7", "callerPresent is not usable",
             "callerPresent of 33 characters, or none of the setting access_codes"),
        Code("callback_url_refused", "9", "callBackUrl does not meet the conditions",
             "callBackUrl that is neither a URL nor the Base64 of one, too long, or off the trustlist"),
        Code("trial_number", "16", "trial tenant: the called number is not on its allow-list",
             "setting trial_allow_list without the number")),
    *errors(V1,
        Code("call_data_too_long", "2", "callData is longer than 1024 characters",
             "callData of 1025 characters"),
        Code("voice_content_refused", "8", "voiceContent is empty, too long or names an unknown recording",
             "voiceContent missing, empty, too long, malformed, or unknown with a strict catalogue"),
        Code("priority_malformed", "36", "priority must be an integer from 1 to 9", "priority 0 or 10")),
    *errors(V2,
        Code("play_times_out_of_range", "10", "playTimes is not within 1 to 5", "playTimes 0 or 6"),
        Code("play_list_size", "11", "playList is empty or longer than 5",
             "playList missing, [] or of 6 items"),
        Code("nothing_to_play", "12", "voiceId, voiceFileName and templateId are all empty", "playList [{}]"),
        Code("variable_too_long", "13", "a variable is longer than 32 bytes",
             "a templateParams value of 11 Chinese characters"),
        Code("variable_with_placeholder", "14", "a variable contains $, { or }",
             "a templateParams value ${a}"),
        Code("variable_count", "15", "templateParams is empty or longer than 10",
             "templateParams [] or of 11 values"),
        Code("file_not_found", "17", "the voice or text file does not exist",
             "an unknown id with a strict catalogue"),
        Code("wrong_scene", "18", "the scene of the file is not voice notification",
             "a file uploaded with voiceType 0"),
        Code("not_submitted", "19", "the file has not been submitted for review",
             "setting voice_files with status unsubmitted"),
        Code("review_pending", "20", "the review of the file is pending", "a file that was just uploaded"),
        Code("review_rejected", "21", "the file was rejected",
             "an upload with the setting review_verdict: rejected"),
        Code("not_a_text", "22", "templateId names a file that is not text",
             "templateId with the id of a recording"),
        Code("not_an_audio", "23", "voiceId names a file that is not audio",
             "voiceId with the id of a template"),
        Code("priority_malformed", "36", "priority must be an integer from 1 to 9", "priority 0 or 10",
             "inferred")),
    *errors(V2, *(
        Code(f"unread_{code}", str(code), f"refused with code {code}", _UNREAD, "inferred")
        for code in range(24, 36)
    )),
    *errors(QUERY_MEDIA,
        Code("type_refused", "1", "type must be 0 or 2", "type 1"),
        Code("page_refused", "2", "offset or limit is out of range", "offset -1", "choice")),
    *errors(UPLOAD,
        Code("upload_refused", "1", "the file or a parameter of it was refused", "locale fr_FR", "choice")),
    *errors(TEMPLATE,
        Code("template_refused", "1", "the template or a parameter of it was refused",
             "textcontent that begins with a variable", "choice")),
    *errors(RECORDS,
        Code("no_record", "1", "no record was found", "a span without calls"),
        Code("time_refused", "2", "startTime or endTime is malformed or spans more than 7 days",
             "startTime abc"),
        Code("page_refused", "4", "offset or limit is malformed", "limit 101"),
        Code("caller_unusable", "12", "caller is not usable",
             "caller of 33 characters, or none of the setting access_codes")),
    *errors(STATE,
        Code("query_failed", "1", "the query failed", "an unknown callSerialNo"),
        Code("serial_malformed", "3", "callSerialNo is malformed", "callSerialNo abc")),
    *errors(RECORDING,
        Code("store_upload_failed", "1", "uploading to the object store failed",
             "setting recording_store: store_upload_failed"),
        Code("vdn_disabled", "3", "the VDN is not usable", "setting vdn: disabled"),
        Code("no_record", "5", "no history record of this call", "an unknown or unrecorded callSerialNo"),
        Code("vdn_missing", "6", "there is no such VDN", "setting vdn: missing"),
        Code("transfer_unset", "7", "the transfer information is empty",
             "setting recording_store: transfer_unset"),
        Code("transfer_password_unset", "8", "the transfer password is empty",
             "setting recording_store: transfer_password_unset"),
        Code("transfer_unreachable", "9", "connecting for the transfer failed",
             "setting recording_store: transfer_unreachable"),
        Code("temporary_path_failed", "10", "making the temporary path failed",
             "setting recording_store: temporary_path_failed"),
        Code("platform_download_failed", "11", "the download from the platform failed",
             "setting recording_store: platform_download_failed"),
        Code("serial_too_long", "12", "callSerialNo is longer than 50 characters",
             "callSerialNo of 51 digits"),
        Code("recording_too_large", "13", "the recording is too large",
             "setting recording_store: recording_too_large")),
)  # fmt: skip

#: The texts of the tables are explanations: no page prints what the platform sends.
ERRORS = tuple(replace(error, meaning=error.text) for error in (*_GATEWAY, *_BUSINESS))

#: Code of an authentication failure; the setting ``auth_failure_status`` gives its status.
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
    """A reply with HTTP 200 and only a result code, in the spelling of ``operation``.

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
    """The reply for a problem.

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
    return one_line(sentence[:200])
