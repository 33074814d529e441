"""Every code NXCloud answers with, its texts, and how to provoke it.

The provider has no one error space: the same number means different things at different operations,
and most query failures share one number and differ by text. So problems go by symbolic names inside
(:class:`~voice_emulator.providers.request.Problem`), and the number and text are looked up here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from voice_emulator.providers.provider import ErrorCode
from voice_emulator.providers.settings import Provenance

SEND = frozenset({"gpsend", "notsend", "versend"})
BATCH = frozenset({"gpsend", "notsend"})
SPOKEN = frozenset({"notsend", "versend"})
AGENT = frozenset({"token", "makecall"})


def _on(*operations: str) -> frozenset[str]:
    return frozenset(operations)


def _error(
    name: str, code: str, text: str, operations: frozenset[str], how: str,
    provenance: Provenance = "documented", meaning: str = "",
) -> ErrorCode:  # fmt: skip
    return ErrorCode(name, code, text, meaning, operations, provenance, how)


_NO_URL = "by a rule's reply.error only: the page lists the code although the operation has no url"

_SEND_ERRORS = (
    _error(
        "auth_failed", "1", "Application unavailable or key error", SEND,
        "a wrong appkey or secretkey; or application: disabled",
    ),
    _error("invalid_parameter", "2", "Parameter error or empty", SEND, "leave out or empty a required field"),
    _error("insufficient_balance", "3", "Insufficient balance", SEND, "balance below one cycle per number"),
    _error("content_illegal", "4", "Content is empty or contains illegal keywords", SEND,
           "blank content; a word of illegal_keywords in content (gpsend: in msg_content)"),
    _error(
        "content_too_long", "5", "Content is too long", SEND,
        "content (gpsend: msg_content) longer than content_max",
    ),
    _error(
        "invalid_number", "6", "Invalid phone number", SEND,
        "a number that is not 5 to 20 digits; versend: more than one number",
    ),
    _error(
        "batch_too_large", "7", "More than 100 numbers", BATCH,
        "more than batch_limit (notsend: notsend_batch_limit) numbers with batch_limit_code: 7", "inferred",
    ),
    _error("ip_not_allowed", "9", "Illegal IP", SEND, "allowed_ips without the caller's address"),
    _error(
        "url_unknown", "20", "URL does not exist", _on("gpsend"),
        "a url that is none; one not in voice_files once that is set",
    ),
    _error("url_unknown", "20", "URL does not exist", SPOKEN, _NO_URL),
    _error("display_number_invalid", "21", "Invalid display number", SEND,
           "show_phone with other than digits, with more than show_phone_max, or not in show_phones"),
    _error("route_unavailable", "22", "Route not available", SEND, "routes without the country_code"),
    _error(
        "country_code_invalid", "23", "Invalid country code", SEND,
        "country_code with a plus sign or other than 1 to 4 digits",
    ),
    _error(
        "frequency_limited", "27", "The number has reached its limit of sends in this hour", _on("versend"),
        "more calls to one number in an hour than frequency_limit",
        meaning="the page gives the meaning, no text",
    ),
    _error("rate_limited", "28", "The TPS limit has been reached", _on("versend"),
           "more requests in a second than tps_limit", meaning="the page gives the meaning, no text"),
    _error(
        "task_time_past", "29", "Task time no more than now", _on("gpsend"),
        "task_time not in the future, dialect: message",
    ),
    _error(
        "time_zone_missing", "31", "Task zone not empty", _on("gpsend"),
        "task_time without time_zone, dialect: message",
    ),
    _error("file_error", "77", "File error", _on("gpsend"), "a url in broken_files, dialect: message"),
    _error("display_number_too_long", "78", "The number exceeds 50 digits", SEND,
           "as 21, dialect: message", "inferred", "only the first two words of the text could be read"),
    _error("request_failed", "88", "Request failed", SEND, "outage: request_failed"),
    _error("system_error", "99", "System error", SEND, "outage: system_error"),
)  # fmt: skip

_UPLOAD_ERRORS = (
    _error(
        "auth_failed", "1", "Application unavailable or key error", _on("uploadVoiceFile"),
        "a wrong appkey or secretkey", "inferred",
    ),
    _error(
        "invalid_parameter", "2", "Parameter error or empty", _on("uploadVoiceFile"),
        "a missing field; content that is not Base64", "inferred",
    ),
    _error(
        "content_too_long", "5", "Content is too long", _on("uploadVoiceFile"), "a file over upload_limit",
        "choice",
    ),
    _error(
        "ip_not_allowed", "9", "Illegal IP", _on("uploadVoiceFile"),
        "allowed_ips without the caller's address", "inferred",
    ),
    _error(
        "request_failed", "88", "Request failed", _on("uploadVoiceFile"), "outage: request_failed", "choice",
    ),
    _error("system_error", "99", "System error", _on("uploadVoiceFile"), "outage: system_error", "choice"),
    _error("account_disabled", "102", "The current account or the account of the agent has been disabled.",
           _on("uploadVoiceFile"), "application: disabled"),
    _error(
        "invalid_parameter", "failed", "Please fill in the required parameters completely.",
        _on("getUserFileUrl"), "a missing field",
    ),
    _error(
        "page_invalid", "failed", "Please provide correct pagination parameters.", _on("getUserFileUrl"),
        "a page that is no number from 1",
    ),
    _error(
        "auth_failed", "failed", "Incorrect account or password.", _on("getUserFileUrl"),
        "a wrong account or password",
    ),
    _error("system_error", "failed", "System error", _on("getUserFileUrl"), "outage: system_error", "choice"),
    _error("header_missing", "1001", "Missing parameters", _on("uploadFile"), "a missing header"),
    _error(
        "header_invalid", "1002", "Parameter error", _on("uploadFile"),
        "another bizType or action; ts that is no number",
    ),
    _error("signature_invalid", "1003", "Invalid signature", _on("uploadFile"), "a wrong sign"),
    _error("timestamp_expired", "1004", "Timestamp expired", _on("uploadFile"), "ts more than 60 s off"),
    _error("auth_failed", "1005", "Insufficient permissions", _on("uploadFile"), "an unknown accessKey"),
    _error("invalid_parameter", "9000", "Request parameter error", _on("uploadFile"), "no appkey or no file"),
    _error(
        "app_unavailable", "9003", "Customer APP does not exist / Status is unavailable", _on("uploadFile"),
        "an unknown appkey; application: disabled",
    ),
    _error("file_too_large", "15001", "file exceed 2MB", _on("uploadFile"), "a file over upload_limit"),
    _error("system_error", "15002", "file upload fail", _on("uploadFile"), "an empty file; or outage"),
)  # fmt: skip

_BALANCE = _on("getBalance")
_BALANCE_ERRORS = (
    _error("auth_failed", "1", "Application unavailable or key error", _BALANCE,
           "a wrong appkey or secretkey; or application: disabled", "choice",
           "the page shows no failure: codes and shape are those of uploadVoiceFile"),
    _error("invalid_parameter", "2", "Parameter error or empty", _BALANCE, "a missing field", "choice"),
    _error("ip_not_allowed", "9", "Illegal IP", _BALANCE, "allowed_ips without the caller's address", "choice"),
    _error("system_error", "99", "System error", _BALANCE, "outage: system_error", "choice"),
)  # fmt: skip

_VOICE_QUERY = _on("getVoiceCdr")
_SIP = _on("getSipCdr")
_BY_ORDER = _on("getSipCdrByOrderid")
_QUERY_ERRORS = (
    _error(
        "messageid_unknown", "failed", "messageid not exist", _on("conversion"),
        "a messageid that versend never gave",
    ),
    _error(
        "invalid_parameter", "failed", "params invalid", _on("conversion"),
        "no status, or one that is not 0 or 1", "choice",
    ),
    _error("system_error", "failed", "system error", _on("conversion"), "outage: system_error", "choice"),
    _error(
        "auth_failed", "0", "appkey or secretkey invalid", _VOICE_QUERY, "a wrong appkey or secretkey",
        "inferred",
    ),
    _error("invalid_parameter", "0", "params invalid", _VOICE_QUERY, "a missing field", "inferred"),
    _error(
        "page_invalid", "0", "page_size or page_index invalid", _VOICE_QUERY,
        "a page that is no number from 1", "inferred",
    ),
    _error(
        "time_invalid", "0", "time invalid", _VOICE_QUERY,
        "a date that is none; strict_queries: a span over 24 h", "inferred",
    ),
    _error(
        "rate_limited", "0", "appkey access rate limit", _VOICE_QUERY, "query_rate_limits, twice in a second",
        "inferred",
    ),
    _error(
        "ip_not_allowed", "0", "Illegal IP", _VOICE_QUERY, "allowed_ips without the caller's address",
        "inferred",
    ),
    _error("system_error", "0", "system error", _VOICE_QUERY, "outage: system_error", "choice"),
    _error("auth_failed", "0", "appkey or secretkey invalid", _SIP, "a wrong appkey or secretkey"),
    _error("username_unknown", "0", "mobile no exist", _SIP, "an unknown username"),
    _error("page_invalid", "0", "page_size or page_index invalid", _SIP, "page_size over 1000"),
    _error("time_invalid", "0", "time invalid", _SIP, "a span over 24 hours, or more than 15 days ago"),
    _error("invalid_parameter", "0", "params invalid", _SIP, "a missing field", "inferred"),
    _error(
        "rate_limited", "0", "appkey access rate limit", _SIP,
        "query_rate_limits, twice in two seconds from one address", "inferred",
    ),
    _error("system_error", "0", "system error", _SIP, "outage: system_error", "choice"),
    _error("invalid_parameter", "1", "params invalid", _BY_ORDER, "no orderid, or more than 20"),
    _error(
        "auth_failed", "1", "appkey or secretkey invalid", _BY_ORDER, "a wrong appkey or secretkey",
        "inferred",
    ),
    _error(
        "rate_limited", "1", "appkey access rate limit", _BY_ORDER, "query_rate_limits, twice in a second",
    ),
    _error("system_error", "1", "system error", _BY_ORDER, "outage: system_error", "choice"),
)  # fmt: skip

_CALL = _on("makecall")
_AGENT_ERRORS = (
    _error(
        "auth_failed", "1101", "appkey or secretkey invalid.", _on("token"), "a wrong appkey or secretkey",
    ),
    _error(
        "auth_failed_1", "1", "appkey or secretkey invalid.", _on("token"),
        "the same with token_failure_code: 1",
    ),
    _error(
        "invalid_parameter", "1200", "Parameter error!", AGENT,
        "a missing field; makecall: phone not 5 to 20 digits",
    ),
    _error("system_error", "10000", "unknown error", AGENT, "outage: system_error"),
    _error("data_stale", "1000", "data error, please reload token", _CALL, "phone_accounts: state stale"),
    _error("username_unknown", "1001", "Username no exist!", _CALL, "a username nobody has; state missing"),
    _error(
        "username_locked", "1002", "Username lock, please contact the administrator!", _CALL,
        "phone_accounts: state locked",
    ),
    _error(
        "username_unregistered", "1003", "User is not registered! please reload", _CALL,
        "phone_accounts: state unregistered",
    ),
    _error(
        "username_unregistered_1004", "1004", "User is not registered! please reload", _CALL,
        "state unregistered_1004",
    ),
    _error(
        "username_unregistered_1005", "1005", "User is not registered! please reload", _CALL,
        "state unregistered_1005",
    ),
    _error("username_unknown_1006", "1006", "Username no exist", _CALL, "state missing_1006"),
    _error(
        "orderid_invalid", "1007", "orderid format error", _CALL,
        "orderid with other than letters and digits, or fewer than 4",
    ),
    _error(
        "orderid_too_long", "1008", "orderid length is too long", _CALL, "orderid of more than 32 characters",
    ),
    _error("data_error", "1100", "Data error!", _CALL, "an orderid used before; state data_error"),
    _error(
        "auth_failed", "1101", "appkey or secretkey invalid.", _CALL,
        "a token whose appkey was replaced since; application: disabled",
    ),
    _error("token_unknown", "1201", "This token is not available", _CALL, "a token never issued"),
    _error("token_expired", "1201", "This token has expired", _CALL, "a token older than token_lifetime"),
)  # fmt: skip

#: All of them; what comes first wins where a rule names a code that several share.
ERRORS = (*_SEND_ERRORS, *_UPLOAD_ERRORS, *_BALANCE_ERRORS, *_QUERY_ERRORS, *_AGENT_ERRORS)

#: Texts of the newer Chinese page (the ``message`` dialect). 88 and 99 could not be read there.
MESSAGE_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "0": "Success", "1": "APP unavailable", "2": "Request parameter error",
        "3": "Insufficient balance",
        "4": "The content is empty or contains illegal keys", "5": "Content too long",
        "6": "Phone number error",
        "9": "IP illegal", "20": "URL fail", "22": "Router missed",
        "23": "Country code error", "29": "Task time no more than now", "31": "Task zone not empty",
        "77": "File error",
    }
)  # fmt: skip

#: Texts with a documented Chinese form, by their English one (reply_language zh).
CHINESE_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "Request succeeded": "请求成功",
        "The current account or the account of the agent has been disabled.": (
            "当前账户或所属代理商账户已被停用"
        ),
        "Please fill in the required parameters completely.": "必填参数请完整填写",
        "Please provide correct pagination parameters.": "请正确填写分页参数",
        "Incorrect account or password.": "账号或密码有误",
    }
)

_BY_OPERATION: dict[tuple[str, str], ErrorCode] = {}
for _each in ERRORS:
    for _operation in _each.operations:
        _BY_OPERATION.setdefault((_operation, _each.name), _each)
        _BY_OPERATION.setdefault((_operation, _each.code), _each)


def find(operation: str, name_or_code: str) -> ErrorCode:
    """The error an operation has under a symbolic name or wire code; unknown ones are a bad parameter."""
    found = _BY_OPERATION.get((operation, name_or_code))
    return found or _BY_OPERATION[operation, "invalid_parameter"]


def has(operation: str, name: str) -> bool:
    """Whether an operation has such an error."""
    return (operation, name) in _BY_OPERATION
