"""Every code NXCloud answers with, its texts, and how to provoke it.

The same number means different things at different operations, and most query failures share one number
and differ by text. So a :class:`~voice_emulator.providers.request.Problem` has a symbolic name as its code,
and the number and text are looked up here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from voice_emulator.providers.kit.tables import errors
from voice_emulator.providers.provider import ErrorCode as Code

SEND = frozenset({"gpsend", "notsend", "versend"})
BATCH = frozenset({"gpsend", "notsend"})
SPOKEN = frozenset({"notsend", "versend"})
AGENT = frozenset({"token", "makecall"})


_NO_URL = "by a rule's reply.error only: the page lists the code although the operation has no url"

#: In the order in which a name or code is looked up.
ERRORS: tuple[Code, ...] = (
    *errors(SEND,
        Code("auth_failed", "1", "Application unavailable or key error",
             "a wrong appkey or secretkey; or application: disabled"),
        Code("invalid_parameter", "2", "Parameter error or empty", "leave out or empty a required field"),
        Code("insufficient_balance", "3", "Insufficient balance", "balance below one cycle per number"),
        Code("content_illegal", "4", "Content is empty or contains illegal keywords",
             "blank content; a word of illegal_keywords in content (gpsend: in msg_content)"),
        Code("content_too_long", "5", "Content is too long",
             "content (gpsend: msg_content) longer than content_max"),
        Code("invalid_number", "6", "Invalid phone number",
             "a number that is not 5 to 20 digits; versend: more than one number"),
        Code("ip_not_allowed", "9", "Illegal IP", "allowed_ips without the caller's address"),
        Code("display_number_invalid", "21", "Invalid display number",
             "show_phone with other than digits, with more than show_phone_max, or not in show_phones"),
        Code("route_unavailable", "22", "Route not available", "routes without the country_code"),
        Code("country_code_invalid", "23", "Invalid country code",
             "country_code with a plus sign or other than 1 to 4 digits"),
        Code("display_number_too_long", "78", "The number exceeds 50 digits", "as 21, dialect: message",
             "inferred", "only the first two words of the text could be read"),
        Code("request_failed", "88", "Request failed", "outage: request_failed"),
        Code("system_error", "99", "System error", "outage: system_error")),
    *errors(BATCH,
        Code("batch_too_large", "7", "More than 100 numbers",
             "more than batch_limit (notsend: notsend_batch_limit) numbers with batch_limit_code: 7",
             "inferred")),
    *errors("gpsend",
        Code("url_unknown", "20", "URL does not exist",
             "an invalid url; one not in voice_files once that is set"),
        Code("task_time_past", "29", "Task time no more than now",
             "task_time not in the future, dialect: message"),
        Code("time_zone_missing", "31", "Task zone not empty",
             "task_time without time_zone, dialect: message"),
        Code("file_error", "77", "File error", "a url in broken_files, dialect: message")),
    *errors(SPOKEN,
        Code("url_unknown", "20", "URL does not exist", _NO_URL)),
    *errors("versend",
        Code("frequency_limited", "27", "The number has reached its limit of sends in this hour",
             "more calls to one number in an hour than frequency_limit",
             meaning="the page gives the meaning, no text"),
        Code("rate_limited", "28", "The TPS limit has been reached",
             "more requests in a second than tps_limit", meaning="the page gives the meaning, no text")),
    *errors("uploadVoiceFile",
        Code("auth_failed", "1", "Application unavailable or key error", "a wrong appkey or secretkey",
             "inferred"),
        Code("invalid_parameter", "2", "Parameter error or empty",
             "a missing field; content that is not Base64", "inferred"),
        Code("content_too_long", "5", "Content is too long", "a file over upload_limit", "choice"),
        Code("ip_not_allowed", "9", "Illegal IP", "allowed_ips without the caller's address", "inferred"),
        Code("request_failed", "88", "Request failed", "outage: request_failed", "choice"),
        Code("system_error", "99", "System error", "outage: system_error", "choice"),
        Code("account_disabled", "102", "The current account or the account of the agent has been disabled.",
             "application: disabled")),
    *errors("getUserFileUrl",
        Code("invalid_parameter", "failed", "Please fill in the required parameters completely.",
             "a missing field"),
        Code("page_invalid", "failed", "Please provide correct pagination parameters.",
             "a page that is not a number from 1"),
        Code("auth_failed", "failed", "Incorrect account or password.", "a wrong account or password"),
        Code("system_error", "failed", "System error", "outage: system_error", "choice")),
    *errors("uploadFile",
        Code("header_missing", "1001", "Missing parameters", "a missing header"),
        Code("header_invalid", "1002", "Parameter error", "another bizType or action; ts that is not a number"),
        Code("signature_invalid", "1003", "Invalid signature", "a wrong sign"),
        Code("timestamp_expired", "1004", "Timestamp expired", "ts more than 60 s off"),
        Code("auth_failed", "1005", "Insufficient permissions", "an unknown accessKey"),
        Code("invalid_parameter", "9000", "Request parameter error", "no appkey or no file"),
        Code("app_unavailable", "9003", "Customer APP does not exist / Status is unavailable",
             "an unknown appkey; application: disabled"),
        Code("file_too_large", "15001", "file exceed 2MB", "a file over upload_limit"),
        Code("system_error", "15002", "file upload fail", "an empty file; or outage")),
    *errors("getBalance",
        Code("auth_failed", "1", "Application unavailable or key error",
             "a wrong appkey or secretkey; or application: disabled", "choice",
             "the page shows no failure: codes and shape are those of uploadVoiceFile"),
        Code("invalid_parameter", "2", "Parameter error or empty", "a missing field", "choice"),
        Code("ip_not_allowed", "9", "Illegal IP", "allowed_ips without the caller's address", "choice"),
        Code("system_error", "99", "System error", "outage: system_error", "choice")),
    *errors("conversion",
        Code("messageid_unknown", "failed", "messageid not exist", "a messageid that versend never gave"),
        Code("invalid_parameter", "failed", "params invalid", "no status, or one that is not 0 or 1",
             "choice"),
        Code("system_error", "failed", "system error", "outage: system_error", "choice")),
    *errors("getVoiceCdr",
        Code("auth_failed", "0", "appkey or secretkey invalid", "a wrong appkey or secretkey", "inferred"),
        Code("invalid_parameter", "0", "params invalid", "a missing field", "inferred"),
        Code("page_invalid", "0", "page_size or page_index invalid", "a page that is not a number from 1",
             "inferred"),
        Code("time_invalid", "0", "time invalid", "an invalid date; strict_queries: a span over 24 h",
             "inferred"),
        Code("rate_limited", "0", "appkey access rate limit", "query_rate_limits, twice in a second",
             "inferred"),
        Code("ip_not_allowed", "0", "Illegal IP", "allowed_ips without the caller's address", "inferred"),
        Code("system_error", "0", "system error", "outage: system_error", "choice")),
    *errors("getSipCdr",
        Code("auth_failed", "0", "appkey or secretkey invalid", "a wrong appkey or secretkey"),
        Code("username_unknown", "0", "mobile no exist", "an unknown username"),
        Code("page_invalid", "0", "page_size or page_index invalid", "page_size over 1000"),
        Code("time_invalid", "0", "time invalid", "a span over 24 hours, or more than 15 days ago"),
        Code("invalid_parameter", "0", "params invalid", "a missing field", "inferred"),
        Code("rate_limited", "0", "appkey access rate limit",
             "query_rate_limits, twice in two seconds from one address", "inferred"),
        Code("system_error", "0", "system error", "outage: system_error", "choice")),
    *errors("getSipCdrByOrderid",
        Code("invalid_parameter", "1", "params invalid", "no orderid, or more than 20"),
        Code("auth_failed", "1", "appkey or secretkey invalid", "a wrong appkey or secretkey", "inferred"),
        Code("rate_limited", "1", "appkey access rate limit", "query_rate_limits, twice in a second"),
        Code("system_error", "1", "system error", "outage: system_error", "choice")),
    *errors("token",
        Code("auth_failed", "1101", "appkey or secretkey invalid.", "a wrong appkey or secretkey"),
        Code("auth_failed_1", "1", "appkey or secretkey invalid.", "the same with token_failure_code: 1")),
    *errors(AGENT,
        Code("invalid_parameter", "1200", "Parameter error!",
             "a missing field; makecall: phone not 5 to 20 digits"),
        Code("system_error", "10000", "unknown error", "outage: system_error")),
    *errors("makecall",
        Code("data_stale", "1000", "data error, please reload token", "phone_accounts: state stale"),
        Code("username_unknown", "1001", "Username no exist!", "an unknown username; state missing"),
        Code("username_locked", "1002", "Username lock, please contact the administrator!",
             "phone_accounts: state locked"),
        Code("username_unregistered", "1003", "User is not registered! please reload",
             "phone_accounts: state unregistered"),
        Code("username_unregistered_1004", "1004", "User is not registered! please reload",
             "state unregistered_1004"),
        Code("username_unregistered_1005", "1005", "User is not registered! please reload",
             "state unregistered_1005"),
        Code("username_unknown_1006", "1006", "Username no exist", "state missing_1006"),
        Code("orderid_invalid", "1007", "orderid format error",
             "orderid with other than letters and digits, or fewer than 4"),
        Code("orderid_too_long", "1008", "orderid length is too long", "orderid of more than 32 characters"),
        Code("data_error", "1100", "Data error!", "an orderid used before; state data_error"),
        Code("auth_failed", "1101", "appkey or secretkey invalid.",
             "a token whose appkey was replaced since; application: disabled"),
        Code("token_unknown", "1201", "This token is not available", "a token never issued"),
        Code("token_expired", "1201", "This token has expired", "a token older than token_lifetime")),
)  # fmt: skip

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

_BY_OPERATION: dict[tuple[str, str], Code] = {}
for _each in ERRORS:
    for _operation in _each.operations:
        _BY_OPERATION.setdefault((_operation, _each.name), _each)
        _BY_OPERATION.setdefault((_operation, _each.code), _each)


def find(operation: str, name_or_code: str) -> Code:
    """The error an operation has under a symbolic name or wire code; unknown ones are a bad parameter."""
    found = _BY_OPERATION.get((operation, name_or_code))
    return found or _BY_OPERATION[operation, "invalid_parameter"]


def has(operation: str, name: str) -> bool:
    """Whether an operation has such an error."""
    return (operation, name) in _BY_OPERATION
