"""Every code of the provider's tables, provoked by what a client sends or by how the account is set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.providers.huawei_cec.client import (
    CREATE,
    CREATE_V1,
    NOTIFICATION,
    NOTIFICATION_V1,
    TEMPLATE,
    UPLOAD,
    Answer,
    Client,
    signed_in,
)
from voice_emulator.providers.huawei_cec import PROVIDER
from voice_emulator.providers.huawei_cec.errors import ERRORS, STORE_TROUBLES
from voice_emulator.providers.huawei_cec.operations import OPERATIONS

# Every code there is, one emulator each: the other files provoke the commonest.
pytestmark = pytest.mark.slow

SPAN = {"startTime": "1767574000000", "endTime": "1767575000000"}
STRICT = {"catalogue": "strict"}
Before = Callable[[Client, dict[str, Any]], Awaitable[None]]


async def uploaded(client: Client, body: dict[str, Any], **changes: Any) -> str:
    answer = await client.send("importVoiceFile", {**UPLOAD, **changes})
    assert answer.code == "0"
    body["playList"] = [{"voiceId": answer.body["fileId"]}]
    file_id: str = answer.body["fileId"]
    return file_id


async def rejected(client: Client, body: dict[str, Any]) -> None:
    await uploaded(client, body)
    await client.emu.advance("5s")


async def other_scene(client: Client, body: dict[str, Any]) -> None:
    await uploaded(client, body, voiceType="0")
    await client.emu.advance("5s")


async def called_once(client: Client, body: dict[str, Any]) -> None:
    await client.call()


async def recorded(client: Client, body: dict[str, Any]) -> None:
    body["callSerialNo"] = await client.call()
    await client.emu.settle()


async def ten_uploads(client: Client, body: dict[str, Any]) -> None:
    for _ in range(10):
        await uploaded(client, {})


@dataclass(frozen=True)
class Case:
    """One way to one code: what is changed in a good body, settings, and what happens before."""

    operation: str
    code: str
    change: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    before: Before | None = None
    drop: tuple[str, ...] = ()

    def __str__(self) -> str:
        marks = ",".join([*self.change, *(f"-{name}" for name in self.drop), *self.settings])
        return f"{self.operation}-{self.code}-{marks}"[:90]


BODIES: Mapping[str, Mapping[str, Any]] = {
    "tokenByAkSk": {"app_key": "cec-app-key", "app_secret": "cec-app-secret"},
    CREATE: NOTIFICATION,
    CREATE_V1: NOTIFICATION_V1,
    "queryVoiceNotificationRecording": {},
    "importVoiceFile": UPLOAD,
    "createVoiceTemplate": TEMPLATE,
    "queryCallDetailRecord": SPAN,
    "queryCallState": {"callSerialNo": "1"},
    "getRecordingAddress": {"callSerialNo": "1"},
}


def play(**item: Any) -> dict[str, Any]:
    return {"playList": [item]}


def both(code: str, change: Mapping[str, Any] | None = None, **more: Any) -> list[Case]:
    return [Case(operation, code, change or {}, **more) for operation in (CREATE, CREATE_V1)]


FILES = {
    "a1": {"status": "unsubmitted"},
    "a2": {},
    "t1": {"type": "text", "text": "Dear ${TXT_8}, ${NUM_6}"},
}
CASES = [
    *both("1", settings={"one_open_call_per_number": True}, before=called_once),
    Case(CREATE_V1, "2", {"callData": "x" * 1025}),
    *both("5", drop=("called",)),
    *both("5", {"called": None}),
    *both("5", {"called": ""}),
    *both("5", {"called": "1" * 33}),
    *both("5", {"called": "12a"}),
    *both("5", {"called": "1+2"}),
    *both("5", {"called": "8899\n"}),
    *both("5", {"called": "１２３"}),
    *both("6", settings={"vdn": "disabled"}),
    *both("6", settings={"vdn": "missing"}),
    *both("7", {"callerPresent": "1" * 33}),
    *both("7", settings={"access_codes": ["960003"]}),
    *both("7", {"callerPresent": "1234567890"},
          settings={"access_codes": ["960003"], "caller_transparency": True}),
    Case(CREATE_V1, "8", drop=("voiceContent",)),
    Case(CREATE_V1, "8", {"voiceContent": None}),
    Case(CREATE_V1, "8", {"voiceContent": ""}),
    Case(CREATE_V1, "8", {"voiceContent": "1" * 1025}),
    Case(CREATE_V1, "8", {"voiceContent": "1" * 1001}, settings={"voice_content_limit": 1000}),
    Case(CREATE_V1, "8", {"voiceContent": "$open"}),
    Case(CREATE_V1, "8", {"voiceContent": "$text$~a9"}, settings=STRICT),
    Case(CREATE_V1, "8", {"voiceContent": "a1"}, settings={"voice_files": FILES}),
    *both("9", {"callBackUrl": "ftp://127.0.0.1/"}),
    *both("9", {"callBackUrl": "http://127.0.0.1/" + "x" * 240}),
    *both("9", {"callBackUrl": "bm90IGEgdXJs"}),
    *both("9", {"callBackUrl": "http://127.0.0.1:80/"}, settings={"callback_url_form": "base64"}),
    *both("9", {"callBackUrl": "aHR0cDovLzEyNy4wLjAuMTo4MC8="}, settings={"callback_url_form": "plain"}),
    *both("9", {"callBackUrl": "http://127.0.0.1:80/"}, settings={"callback_trustlist": ["127.0.0.1:81"]}),
    Case(CREATE, "10", {"playTimes": 0}),
    Case(CREATE, "10", {"playTimes": 6}),
    Case(CREATE, "10", {"playTimes": 1.5}),
    Case(CREATE, "10", {"playTimes": "often"}),
    Case(CREATE, "10", {"playTimes": "2"}, settings={"lenient_types": False}),
    Case(CREATE, "11", drop=("playList",)),
    Case(CREATE, "11", {"playList": None}),
    Case(CREATE, "11", {"playList": []}),
    Case(CREATE, "11", {"playList": [{"voiceId": "1"}] * 6}),
    Case(CREATE, "12", play()),
    Case(CREATE, "12", play(voiceId="", templateId=None)),
    Case(CREATE, "12", {"playList": [{"voiceId": "1"}, {"templateParams": ["1"]}]}),
    Case(CREATE, "13", play(voiceId="1", templateParams=["x" * 33])),
    Case(CREATE, "13", play(voiceId="1", templateParams=["人民公园正门口在那边啊"])),
    Case(CREATE, "13", play(templateId="t1", templateParams=["much too long", "1"]),
         settings={"voice_files": FILES, "check_template_values": True}),
    *(Case(CREATE, "14", play(voiceId="1", templateParams=[bad])) for bad in ("$", "a{", "}", "${TXT_8}")),
    Case(CREATE, "15", play(voiceId="1", templateParams=[])),
    Case(CREATE, "15", play(voiceId="1", templateParams=["1"] * 11)),
    Case(CREATE, "15", play(templateId="t1", templateParams=["Lee"]),
         settings={"voice_files": FILES, "check_template_values": True}),
    *both("16", settings={"trial_allow_list": ["88990"]}),
    *both("16", settings={"trial_allow_list": []}),
    Case(CREATE, "17", settings=STRICT),
    Case(CREATE, "17", play(voiceFileName="nobody"), settings=STRICT),
    Case(CREATE, "17", play(templateId="a9"), settings={"voice_files": FILES}),
    Case(CREATE, "18", settings=STRICT, before=other_scene),
    Case(CREATE, "19", play(voiceId="a1"), settings={"voice_files": FILES}),
    Case(CREATE, "20", settings=STRICT, before=uploaded),  # type: ignore[arg-type]  # its result is not needed
    Case(CREATE, "21", settings={**STRICT, "review_verdict": "rejected"}, before=rejected),
    Case(CREATE, "22", play(templateId="a2"), settings={"voice_files": FILES}),
    Case(CREATE, "23", play(voiceId="t1"), settings={"voice_files": FILES}),
    *(case for bad in ("0", "10", "high", "", 0, 10, 1.5) for case in both("36", {"priority": bad})),
    *both("36", {"priority": 3}, settings={"lenient_types": False}),
    Case("queryVoiceNotificationRecording", "1", {"type": 1}),
    Case("queryVoiceNotificationRecording", "2", {"offset": -1}),
    Case("queryVoiceNotificationRecording", "2", {"limit": 0}),
    *(Case("importVoiceFile", "1", drop=(name,)) for name in ("fileInfo", "locale", "voiceType", "fileType")),
    Case("importVoiceFile", "1", {"locale": "fr_FR"}),
    Case("importVoiceFile", "1", {"voiceType": "4"}),
    Case("importVoiceFile", "1", {"fileType": "ogg"}),
    Case("importVoiceFile", "1", {"fileInfo": "not base64!"}),
    Case("importVoiceFile", "1", {"fileInfo": "abcde"}),
    Case("importVoiceFile", "1", {"fileInfo": "QUJD" * (8 * 1024 * 1024 // 3 + 2)}),
    Case("importVoiceFile", "1", {"voiceFileName": "not-this"}),
    Case("importVoiceFile", "1", {"voiceFileName": "长" * 51}),
    Case("importVoiceFile", "1", {"callBackUrl": "nowhere"}),
    Case("importVoiceFile", "1", {"callBackUrl": "http://"}),
    Case("importVoiceFile", "1", {"callBackUrl": "http://:80/"}),
    Case("importVoiceFile", "1", {"callBackUrl": "http://a.example/"},
         settings={"upload_trustlist": ["b.example"]}),
    *(Case("createVoiceTemplate", "1", drop=(name,)) for name in ("name", "voicecontent")),
    Case("createVoiceTemplate", "1", {"name": "with space"}),
    Case("createVoiceTemplate", "1", {"scene": "1"}),
    Case("createVoiceTemplate", "1", {"speed": 501}),
    Case("createVoiceTemplate", "1", {"volume": -1}),
    Case("createVoiceTemplate", "1", {"voicename": "nobody"}),
    *(Case("createVoiceTemplate", "1", {"voicecontent": {"textcontent": text}})
      for text in ("", "${TXT_8} first", "中" * 167, "x" * 501, "a ${TXT_33}", "a ${NAME}")),
    Case("createVoiceTemplate", "1", {"voicecontent": {}}),
    Case("queryCallDetailRecord", "1"),
    Case("queryCallDetailRecord", "1", {"taskType": "9"}),
    *(Case("queryCallDetailRecord", "2", drop=(name,)) for name in SPAN),
    Case("queryCallDetailRecord", "2", {"startTime": "2026-01-05"}),
    Case("queryCallDetailRecord", "2", {"endTime": "1767573999999"}),
    Case("queryCallDetailRecord", "2", {"endTime": str(1767574000000 + 7 * 86_400_000 + 1)}),
    *(Case("queryCallDetailRecord", "4", {"limit": bad}) for bad in ("0", "101", "many")),
    Case("queryCallDetailRecord", "4", {"offset": "-1"}),
    Case("queryCallDetailRecord", "12", {"caller": "1" * 33}),
    Case("queryCallDetailRecord", "12", {"caller": "1"}, settings={"access_codes": ["960003"]}),
    Case("queryCallState", "1"),
    Case("queryCallState", "3", drop=("callSerialNo",)),
    *(Case("queryCallState", "3", {"callSerialNo": bad}) for bad in ("", "abc", "1" * 51, None)),
    Case("getRecordingAddress", "3", settings={"vdn": "disabled"}),
    Case("getRecordingAddress", "5"),
    Case("getRecordingAddress", "6", settings={"vdn": "missing"}),
    Case("getRecordingAddress", "12", {"callSerialNo": "1" * 51}),
    *(Case("getRecordingAddress", code, settings={"recording_store": word}, before=recorded)
      for word, code in STORE_TROUBLES.items()),
    # What the gateway refuses, of every operation that can be refused so.
    Case("importVoiceFile", "429", before=ten_uploads),
    *(Case(name, "401", settings={"account_status": "suspended"})
      for name in OPERATIONS if name != "tokenByAkSk"),
    Case("tokenByAkSk", "403", {"app_secret": "wrong"}),
    Case("tokenByAkSk", "403", {"app_key": "unknown"}),
    Case("tokenByAkSk", "403", settings={"allowed_ips": ["10.0.0.0/8"]}),
    Case("tokenByAkSk", "400", drop=("app_key",)),
    Case("tokenByAkSk", "400", drop=("app_secret",)),
    Case("tokenByAkSk", "400", {"app_secret": None}),
    Case("getRecordingAddress", "400", drop=("callSerialNo",)),
    *(Case(name, "400", {next(iter(body)): ["no", "text"]}) for name, body in BODIES.items() if body),
    Case("queryVoiceNotificationRecording", "400", {"type": "2"}),
    Case(CREATE, "400", {"playList": ["100001"]}),
    Case(CREATE, "400", {"playList": [None]}),
    Case(CREATE, "400", {"playList": {"voiceId": "1"}}),
    Case(CREATE, "400", play(voiceId=100001)),
    Case(CREATE, "400", play(voiceId="1", templateParams=[100, 200])),
    Case(CREATE, "400", play(voiceId="1", templateParams="100")),
    Case(CREATE, "400", {"playTimes": True}),
    Case(CREATE, "400", {"priority": [1]}),
    Case(CREATE, "400", {"called": 8899}),
    Case(CREATE, "400", {"callBackUrl": 1}),
]  # fmt: skip

#: Codes that neither a request nor a setting leads to, each with its reason; a rule's reply.error does.
ONLY_BY_RULE = {
    **{(name, "3"): "an inner failure of the platform" for name in (CREATE, CREATE_V1)},
    **{
        (name, "4"): "about a parameter softPhone that no page of these interfaces has"
        for name in (CREATE, CREATE_V1)
    },
    **{(CREATE, str(code)): "the page's table of codes could not be read so far" for code in range(24, 36)},
}
ANYWHERE = {error.code for error in ERRORS if not error.operations}
TABLE = {(name, error.code) for error in ERRORS for name in error.operations}


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_code_is_answered_to_what_provokes_it(case: Case) -> None:
    async with signed_in() as client:
        client.set(**case.settings)
        body = {
            name: value
            for name, value in {**BODIES[case.operation], **case.change}.items()
            if name not in case.drop
        }
        if case.before is not None:
            await case.before(client, body)
        calls = len(client.emu.tenant.ledger)
        answer = await client.send(case.operation, body)
        assert case.code == str(answer.code), answer.body
        if case.code in ANYWHERE:
            check_gateway_body(answer, int(case.code))
        else:
            check_business_body(answer, case.operation)
        assert calls == len(client.emu.tenant.ledger)


def check_gateway_body(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert set(answer.body) == {"errorCode", "exceptionInfo"}
    assert answer.body["errorCode"] == str(status)


def check_business_body(answer: Answer, operation: str) -> None:
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    spelling = {"returnCode", "description"} if operation in DESCRIBED else {"retCode", "retMsg"}
    assert set(answer.body) == spelling
    assert isinstance(answer.code, int if operation == "getRecordingAddress" else str)


DESCRIBED = ("queryVoiceNotificationRecording", "importVoiceFile", "createVoiceTemplate")


def test_the_table_of_cases_has_no_gaps() -> None:
    provoked = {(case.operation, case.code) for case in CASES}
    assert TABLE - provoked == set(ONLY_BY_RULE)
    assert ANYWHERE - {code for _, code in provoked} == {"404", "405", "500"}  # below; 500 only by rule


def test_the_documented_codes_are_all_there() -> None:
    v1 = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "16", "36"}
    v2 = {str(code) for code in range(1, 37)} - {"2", "8"}
    assert {code for name, code in TABLE if name == CREATE_V1} == v1
    assert {code for name, code in TABLE if name == CREATE} == v2
    recording = {str(code) for code in (1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13)}
    assert {code for name, code in TABLE if name == "getRecordingAddress"} == recording
    assert {code for name, code in TABLE if name == "queryCallDetailRecord"} == {"1", "2", "4", "12"}
    assert {code for name, code in TABLE if name == "queryCallState"} == {"1", "3"}


def test_every_code_says_how_it_is_provoked() -> None:
    for error in ERRORS:
        assert error.how, error
        assert error.text, error


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_symbolic_name_means_one_code_in_an_operation(operation: str) -> None:
    for error in ERRORS:
        if not error.operations or operation in error.operations:
            found = PROVIDER.find_error(error.name, operation)
            assert found is not None
            assert found.code == error.code


@pytest.mark.parametrize(
    ("operation", "error"),
    sorted(
        {(name, error.code) for name in (CREATE, CREATE_V1) for error in ERRORS if name in error.operations}
    )
    + [
        (CREATE, name)
        for name in ("auth_failed", "invalid_number", "invalid_parameter", "rate_limited", "system_error")
    ]
    + [
        ("getRecordingAddress", "13"),
        ("importVoiceFile", "1"),
        ("tokenByAkSk", "auth_failed"),
        ("queryCallState", "500"),
    ],
)
async def test_a_rule_answers_any_code(operation: str, error: str) -> None:
    scenario = f"""
name: refusing
rules:
  - name: refuse
    match: {{operation: {operation}, after: 1s}}
    reply: {{error: "{error}"}}
"""
    async with signed_in(scenario=scenario) as client:
        body = dict(BODIES[operation])
        if operation in ("getRecordingAddress", "queryCallState"):
            await recorded(client, body)
        await client.emu.advance("1s")
        calls = len(client.emu.tenant.ledger)
        answer = await client.send(operation, body)
        expected = PROVIDER.find_error(error, operation)
        assert expected is not None
        assert str(answer.code) == expected.code
        assert answer.status == (int(expected.code) if expected.code in ANYWHERE else 200)
        assert len(client.emu.tenant.ledger) == calls


async def test_a_wrong_method_and_an_unknown_path() -> None:
    async with signed_in() as client:
        url = client.emu.url + "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            headers = {"Authorization": f"Bearer {client.token}"}
            async with client.emu.client.request(method, url, headers=headers) as response:
                assert response.status == 405
                assert response.headers["Allow"] == "POST"
                assert (await response.json())["errorCode"] == "405"
        async with client.emu.client.post(url + "s", json={}) as response:
            assert response.status == 404
            assert "Emulator-Error" in response.headers
