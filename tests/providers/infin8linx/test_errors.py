"""Every code of the service, provoked: by what the client sends, by the account's settings, or, where
neither can do it, by a rule.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.infin8linx.account import BATCH, EVER, KEYS, SERVICES, call, log_in, post, setting
from tests.rig import Running, started
from voice_emulator.providers.infin8linx import PROVIDER
from voice_emulator.providers.infin8linx.errors import BY_CODE, REFUSALS
from voice_emulator.providers.infin8linx.texts import CHINESE_CODES
from voice_emulator.schemas.validate import SchemaSet

# Every code there is, one emulator each: the other files provoke the commonest.
pytestmark = pytest.mark.slow

REPLIES = SchemaSet.load({"infin8linx": PROVIDER})

EXPIRED = {"licence_until": "2026-01-05 09:00:00"}
FOREIGN = {"allowed_ips": ["10.0.0.0/8", "192.168.1.7"]}
POOL = {"caller_pool": {"2101": "enabled", "2102": "disabled", "2103": "missing"}}
TRANSFER = {
    "destnumber": "62811",
    "voicetype": "1",
    "voicefile": "a",
    "chengshudu": "1",
    "userid": "1@extGroup-1",
}
SINGLE = {"destnumber": "62811", "voicetype": "1", "voicefile": "a"}


def extension(state: str) -> dict[str, Any]:
    return {"agent_groups": {"extGroup-1": "701005"}, "extension_states": {"701005": state}}


#: (code, settings, operation, fields): with settings put in force after a token was fetched, the
#: operation answers this code. ``token`` in fields stands for that token.
BY_INPUT_OR_SETTING: list[tuple[str, dict[str, Any], str, dict[str, str]]] = [
    ("400", {}, "Login", {"appid": "in8-appid"}),
    ("400", {}, "Login", {"appid": "in8-appid", "accesskey": ""}),
    ("400", {}, "Logout", {}),
    ("400", {}, "PlayVoice", {**BATCH, "destnumber": "x"}),
    ("400", {}, "PlayVoice", {}),
    ("400", POOL, "PlayVoice", {**BATCH, "disnumber": "2104"}),
    ("400", {"voice_files": []}, "PlayVoice", BATCH),
    ("400", {}, "GetBill", {"token": "token", "starttime": "x", "endtime": "y"}),
    ("400", {}, "GetRecodeFile", {"token": "token"}),
    ("600", {}, "Logout", {"token": "f" * 32}),
    ("600", {}, "PlayVoice", {**SINGLE, "token": "f" * 32}),
    ("600", {}, "GetBill", {**EVER, "token": ""}),
    ("600", {}, "GetRecodeFile", {"filename": "a.mp3", "token": "f" * 32}),
    ("601", {}, "Login", {"appid": "nobody", "accesskey": "in8-accesskey"}),
    ("601", {}, "PlayVoice", {**BATCH, "appid": "nobody"}),
    ("601", {}, "PlayVoice", {**BATCH, "accesskey": "wrong"}),
    ("602", EXPIRED, "Login", KEYS),
    ("602", EXPIRED, "PlayVoice", BATCH),
    ("602", EXPIRED, "PlayVoice", {**SINGLE, "token": "token"}),
    ("602", EXPIRED, "GetBill", {**EVER, "token": "token"}),
    ("603", {"modules": ["cdr"]}, "PlayVoice", BATCH),
    ("603", {"modules": ["ivr"]}, "GetBill", {**EVER, "token": "token"}),
    ("603", {"modules": ["ivr"]}, "GetRecodeFile", {"filename": "a.mp3", "token": "token"}),
    ("604", FOREIGN, "Login", KEYS),
    ("604", FOREIGN, "PlayVoice", BATCH),
    ("604", FOREIGN, "Logout", {"token": "token"}),
    ("1003", {}, "Login", {**KEYS, "accesskey": "wrong"}),
    ("1010", extension("exception"), "PlayVoice", {**TRANSFER, "token": "token"}),
    ("1011", extension("foreign"), "PlayVoice", {**TRANSFER, "token": "token"}),
    ("1012", {"agent_groups": {"extGroup-2": "701005"}}, "PlayVoice", {**TRANSFER, "token": "token"}),
    ("1012", extension("missing"), "PlayVoice", {**TRANSFER, "token": "token"}),
    ("1013", extension("disabled"), "PlayVoice", {**TRANSFER, "token": "token"}),
    ("1014", extension("unregistered"), "PlayVoice", {**TRANSFER, "token": "token"}),
    ("1019", POOL, "PlayVoice", {**SINGLE, "token": "token", "disnumber": "2102"}),
    ("1020", POOL, "PlayVoice", {**SINGLE, "token": "token", "disnumber": "2103"}),
    ("1021", POOL, "PlayVoice", {**SINGLE, "token": "token", "disnumber": "2104"}),
    ("1029", {}, "GetRecodeFile", {"filename": "a.mp3", "token": "token"}),
]

#: Codes that neither input nor a setting provokes: the reason stands in ``ErrorCode.how``.
BY_RULE_ONLY = (
    "500",
    "1001",
    "1002",
    "1015",
    "1016",
    "1017",
    "1018",
    "1024",
    "1025",
    "1026",
    "1027",
    "1028",
    "1031",
    "1032",
    "1033",
)

CODES = {error.code for error in PROVIDER.errors}


def assert_refused(answer: dict[str, Any], code: str, operation: str, *, batch: bool) -> None:
    """The answer says ``code`` in the envelope of its flavour, and nothing else."""
    assert REPLIES.get(f"infin8linx/{operation}.reply").violations(answer) == []
    if batch:
        assert (list(answer), answer["code"], answer["data"]) == (["code", "msg", "data"], int(code), [])
        assert answer["msg"]
    elif code in REFUSALS:
        assert (list(answer), answer["ret"], answer["data"]) == (["ret", "data", "msg"], int(code), [])
        assert answer["msg"]
    else:
        assert (answer["ret"], answer["msg"], answer["data"]["status"]) == (200, "", 1)
        assert answer["data"]["errors"]["code"] == code
        assert answer["data"]["errors"]["codemsg"]
        assert "result" not in answer["data"]


def test_no_code_is_left_out() -> None:
    provoked = {code for code, *_ in BY_INPUT_OR_SETTING} | {"404"}
    assert provoked | set(BY_RULE_ONLY) == CODES == set(BY_CODE) == set(CHINESE_CODES)
    assert not provoked & set(BY_RULE_ONLY)
    for error in PROVIDER.errors:
        assert error.how.startswith("by a rule's reply.error only: ") is (error.code in BY_RULE_ONLY)


@pytest.mark.parametrize(("code", "settings", "operation", "fields"), BY_INPUT_OR_SETTING)
async def test_by_input_or_setting(
    code: str, settings: dict[str, Any], operation: str, fields: dict[str, str]
) -> None:
    async with started() as emu:
        token = await log_in(emu)
        emu.change(setting(**settings))
        wanted = {**fields, "service": SERVICES[operation]}
        if wanted.get("token") == "token":
            wanted["token"] = token
        batch = operation == "PlayVoice" and "token" not in wanted
        answer = await post(emu, wanted)
        assert_refused(answer, code, operation, batch=batch)
        assert len(emu.tenant.ledger) == 0


async def with_rule(emu: Running, operation: str, fields: dict[str, str]) -> Any:
    token = (await post(emu, {"service": SERVICES["Login"], **KEYS}))["data"]["result"]["token"]
    return await call(emu, operation, **{**fields, "token": token})


def ruled(error: str, operation: str) -> str:
    rule = f"  - name: refused\n    match: {{operation: {operation}}}\n    reply: {{error: '{error}'}}\n"
    return f"name: ruled\nrules:\n{rule}"


@pytest.mark.parametrize("code", sorted(CODES))
async def test_a_rule_may_answer_every_code_in_envelope_r(code: str) -> None:
    async with started(ruled(code, "PlayVoice")) as emu:
        answer = await with_rule(emu, "PlayVoice", SINGLE)
        assert_refused(answer, code, "PlayVoice", batch=False)
        text = answer["msg"] if code in REFUSALS else answer["data"]["errors"]["codemsg"]
        assert text == BY_CODE[code].text
        assert len(emu.tenant.ledger) == 0


@pytest.mark.parametrize("code", sorted(CODES))
async def test_envelope_k_has_no_status_so_other_codes_become_400_or_500(code: str) -> None:
    expected = code if code in REFUSALS else "500" if code in ("1001", "1002", "1003") else "400"
    async with started(ruled(code, "PlayVoice")) as emu:
        answer = await post(emu, BATCH)
        assert_refused(answer, expected, "PlayVoice", batch=True)
        assert answer["msg"] == BY_CODE[code].text


@pytest.mark.parametrize(
    ("name", "operation", "fields", "code"),
    [
        ("auth_failed", "Login", KEYS, "1003"),
        ("auth_failed", "GetBill", EVER, "600"),
        ("auth_failed", "Logout", {}, "600"),
        ("auth_failed", "PlayVoice", SINGLE, "601"),
        ("invalid_number", "PlayVoice", SINGLE, "400"),
        ("invalid_parameter", "GetBill", EVER, "400"),
        ("ip_not_allowed", "GetBill", EVER, "604"),
        ("system_error", "GetBill", EVER, "500"),
        ("licence_expired", "GetBill", EVER, "602"),
        ("file_missing", "GetRecodeFile", {"filename": "a"}, "1029"),
    ],
)
async def test_symbolic_names(name: str, operation: str, fields: dict[str, str], code: str) -> None:
    async with started(ruled(name, operation)) as emu:
        if operation == "Login":
            answer = await call(emu, "Login", **fields)
            assert answer["data"]["errors"]["codemsg"] == "Authorization failed"
        else:
            answer = await with_rule(emu, operation, fields)
        assert_refused(answer, code, operation, batch=False)


async def test_an_expired_token_by_fault() -> None:
    scenario = (
        "name: expiring\nrules:\n  - name: expired\n    match: {operation: [PlayVoice, GetBill]}\n"
        "    fault: {token_expired: true}\n"
    )
    async with started(scenario) as emu:
        assert_refused(await with_rule(emu, "GetBill", EVER), "600", "GetBill", batch=False)
        assert_refused(await with_rule(emu, "PlayVoice", SINGLE), "600", "PlayVoice", batch=False)
        assert len(emu.tenant.ledger) == 0


async def test_a_bad_parameter_comes_before_bad_credentials() -> None:
    """As in the framework, which reads parameters first; the journal keeps every problem."""
    async with started() as emu:
        answer = await post(emu, {**BATCH, "appid": "nobody", "voicetype": "9"})
        assert answer["code"] == 400
        (entry,) = [entry for entry in emu.tenant.journal if entry.kind == "request"]
        assert {problem["code"] for problem in entry.record.shown()["violations"]} == {"601", "400"}


async def test_the_account_s_conditions_are_told_only_to_its_owner() -> None:
    async with started() as emu:
        emu.change(setting(**EXPIRED, **FOREIGN, **POOL))
        assert (await post(emu, {**BATCH, "appid": "nobody", "disnumber": "2104"}))["code"] == 601


async def test_an_allowed_address_passes_and_so_does_a_later_licence() -> None:
    async with started() as emu:
        emu.change(setting(allowed_ips=["10.0.0.1", "127.0.0.0/8"], licence_until="2026-01-05 09:00:01"))
        assert (await post(emu, BATCH))["code"] == 200
        await emu.advance("1s")
        assert (await post(emu, BATCH))["code"] == 602


async def test_error_codes_may_be_numbers_and_empty_data_an_object() -> None:
    async with started() as emu:
        emu.change(setting(numeric_error_codes=True, empty_data="object"))
        answer = await call(emu, "Login", appid="in8-appid", accesskey="wrong")
        assert answer["data"]["errors"]["code"] == 1003
        assert (await call(emu, "Login", appid="nobody", accesskey="wrong"))["data"] == {}
