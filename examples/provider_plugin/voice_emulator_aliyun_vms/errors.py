"""Codes of the gateway and of the business layer, and the reply that carries them."""

from __future__ import annotations

from html import escape
from typing import Any

from voice_emulator.providers.provider import ErrorCode
from voice_emulator.providers.request import Problem, Reply, Request, json_reply

HOST = "dyvmsapi.aliyuncs.com"
#: The [C] rows of the notes: a forum's list of the gateway's codes, posted for another product.
_LISTED = "inferred"
_SENT = frozenset({"SingleCallByTts", "SingleCallByVoice"})
_TTS, _VOICE = frozenset({"SingleCallByTts"}), frozenset({"SingleCallByVoice"})

#: Parameters that an action cannot do without; each has a code of its own.
REQUIRED = (
    "AccessKeyId", "SignatureNonce", "CalledNumber", "TtsCode", "VoiceCode", "CallId", "ProdId", "QueryDate",
)  # fmt: skip
_STATUS = {
    "InvalidAccessKeyId.NotFound": 404,
    "InvalidApi.NotFound": 404,
    "ServiceUnavailable": 503,
    "InternalError": 500,
}

GATEWAY = (
    ErrorCode("unknown_action", "InvalidApi.NotFound", "Specified api is not found, please check your url and method.",
              "Send an Action that is not served.", _LISTED),
    ErrorCode("auth_failed", "InvalidAccessKeyId.NotFound", "Specified access key is not found.",
              "Send an access key id that no tenant has.", _LISTED),
    ErrorCode("access_key_disabled", "InvalidAccessKeyId.Inactive", "Specified access key is disabled.", "By a rule.",
              _LISTED),
    ErrorCode("signature_method", "InvalidSignatureMethod", "Specified signature method is not valid.",
              "The setting signatures.", _LISTED),
    ErrorCode("timestamp_format", "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.",
              "Send another time format.", _LISTED),
    ErrorCode("timestamp_expired", "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.",
              "Send an old time stamp.", _LISTED),
    ErrorCode("nonce_used", "SignatureNonceUsed", "Specified signature nonce was used already.",
              "Send a request twice.", _LISTED),
    ErrorCode("bad_signature", "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.",
              "Sign with another secret.", _LISTED),
    ErrorCode("invalid_format", "InvalidParameter.Format", "Specified parameter format is not valid.",
              "Send a body that is not a form.", _LISTED),
    ErrorCode("gateway_throttled", "Throttling.User", "Request was denied due to user flow control.", "By a rule.", _LISTED),
    ErrorCode("service_unavailable", "ServiceUnavailable",
              "The request has failed due to a temporary failure of the server.", "By a rule."),
    ErrorCode("internal_error", "InternalError", "The request processing has failed due to some unknown error.",
              "By a rule."),
    *(ErrorCode(f"missing_{name}", f"Missing{name}", f"{name} is mandatory for this action.", f"Leave {name} out.", _LISTED)
      for name in REQUIRED),
)  # fmt: skip
#: Texts are not documented beyond these meanings.
BUSINESS = (
    ErrorCode("invalid_parameter", "isv.INVALID_PARAMETERS", "bad parameter", "A value out of its range.",
              operations=_SENT),
    ErrorCode("invalid_number", "isv.MOBILE_NUMBER_ILLEGAL", "bad number format", "A CalledNumber with letters.",
              operations=_SENT),
    ErrorCode("parameter_too_long", "isv.PARAM_LENGTH_LIMIT", "a parameter is too long",
              "TtsParam of 250 characters or more.", operations=_SENT),
    ErrorCode("url_in_parameter", "isv.PARAM_NOT_SUPPORT_URL", "a template variable contains a URL",
              "A URL in TtsParam.", operations=_TTS),
    ErrorCode("template_parameters", "isv.TEMPLATE_PARAMS_ILLEGAL", "template variables are not valid",
              "TtsParam that is not a JSON object.", operations=_TTS),
    ErrorCode("template_parameters_missing", "isv.TEMPLATE_MISSING_PARAMETERS", "a template variable is missing",
              "By a rule: templates are not known here.", operations=_TTS),
    ErrorCode("template_unknown", "isv.TTS_TEMPLATE_ILLEGAL", "the template is not valid", "By a rule.", operations=_TTS),
    ErrorCode("voice_file", "isv.VOICE_FILE_ILLEGAL", "the voice file is not valid", "By a rule.", _LISTED,
              operations=_VOICE),
    ErrorCode("insufficient_balance", "isv.AMOUNT_NOT_ENOUGH", "the balance is too low", "By a rule.", operations=_SENT),
    ErrorCode("rate_limited", "isv.BUSINESS_LIMIT_CONTROL", "too many calls to this number", "The setting throttle.",
              operations=_SENT),
    ErrorCode("out_of_service", "isv.OUT_OF_SERVICE", "the account is suspended", "By a rule.", operations=_SENT),
    ErrorCode("account_abnormal", "isv.ACCOUNT_ABNORMAL", "the account is abnormal", "By a rule.", operations=_SENT),
    ErrorCode("not_subscribed", "isv.PRODUCT_UN_SUBSCRIPT", "the product is not activated", "By a rule.", operations=_SENT),
    ErrorCode("shown_number", "isv.DISPLAY_NUMBER_ILLEGAL", "the shown number is not valid", "By a rule.",
              operations=_SENT),
    ErrorCode("complaint", "isv.COMPLAINT_REJECT", "blocked against harassment", "By a rule.", operations=_SENT),
    ErrorCode("permission_denied", "isp.RAM_PERMISSION_DENY", "the sub-account lacks the permission", "By a rule."),
    ErrorCode("system_error", "isp.SYSTEM_ERROR", "system error", "By a rule."),
)  # fmt: skip
ERRORS = (*GATEWAY, *BUSINESS)
ORDER = tuple(error.code for error in ERRORS)
_TEXTS = {error.code: error.text for error in ERRORS}
#: Problems that the emulator finds by itself, in the gateway's words.
_OWN = {"malformed": "InvalidParameter.Format", "encoding": "InvalidParameter.Format", "method": "InvalidApi.NotFound",
        "no-operation": "InvalidApi.NotFound"}  # fmt: skip


def request_id(request: Request) -> str:
    """An upper-case UUID."""
    digits = request.tenant.ids.hexadecimal("aliyun_vms request", 32, *request.key).upper()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def refuse(request: Request, problem: Problem) -> Reply:
    """The gateway's error, or a reply of the business layer without CallId."""
    code = _OWN.get(problem.code, problem.code)
    if code not in _TEXTS:
        code = "isv.INVALID_PARAMETERS"
    text = problem.text or _TEXTS[code]
    payload = {"RequestId": request_id(request), "Code": code, "Message": text}
    if code.startswith("is"):
        return reply(request, payload, code, refused=True, status=request.settings["business_error_status"])
    payload = {**payload, "HostId": HOST, "Recommend": f"https://api.aliyun.com/troubleshoot?q={code}"}
    return reply(request, payload, code, refused=True, status=_STATUS.get(code, 400))


def reply(
    request: Request,
    payload: dict[str, Any],
    code: str,
    *,
    refused: bool = False,
    status: int = 200,
    **more: Any,
) -> Reply:
    """A reply in the format that the request asks for; compared without case, since SDKs write ``json``."""
    # Requests with the newer signature have no Format, and their replies are JSON.
    wanted = request.text("Format") or (
        "JSON" if "x-acs-action" in request.headers else request.settings["default_format"]
    )
    if wanted.upper() != "XML":
        return json_reply(payload, code=code, refused=refused, status=status, **more)
    root = "Error" if refused else f"{request.operation_name}Response"
    members = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in payload.items())
    body = f"<?xml version='1.0' encoding='UTF-8'?><{root}>{members}</{root}>".encode()
    return Reply(status, body, "text/xml;charset=utf-8", code, refused, **more)
