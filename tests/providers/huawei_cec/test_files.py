"""Uploads, their reviews, templates and the list of what is approved, over the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.providers.huawei_cec.client import TEMPLATE, UPLOAD, Client, signed_in
from voice_emulator.schemas.validate import SchemaSet

SCHEMAS = SchemaSet.load({"huawei_cec": None})
LIST = "queryVoiceNotificationRecording"


async def listed(client: Client, **body: Any) -> list[dict[str, Any]]:
    answer = await client.send(LIST, body)
    assert answer.body["returnCode"] == "0"
    assert answer.body["description"] == "query success"
    found: list[dict[str, Any]] = answer.body["voiceInfo"]
    return found


@pytest.mark.parametrize(
    ("operation", "example"),
    [(name, example) for name in ("importVoiceFile", "createVoiceTemplate", LIST)
     for example in SCHEMAS.get(f"huawei_cec/{name}.request").examples],
)  # fmt: skip
async def test_the_documents_examples_are_accepted(operation: str, example: dict[str, Any]) -> None:
    async with signed_in() as client:
        if "callBackUrl" in example:
            example = {**example, "callBackUrl": f"{client.emu.receiver.url}/huawei_cec/upload"}
        answer = await client.send(operation, example)
        assert answer.status == 200
        assert answer.body["returnCode"] == "0"


async def test_an_upload_is_reviewed_and_the_result_pushed() -> None:
    async with signed_in() as client:
        url = f"{client.emu.receiver.url}/huawei_cec/upload"
        answer = await client.send("importVoiceFile", {**UPLOAD, "callBackUrl": url})
        assert answer.body["description"] == "File uploaded successfully."
        file_id = answer.body["fileId"]
        assert len(file_id) == 19
        assert await listed(client) == []
        await client.emu.advance(5_000_000 - 1)
        assert client.emu.receiver.received == []
        await client.emu.settle()
        (push,) = client.emu.receiver.received
        assert push.path == "/huawei_cec/upload"
        assert push.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert list(json.loads(push.body)) == ["fileUrl", "fileId", "status", "comment"]
        assert push.fields["fileId"] == file_id
        assert push.fields["status"] == "2"
        assert push.fields["comment"] == "审核通过"
        assert push.fields["fileUrl"].startswith("Y:/IVR/")
        assert push.fields["fileUrl"].endswith(".wav")
        assert SCHEMAS.get("huawei_cec/review.receipt").accepts(push.fields)
        (shown,) = await listed(client)
        assert (shown["voice_id"], shown["name"], shown["type"], shown["scene"]) == (file_id, "welcome", 0, 3)
        assert (shown["status"], shown["callbackTimes"]) == (1, 1)


@pytest.mark.parametrize(
    "reply", [(200, '{"returnCode":"1"}'), (200, '{"retCode":"0"}'), (500, ""), (200, "ok")]
)
async def test_the_review_is_pushed_at_most_six_times(reply: tuple[int, str]) -> None:
    async with signed_in() as client:
        client.emu.receiver.answer(*reply)
        await client.send(
            "importVoiceFile", {**UPLOAD, "callBackUrl": f"{client.emu.receiver.url}/huawei_cec"}
        )
        await client.emu.settle()
        assert len(client.emu.receiver.received) == 6
        assert len({push.body for push in client.emu.receiver.received}) == 1


async def test_the_review_is_repeated_until_acknowledged() -> None:
    async with signed_in() as client:
        client.set(review_interval=30, review_verdict="rejected", review_comment="too loud")
        for _ in range(3):
            client.emu.receiver.answer_once(200, "not yet")
        await client.send(
            "importVoiceFile", {**UPLOAD, "callBackUrl": f"{client.emu.receiver.url}/huawei_cec"}
        )
        begun = client.emu.tenant.now
        await client.emu.settle()
        assert len(client.emu.receiver.received) == 4
        assert client.emu.tenant.now == begun + (5 + 3 * 30) * 1_000_000
        assert client.emu.receiver.received[0].fields["status"] == "3"
        assert client.emu.receiver.received[0].fields["comment"] == "too loud"
        assert await listed(client) == []


async def test_no_push_without_a_url_and_never_a_signature() -> None:
    async with signed_in() as client:
        client.set(shared_key="0123456789abcdef")
        await client.send("importVoiceFile", UPLOAD)
        await client.emu.settle()
        assert client.emu.receiver.received == []
        await client.send(
            "importVoiceFile", {**UPLOAD, "callBackUrl": f"{client.emu.receiver.url}/huawei_cec"}
        )
        await client.emu.settle()
        assert "signature" not in client.emu.receiver.received[0].fields


async def test_the_list_shows_what_is_approved_page_by_page() -> None:
    async with signed_in() as client:
        client.set(
            upload_rate=0,
            voice_files={
                "100001": {"name": "hello"},
                "t1": {"type": "text", "text": "Hi"},
                "no": {"status": "pending"},
            },
        )
        for number in range(120):
            await client.send("importVoiceFile", {**UPLOAD, "voiceFileName": f"file{number}"})
        await client.send("importVoiceFile", {**UPLOAD, "voiceType": "0"})
        await client.send("createVoiceTemplate", TEMPLATE)
        await client.emu.advance("5s")
        first = await listed(client)
        assert [entry["voice_id"] for entry in first[:2]] == ["100001", "t1"]
        assert len(first) == 100
        assert len(await listed(client, limit=1000)) == 100
        assert len(await listed(client, offset=100)) == 2 + 120 + 1 - 100
        assert len(await listed(client, offset=5, limit=7)) == 7
        assert await listed(client, offset=500) == []
        assert {entry["type"] for entry in await listed(client, type=0)} == {0}
        texts = await listed(client, type=2)
        assert [json.loads(entry["voicecontent"])["0"]["textcontent"] for entry in texts] == [
            "Hi", TEMPLATE["voicecontent"]["textcontent"]
        ]  # fmt: skip
        assert len(texts[0]) == 16
        client.set(recording_details="short")
        assert set((await listed(client, limit=1))[0]) == {
            "tenant_id", "uploaddate", "voice_id", "name", "voicecontent", "type", "tenantSpaceName"
        }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"fileType": "MP3"}, {"fileType": "WAV"}, {"voiceFileName": "欢迎光临1A"}, {"voiceFileName": None}],
)
async def test_what_else_may_be_uploaded(change: dict[str, Any]) -> None:
    async with signed_in() as client:
        assert (await client.send("importVoiceFile", {**UPLOAD, **change})).body["returnCode"] == "0"


async def test_eight_megabytes_are_taken() -> None:
    async with signed_in() as client:
        whole = "QUJD" * ((8 * 1024 * 1024) // 3)
        assert (await client.send("importVoiceFile", {**UPLOAD, "fileInfo": whole})).body["returnCode"] == "0"


async def test_flow_control_of_uploads_ends_with_the_second() -> None:
    async with signed_in() as client:
        answers = [await client.send("importVoiceFile", UPLOAD) for _ in range(11)]
        assert [answer.status for answer in answers] == [200] * 10 + [429]
        await client.emu.advance("1s")
        assert (await client.send("importVoiceFile", UPLOAD)).status == 200


async def test_template_parameters_at_their_bounds() -> None:
    async with signed_in() as client:
        for change in (
            {"speed": -200},
            {"speed": 500},
            {"volume": 0},
            {"volume": 100},
            {"speed": 0.5},
            {"scene": "3"},
        ):
            assert (await client.send("createVoiceTemplate", {**TEMPLATE, **change})).body[
                "returnCode"
            ] == "0"
