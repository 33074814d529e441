"""Every code of the reference, each provoked by input or by an account setting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.providers.nxcloud.customer import Customer
from tests.rig import started
from voice_emulator.providers.nxcloud import PROVIDER
from voice_emulator.providers.nxcloud.errors import ERRORS, MESSAGE_TEXTS, SEND
from voice_emulator.providers.provider import ErrorCode

# Every code there is, one emulator each: the other files provoke the commonest.
pytestmark = pytest.mark.slow

PLAIN = "name: plain\nrules: []\n"


@dataclass
class Case:
    """How one error is provoked: settings, changed fields, or a whole conversation."""

    operation: str
    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    talk: Callable[[Customer], Awaitable[dict[str, Any]]] | None = None

    def __str__(self) -> str:
        return f"{self.operation}-{self.name}"


def case(operation: str, name: str, settings: Mapping[str, Any] | None = None, /, **fields: Any) -> Case:
    return Case(operation, name, fields, settings or {})


def talk(operation: str, name: str, settings: Mapping[str, Any] | None = None) -> Callable[[Any], Case]:
    return lambda function: Case(operation, name, {}, settings or {}, function)


MESSAGE = {"dialect": "message"}


def of_sending(operation: str) -> list[Case]:
    text = "msg_content" if operation == "gpsend" else "content"
    return [
        case(operation, "auth_failed", secretkey="wrong"),
        case(operation, "auth_failed", appkey="wrong"),
        case(operation, "auth_failed", {"application": "disabled"}),
        case(operation, "invalid_parameter", phone=None),
        case(operation, "invalid_parameter", country_code=""),
        case(operation, "invalid_parameter", secretkey=None),
        case(operation, "insufficient_balance", {"balance": "0.001"}),
        case(operation, "content_illegal", {"illegal_keywords": ["lottery"]}, **{text: "a LOTTERY"}),
        case(operation, "content_too_long", **{text: "x" * 1001}),
        case(operation, "invalid_number", phone="abc"),
        case(operation, "invalid_number", phone="6212345678,"),
        case(operation, "ip_not_allowed", {"allowed_ips": ["10.0.0.0/8"]}),
        case(operation, "display_number_invalid", show_phone="+12345"),
        case(operation, "display_number_invalid", show_phone="1" * 51),
        case(operation, "display_number_invalid", {"show_phones": ["999"]}),
        case(operation, "display_number_too_long", MESSAGE, show_phone="1" * 51),
        case(operation, "route_unavailable", {"routes": ["86"]}),
        case(operation, "country_code_invalid", country_code="+62"),
        case(operation, "request_failed", {"outage": "request_failed"}),
        case(operation, "system_error", {"outage": "system_error"}),
    ]


def of_batches(operation: str) -> list[Case]:
    many = ",".join(str(6212345000 + number) for number in range(101 if operation == "gpsend" else 5001))
    return [
        case(operation, "invalid_parameter", phone=many),
        case(operation, "batch_too_large", {"batch_limit_code": "7"}, phone=many),
    ]


@talk("versend", "frequency_limited", {"frequency_limit": 1})
async def _twice_in_an_hour(customer: Customer) -> dict[str, Any]:
    assert (await customer.ask("versend"))["code"] == "0"
    assert (await customer.ask("versend", phone="6212345679"))["code"] == "0"
    await customer.running.advance("59m")
    return await customer.ask("versend")


@talk("versend", "rate_limited", {"tps_limit": 2})
async def _thrice_in_a_second(customer: Customer) -> dict[str, Any]:
    for _ in range(2):
        assert (await customer.ask("versend"))["code"] == "0"
    return await customer.ask("versend")


def rate_limited(operation: str) -> Case:
    async def converse(customer: Customer) -> dict[str, Any]:
        first = await customer.ask(operation)
        assert first["code"] == ("0" if operation == "getSipCdrByOrderid" else "1")
        return await customer.ask(operation)

    return Case(operation, "rate_limited", {}, {"query_rate_limits": True}, converse)


def upload(name: str, settings: Mapping[str, Any] | None = None, **arguments: Any) -> Case:
    return Case("uploadFile", name, {}, settings or {}, lambda customer: customer.upload(**arguments))


def state(name: str, word: str) -> Case:
    settings = {"phone_accounts": {"nx-agent": {"state": word}}}
    return Case("makecall", name, {}, settings, lambda customer: customer.call())


def call(name: str, settings: Mapping[str, Any] | None = None, /, **fields: Any) -> Case:
    return Case("makecall", name, {}, settings or {}, lambda customer: customer.call(**fields))


@talk("makecall", "token_expired")
async def _old_token(customer: Customer) -> dict[str, Any]:
    token = await customer.token()
    await customer.running.advance("1199s")
    assert (await customer.ask("makecall", token=token))["code"] == 0
    await customer.running.advance("1s")
    return await customer.ask("makecall", token=token, orderid="other")


@talk("makecall", "auth_failed")
async def _replaced_application(customer: Customer) -> dict[str, Any]:
    token = await customer.token()
    customer.running.change({"credentials": {"nxcloud": {"agent": {"appkey": "another"}}}})
    return await customer.ask("makecall", token=token)


@talk("makecall", "data_error")
async def _same_orderid(customer: Customer) -> dict[str, Any]:
    assert (await customer.call())["code"] == 0
    return await customer.call()


@talk("makecall", "system_error")
async def _call_in_outage(customer: Customer) -> dict[str, Any]:
    token = await customer.token()
    customer.running.change({"settings": {"nxcloud": {"outage": "system_error"}}})
    return await customer.ask("makecall", token=token)


@talk("conversion", "invalid_parameter")
async def _bad_status(customer: Customer) -> dict[str, Any]:
    sent = await customer.ask("versend")
    return await customer.ask("conversion", messageid=sent["messageid"], status=2)


@talk("conversion", "messageid_unknown")
async def _notification_is_no_verification(customer: Customer) -> dict[str, Any]:
    sent = await customer.ask("notsend")
    return await customer.ask("conversion", messageid=sent["messageid"])


@talk("conversion", "system_error")
async def _outage_at_report(customer: Customer) -> dict[str, Any]:
    sent = await customer.ask("versend")
    customer.running.change({"settings": {"nxcloud": {"outage": "request_failed"}}})
    return await customer.ask("conversion", messageid=sent["messageid"])


LAST_MONTH = {"start_time": "2025-12-01 00:00:00", "end_time": "2025-12-01 01:00:00"}
THREE_DAYS = {"start_time": "2026-01-02 00:00:00", "end_time": "2026-01-05 00:00:00"}
NO_DATE = {"start_time": "2026-02-31 00:00:00", "end_time": "2026-03-01 00:00:00"}
SWAPPED = {"start_time": "2026-01-05 10:00:00", "end_time": "2026-01-05 09:00:00"}
STRICT = {"strict_queries": True}
OLD = {"task_time": "2026-01-05 09:00:00", "time_zone": "8"}

CASES = [
    *(each for operation in sorted(SEND) for each in of_sending(operation)),
    *of_batches("gpsend"),
    *of_batches("notsend"),
    case("gpsend", "url_unknown", url="1963370420.m4a"),
    case("gpsend", "url_unknown", {"voice_files": ["https://nxcloud.com/1.mp3"]}),
    case("gpsend", "url_unknown", {"broken_files": ["https://nxcloud.com/1963370420.m4a"]}),
    case("gpsend", "file_error", {"broken_files": ["https://nxcloud.com/1963370420.m4a"], **MESSAGE}),
    case("gpsend", "task_time_past", MESSAGE, **OLD),
    case("gpsend", "invalid_parameter", **OLD),
    case("gpsend", "time_zone_missing", MESSAGE, task_time="2026-01-06 09:00:00"),
    case("gpsend", "invalid_parameter", task_time="2026-02-30 09:00:00", time_zone="8"),
    case("gpsend", "invalid_parameter", task_time="tomorrow", time_zone="8"),
    case("notsend", "content_illegal", content=""),
    case("notsend", "content_illegal", content=" \n"),
    case("notsend", "invalid_parameter", lang="tlh"),
    case("notsend", "invalid_parameter", {"notsend_lang": "required"}, lang=None),
    case("notsend", "invalid_parameter", content=None),
    case("versend", "invalid_parameter", lang=""),
    case("versend", "invalid_number", phone="6212345678,6212345679"),
    _twice_in_an_hour,
    _thrice_in_a_second,
    case("conversion", "messageid_unknown"),
    _bad_status,
    _notification_is_no_verification,
    _outage_at_report,
    case("getVoiceCdr", "auth_failed", secretkey="wrong"),
    case("getVoiceCdr", "invalid_parameter", voiceType="2"),
    case("getVoiceCdr", "invalid_parameter", page=None),
    case("getVoiceCdr", "invalid_parameter", {"cdr_messageid_required": True}),
    case("getVoiceCdr", "page_invalid", page="0"),
    case("getVoiceCdr", "page_invalid", page_size="many"),
    case("getVoiceCdr", "time_invalid", **NO_DATE),
    case("getVoiceCdr", "time_invalid", **SWAPPED),
    case("getVoiceCdr", "time_invalid", start_time="today"),
    case("getVoiceCdr", "time_invalid", STRICT, **THREE_DAYS),
    case("getVoiceCdr", "time_invalid", STRICT, **LAST_MONTH),
    case("getVoiceCdr", "ip_not_allowed", {"allowed_ips": ["10.0.0.1"]}),
    case("getVoiceCdr", "system_error", {"outage": "system_error"}),
    rate_limited("getVoiceCdr"),
    case("getBalance", "auth_failed", secretkey="wrong"),
    case("getBalance", "auth_failed", appkey="nobody"),
    case("getBalance", "auth_failed", {"application": "disabled"}),
    case("getBalance", "invalid_parameter", appkey=""),
    case("getBalance", "invalid_parameter", secretkey=None),
    case("getBalance", "ip_not_allowed", {"allowed_ips": ["10.0.0.1"]}),
    case("getBalance", "system_error", {"outage": "request_failed"}),
    case("uploadVoiceFile", "auth_failed", secretkey="wrong"),
    case("uploadVoiceFile", "invalid_parameter", filename=""),
    case("uploadVoiceFile", "invalid_parameter", content="no base64!"),
    case("uploadVoiceFile", "content_too_long", {"upload_limit": 3}, content="SUQzBA=="),
    case("uploadVoiceFile", "ip_not_allowed", {"allowed_ips": ["10.0.0.1"]}),
    case("uploadVoiceFile", "account_disabled", {"application": "disabled"}),
    case("uploadVoiceFile", "request_failed", {"outage": "request_failed"}),
    case("uploadVoiceFile", "system_error", {"outage": "system_error"}),
    case("getUserFileUrl", "invalid_parameter", account=None),
    case("getUserFileUrl", "invalid_parameter", startTime="2026-02-30"),
    case("getUserFileUrl", "page_invalid", page="-1"),
    case("getUserFileUrl", "auth_failed", password="wrong"),
    case("getUserFileUrl", "auth_failed", account="wrong"),
    case("getUserFileUrl", "system_error", {"outage": "system_error"}),
    upload("header_missing", action=None),
    upload("header_invalid", action="send"),
    upload("header_invalid", bizType="1"),
    upload("header_invalid", ts="now"),
    upload("signature_invalid", secret="wrong"),
    upload("signature_invalid", sign="6e9506557d1f289501d333ee2c365826"),
    upload("timestamp_expired", ts="1655710885431"),
    upload("auth_failed", accessKey="wrong"),
    upload("invalid_parameter", content=None),
    upload("invalid_parameter", appkey=None),
    upload("app_unavailable", appkey="wrong"),
    upload("app_unavailable", {"application": "disabled"}),
    upload("file_too_large", content=bytes(2 * 1024 * 1024 + 1)),
    upload("system_error", content=b""),
    upload("system_error", {"outage": "system_error"}),
    case("token", "auth_failed", secretkey="wrong"),
    case("token", "auth_failed", {"application": "disabled"}),
    case("token", "auth_failed_1", {"token_failure_code": "1"}, secretkey="wrong"),
    case("token", "invalid_parameter", secretkey=None),
    case("token", "system_error", {"outage": "system_error"}),
    case("makecall", "invalid_parameter"),
    case("makecall", "token_unknown", token="05804537D2A6693DC7E6CC5E0ADA09B9"),
    _old_token,
    _replaced_application,
    call("invalid_parameter", phone="12"),
    call("username_unknown", username="nobody"),
    state("username_unknown", "missing"),
    state("username_unknown_1006", "missing_1006"),
    state("username_locked", "locked"),
    state("username_unregistered", "unregistered"),
    state("username_unregistered_1004", "unregistered_1004"),
    state("username_unregistered_1005", "unregistered_1005"),
    state("data_stale", "stale"),
    state("data_error", "data_error"),
    _same_orderid,
    call("orderid_invalid", orderid="FLNK-1548391358819"),
    call("orderid_invalid", orderid="abc"),
    call("orderid_too_long", orderid="a" * 33),
    _call_in_outage,
    case("getSipCdr", "auth_failed", secretkey="wrong"),
    case("getSipCdr", "username_unknown", username="nobody"),
    case("getSipCdr", "page_invalid", page_size="1001"),
    case("getSipCdr", "time_invalid", **THREE_DAYS),
    case("getSipCdr", "time_invalid", **LAST_MONTH),
    case("getSipCdr", "invalid_parameter", start_time=None),
    case("getSipCdr", "system_error", {"outage": "system_error"}),
    rate_limited("getSipCdr"),
    case("getSipCdrByOrderid", "invalid_parameter", orderid=None),
    case("getSipCdrByOrderid", "invalid_parameter", orderid=",".join(["abcd"] * 21)),
    case("getSipCdrByOrderid", "auth_failed", secretkey="wrong"),
    case("getSipCdrByOrderid", "system_error", {"outage": "system_error"}),
    rate_limited("getSipCdrByOrderid"),
]  # fmt: skip


#: Errors of the table that no input and no setting provokes, with the reason.
NOT_PROVOKED = {
    ("notsend", "url_unknown"): "notsend takes no url, although its page lists the code",
    ("versend", "url_unknown"): "versend takes no url, although its page lists the code",
}

#: Codes of the references that belong to no operation served here.
FOREIGN_CODES = {
    "8": "SENDER_ERROR: text messages", "10": "CONTENT_NEED_UTF8_ENCODE: in the client's table only",
    "11": "EMAIL_FORMAT_WORNG: e-mail", "12": "CUSTOMER_PRICE_ERROR: in the client's table only",
    "13": "CUSTOMER_APP_NOT_EXIST: in the client's table only",
    "14": "NO_VENDOR_PRICE: in the client's table only",
    "15": "NO_VENDOR: in the client's table only", "16": "VENDOR_ROUTE_ERROR: in the client's table only",
    "17": "VENDOR_ERROR: in the client's table only", "24": "NO_CALLEE_NUMBER: in the client's table only",
    "26": "DUPLICATED_PHONE_CONTENT_IN_5_MINUTES: text messages",
    "101": "FEATURE_DISABLED: in the client's table only",
    "103": "EMOJI_NOT_SUPPORTED: text messages",
}  # fmt: skip


def error_of(operation: str, name: str) -> Any:
    return next(error for error in ERRORS if error.name == name and operation in error.operations)


@pytest.fixture(scope="module")
def expected_text() -> Callable[[Case], str]:
    def text(each: Case) -> str:
        error = error_of(each.operation, each.name)
        message = each.settings.get("dialect") == "message"
        found = MESSAGE_TEXTS.get(error.code, error.text) if message else error.text
        assert isinstance(found, str)
        return found

    return text


@pytest.mark.parametrize("each", CASES, ids=str)
async def test_code(each: Case, expected_text: Callable[[Case], str]) -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        if each.settings:
            running.change({"settings": {"nxcloud": dict(each.settings)}})
        if each.talk is not None:
            reply = await each.talk(customer)
        else:
            reply = await customer.ask(each.operation, **each.fields)
    error = error_of(each.operation, each.name)
    assert str(reply["code"]) == error.code
    shown = next(reply[key] for key in ("result", "message", "info") if key in reply)
    assert shown == expected_text(each)
    assert isinstance(reply["code"], int) is (each.operation in ("uploadFile", "token", "makecall"))


def test_table_has_no_gaps() -> None:
    """Every (operation, error) of the provider is provoked above, or is listed with the reason."""
    declared = {(operation, error.name) for error in ERRORS for operation in error.operations}
    provoked = {(each.operation, each.name) for each in CASES}
    assert declared - provoked == set(NOT_PROVOKED)
    assert all(error.how for error in ERRORS)
    assert {error.code for error in ERRORS}.isdisjoint(FOREIGN_CODES)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{min(error.operations)}-{error.name}")
def test_rule_finds_error_by_name_and_code(error: ErrorCode) -> None:
    for operation in error.operations:
        assert PROVIDER.find_error(error.name, operation) is error
        by_code = PROVIDER.find_error(error.code, operation)
        assert by_code is not None
        assert by_code.code == error.code


@pytest.mark.parametrize(
    ("operation", "name", "code", "text"),
    [
        ("getVoiceCdr", "time_invalid", "0", "time invalid"),
        ("versend", "rate_limited", "28", "The TPS limit has been reached"),
        ("versend", "20", "20", "URL does not exist"),
        ("notsend", "url_unknown", "20", "URL does not exist"),
        ("token", "1", "1", "appkey or secretkey invalid."),
        ("getUserFileUrl", "page_invalid", "failed", "Please provide correct pagination parameters."),
        ("gpsend", "31", "31", "Task zone not empty"),
    ],
)
async def test_rule_answers_an_error(operation: str, name: str, code: str, text: str) -> None:
    rule = f"name: refusing\nrules:\n  - name: refuse\n    reply: {{error: '{name}'}}\n"
    async with started(rule, "manual") as running:
        reply = await Customer(running).ask(operation)
        assert str(reply["code"]) == code
        assert text in reply.values()
        assert not list(running.tenant.ledger)


async def test_first_problem_in_order_wins() -> None:
    """Missing field, then key, then address, country, number, ...: fixed one after the other."""
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        running.change(
            {"settings": {"nxcloud": {"allowed_ips": ["10.0.0.1"], "balance": "0", "routes": ["1"]}}}
        )
        wrong: dict[str, Any] = {
            "url": None, "secretkey": "wrong", "country_code": "+62", "phone": "x", "show_phone": "x",
        }  # fmt: skip
        seen = [(await customer.ask("gpsend", **wrong))["code"]]
        for fixed in ("url", "secretkey"):
            del wrong[fixed]
            seen.append((await customer.ask("gpsend", **wrong))["code"])
        running.change({"settings": {"nxcloud": {"allowed_ips": ["127.0.0.0/8"]}}})
        for fixed in ("country_code", "phone", "show_phone"):
            seen.append((await customer.ask("gpsend", **wrong))["code"])
            del wrong[fixed]
        seen.append((await customer.ask("gpsend"))["code"])
        running.change({"settings": {"nxcloud": {"routes": []}}})
        seen.append((await customer.ask("gpsend"))["code"])
        assert seen == ["2", "1", "9", "23", "6", "21", "22", "3"]
