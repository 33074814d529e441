"""createVoiceNotification over the wire: what is accepted, the order of checks, hostile bodies."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any

import pytest

from tests.providers.huawei_cec.client import (
    CREATE,
    CREATE_V1,
    NOTIFICATION,
    NOTIFICATION_V1,
    TEMPLATE,
    UPLOAD,
    signed_in,
)
from voice_emulator.providers.huawei_cec.create import ORDER_V1, ORDER_V2
from voice_emulator.schemas.validate import SchemaSet

SCHEMAS = SchemaSet.load({"huawei_cec": None})
EXAMPLES = [
    (operation, example)
    for operation in (CREATE, CREATE_V1)
    for example in SCHEMAS.get(f"huawei_cec/{operation}.request").examples
]


@pytest.mark.parametrize(("operation", "example"), EXAMPLES)
async def test_the_documents_examples_are_accepted(operation: str, example: dict[str, Any]) -> None:
    async with signed_in() as client:
        sent = {**example}
        if "callBackUrl" in sent:
            sent["callBackUrl"] = f"{client.emu.receiver.url}/huawei_cec/callbackTest"
        answer = await client.send(operation, sent)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert answer.body["retCode"] == "0"
        assert answer.body["retMsg"] == "Created successfully."
        serial = answer.body["result"]["callSerialNo"]
        assert len(serial) == 19
        assert not client.emu.receiver.received
        await client.emu.settle()
        (push,) = client.emu.receiver.received
        assert push.path == ("/huawei_cec/callbackTest" if "callBackUrl" in sent else "/huawei_cec")
        assert push.fields["callSerialNo"] == serial
        assert push.fields["called"] == example["called"]
        assert push.fields["callerPresent"] == (example.get("callerPresent") or "960003")


@pytest.mark.parametrize(
    "change",
    [
        {"called": "+8613800000000"},
        {"called": "*123#"},
        {"called": "1" * 32},
        {"callerPresent": None, "callBackUrl": None, "playTimes": None, "priority": None},
        {"callerPresent": "", "callBackUrl": ""},
        {"playTimes": 5, "priority": "1"},
        {"playTimes": "5", "priority": 9},
        {"playTimes": 2.0},
        {"playList": [{"voiceId": "1"}] * 5},
        {"playList": [{"voiceId": "1", "voiceFileName": "a", "templateId": "t"}]},
        {"playList": [{"templateId": "t"}]},
        {"playList": [{"templateId": "t", "templateParams": ["人民公园正门口在那边", "x" * 32]}]},
        {"playList": [{"voiceFileName": "welcome", "templateParams": None, "extra": {"any": 1}}]},
        {"somethingNew": [1, {"a": None}]},
        {"callerPresent": "12345678901234"},
    ],
)
async def test_what_else_is_accepted(change: dict[str, Any]) -> None:
    async with signed_in() as client:
        answer = await client.send(CREATE, {**NOTIFICATION, **change})
        assert answer.code == "0", answer.body


@pytest.mark.parametrize(
    "content", ["$李先生$~$王先生$", "1133~$李 先生$~2225", "$a~b$", "${Tom}$", "1" * 1024]
)
async def test_voice_content_of_ids_and_texts(content: str) -> None:
    async with signed_in() as client:
        answer = await client.send(CREATE_V1, {**NOTIFICATION_V1, "voiceContent": content})
        assert answer.code == "0", answer.body


@pytest.mark.parametrize("operation", [CREATE, CREATE_V1])
async def test_the_callback_url_may_be_base64(operation: str) -> None:
    async with signed_in() as client:
        url = f"{client.emu.receiver.url}/huawei_cec/encoded"
        good = NOTIFICATION if operation == CREATE else NOTIFICATION_V1
        answer = await client.send(
            operation, {**good, "callBackUrl": base64.b64encode(url.encode()).decode()}
        )
        assert answer.code == "0"
        await client.emu.settle()
        assert [push.path for push in client.emu.receiver.received] == ["/huawei_cec/encoded"]


#: One fault per code of V2, in the documented order; all at once the first wins, and so on down.
WRONG_V2: list[tuple[str, dict[str, Any]]] = [
    ("5", {"called": "abc"}),
    ("12", {"item": {}}),
    ("15", {"params": []}),
    ("13", {"params": ["x" * 33]}),
    ("14", {"params": ["$"]}),
    ("17", {"item": {"voiceId": "nobody"}}),
    ("10", {"playTimes": 9}),
    ("7", {"callerPresent": "1"}),
    ("36", {"priority": "0"}),
    ("9", {"callBackUrl": "nowhere!"}),
]


async def test_the_order_of_checks_is_the_documented_one() -> None:
    async with signed_in() as client:
        client.set(catalogue="strict", access_codes=["960003"], trial_allow_list=[], vdn="disabled")
        for position, (code, _) in enumerate(WRONG_V2):
            wrong: dict[str, Any] = {**NOTIFICATION, "callerPresent": "960003"}
            items = []
            for _, change in WRONG_V2[position:]:
                if "item" in change:
                    items.append(change["item"])
                elif "params" in change:
                    items.append({"voiceId": "nobody", "templateParams": change["params"]})
                else:
                    wrong |= change
            if position > 5:
                client.set(catalogue="permissive")
                items = [{"voiceId": "1"}]
            wrong["playList"] = items[:5]
            answer = await client.send(CREATE, wrong)
            assert answer.code == code, (code, answer.body)
        calm = {**NOTIFICATION, "callerPresent": "960003"}
        assert (await client.send(CREATE, calm)).code == "16"
        client.set(trial_allow_list=None)
        assert (await client.send(CREATE, calm)).code == "6"
        client.set(vdn="enabled")
        assert (await client.send(CREATE, calm)).code == "0"


async def test_an_empty_play_list_precedes_what_it_might_hold() -> None:
    async with signed_in() as client:
        answer = await client.send(CREATE, {**NOTIFICATION, "playList": [], "playTimes": 9})
        assert answer.code == "11"
        answer = await client.send(CREATE, {"playList": [{}] * 6})
        assert answer.code == "5"


async def test_the_gateway_comes_first() -> None:
    async with signed_in() as client:
        assert (await client.send(CREATE, {"called": 5, "playList": []})).code == "400"
        client.token = "forged"
        assert (await client.send(CREATE, {"called": 5, "playList": []})).code == "403"
        assert (await client.send(CREATE, b"{nonsense")).code == "403"


def test_the_order_names_every_code_once() -> None:
    for order, extra in ((ORDER_V2, {"11", "12", "15", "13", "14", "10"}), (ORDER_V1, {"8", "2"})):
        assert len(order) == len(set(order))
        assert {"5", "7", "36", "9", "16", "6", "1", *extra} <= set(order)


HOSTILE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"5",
    b"true",
    b'{"called": NaN, "playList": [{"voiceId": "1"}]}',
    b'{"called": "1", "playTimes": Infinity, "playList": [{"voiceId": "1"}]}',
    b'{"called": "1", "playTimes": 1e999, "playList": [{"voiceId": "1"}]}',
    b'{"called": "\\ud800", "playList": [{"voiceId": "1"}]}',
    b'{"called": "1", "playList": [{"voiceId": "1"}], "x": "\\udfff\\ud800"}',
    b'{"called": "\xff\xfe"}',
    b"[" * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"called": "1", "playList": ' + b"[" * 2_000 + b"]" * 2_000 + b"}",
    b"called=8899&playList=1",
    b"\x00\x01\x02",
    "{'called': '8899'}".encode("utf-16"),
]


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:40]))
@pytest.mark.parametrize("operation", [CREATE, CREATE_V1, "tokenByAkSk", "queryCallDetailRecord"])
async def test_what_is_no_json_object_is_a_bad_request(operation: str, body: bytes) -> None:
    async with signed_in() as client:
        answer = await client.send(operation, body)
        assert answer.status == 400
        assert set(answer.body) == {"errorCode", "exceptionInfo"}
        assert answer.body["exceptionInfo"].isascii()
        assert "Emulator-Error" not in answer.headers
        assert (await client.send(CREATE, NOTIFICATION)).code == "0"


async def test_the_last_of_duplicate_keys_counts() -> None:
    async with signed_in() as client:
        body = json.dumps(NOTIFICATION)[:-1] + ', "called": "7700"}'
        answer = await client.send(CREATE, body.encode())
        assert answer.code == "0"
        assert [call.number for call in client.emu.tenant.ledger] == ["7700"]
        entries = [entry.record.shown() for entry in client.emu.tenant.journal if entry.kind == "request"]
        assert entries[-1]["numbers"] == ["7700"]


def anything(source: Random, depth: int = 0) -> Any:
    """Some JSON value, likely one that nearly fits somewhere."""
    kinds = ["text", "number", "word", "null", "list", "object"]
    kind = source.choice(kinds[:4] if depth > 2 else kinds + ["object"] * (9 if depth == 1 else 0))
    if kind == "list":
        return [anything(source, depth + 1)] * source.randrange(7)
    if kind == "object":
        names = ["voiceId", "voiceFileName", "templateId", "templateParams", "x"]
        return {source.choice(names): anything(source, depth + 1) for _ in range(source.randrange(4))}
    values: dict[str, list[Any]] = {
        "text": [
            "",
            "1",
            "8899",
            "9",
            "http://127.0.0.1:1/",
            "aHR0cDovLzEyNy4wLjAuMToxLw==",
            "${TXT_1}",
            "中" * 40,
        ],
        "number": [0, 1, 5, -1, 2.0, 2.5, 10**30, 1e300],
        "word": [True, False],
        "null": [None],
    }
    return source.choice(values[kind])


async def test_whatever_comes_is_accepted_or_refused_by_the_book() -> None:
    """Strict: a reply that broke its schema would stop the emulator."""
    source = Random(20260105)
    fields = [
        "called",
        "playList",
        "playTimes",
        "priority",
        "callBackUrl",
        "callerPresent",
        "voiceContent",
        "callData",
    ]
    codes = set()
    async with signed_in() as client:
        for _ in range(600):
            operation = source.choice([CREATE, CREATE_V1])
            body: dict[str, Any] = {**(NOTIFICATION if operation == CREATE else NOTIFICATION_V1)}
            for _ in range(source.randrange(1, 3)):
                body[source.choice(fields)] = anything(source)
            if source.random() < 0.3:
                body["playList"] = [anything(source, 1)] * source.randrange(7)
            answer = await client.send(operation, body)
            assert answer.status == (400 if answer.code == "400" else 200)
            assert ("result" in answer.body) == (answer.code == "0")
            codes.add(answer.code)
        assert len(client.emu.tenant.ledger) > 0
    assert {"0", "400", "5", "8", "9", "10", "11", "12", "36"} <= codes


async def test_very_long_values_and_strange_texts_do_no_harm() -> None:
    async with signed_in() as client:
        for value in ("x" * 1_000_000, "😀" * 1000, "\u0000", "中文 и 🎉", "' OR 1=1 --", "../../etc/passwd"):
            answer = await client.send(CREATE, {**NOTIFICATION, "called": value})
            assert answer.code == "5"
            answer = await client.send(
                CREATE, {**NOTIFICATION, "playList": [{"voiceId": value}], "unknown": value}
            )
            assert answer.code == "0"


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("key", ["X-APP-Key", "x-app-key", "X-App-Key"])
async def test_header_names_in_any_case(name: str, key: str) -> None:
    async with signed_in() as client:
        client.set(app_key_header="required")
        url = client.emu.url + "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
        headers = {
            name: f"Bearer {client.token}",
            key: "cec-app-key",
            "content-TYPE": "application/json;charset=utf-8",
        }
        async with client.emu.client.post(
            url, data=json.dumps(NOTIFICATION).encode(), headers=headers
        ) as response:
            assert (await response.json())["retCode"] == "0"


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_the_documents_header_block_without_a_content_type_will_do(content_type: str | None) -> None:
    """The Voice Outbound Call page lists no Content-Type among the headers."""
    async with signed_in() as client:
        url = client.emu.url + "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
        headers = {"x-app-key": "cec-app-key", "Authorization": f"Bearer {client.token}"}
        if content_type is not None:
            headers["Content-Type"] = content_type
        body = json.dumps(NOTIFICATION).encode()
        for form, status in (("any", 200), ("json", 400)):
            client.set(content_type=form)
            async with client.emu.client.post(
                url, data=body, headers=headers, skip_auto_headers=["Content-Type"]
            ) as response:
                assert response.status == status
        assert (await client.send(CREATE, NOTIFICATION)).code == "0"


async def test_a_strict_catalogue_plays_what_was_approved() -> None:
    async with signed_in() as client:
        client.set(catalogue="strict")
        recording = (await client.send("importVoiceFile", UPLOAD)).body["fileId"]
        template = (await client.send("createVoiceTemplate", TEMPLATE)).body["templateId"]
        await client.emu.advance("5s")
        play_list = [
            {"voiceId": recording},
            {"voiceFileName": "welcome"},
            {"templateId": template, "templateParams": ["李", "123456"]},
        ]
        assert (await client.send(CREATE, {**NOTIFICATION, "playList": play_list})).code == "0"
        (call,) = client.emu.tenant.ledger
        assert call.submission.details["spoken"] == ["welcome", "welcome", "尊敬的李您的初始密码为123456。"]
        answer = await client.send(CREATE_V1, {**NOTIFICATION_V1, "voiceContent": f"{recording}~$你好$"})
        assert answer.code == "0"


async def test_access_codes_and_transparency() -> None:
    async with signed_in() as client:
        client.set(access_codes=["960003", "960004"])
        assert (await client.send(CREATE, {**NOTIFICATION, "callerPresent": "960004"})).code == "0"
        assert (await client.send(CREATE, {**NOTIFICATION, "callerPresent": None})).code == "0"
        client.set(caller_transparency=True)
        assert (await client.send(CREATE, {**NOTIFICATION, "callerPresent": "13800000000"})).code == "0"
        assert [call.caller for call in client.emu.tenant.ledger] == ["960004", "960003", "13800000000"]


async def test_a_number_is_free_again_once_its_call_has_ended() -> None:
    async with signed_in() as client:
        client.set(one_open_call_per_number=True)
        await client.call("8899")
        await client.call("8898")
        assert (await client.send(CREATE, NOTIFICATION)).code == "1"
        await client.emu.settle()
        await client.call("8899")


async def test_a_rule_may_answer_without_dialling() -> None:
    scenario = """
name: silent
rules:
  - name: nobody dials
    match: {operation: createVoiceNotification}
    fault: {latency: 1ms, placed: false}
"""
    async with signed_in(scenario=scenario) as client:
        answer = await client.send(CREATE, NOTIFICATION)
        assert answer.code == "0"
        assert len(answer.body["result"]["callSerialNo"]) == 19
        assert len(client.emu.tenant.ledger) == 0
