"""Uploads, the list of files, and fetching what was uploaded."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from tests.providers.nxcloud.customer import PATHS, Customer
from tests.rig import Running, started
from voice_emulator.providers.nxcloud.account import Account, VoiceFile
from voice_emulator.providers.nxcloud.signing import sign

PLAIN = "name: plain\nrules: []\n"


async def fetch(running: Running, url: str) -> tuple[int, bytes, str]:
    async with running.client.get(url, allow_redirects=False) as reply:
        return reply.status, await reply.read(), reply.headers["Content-Type"]


async def test_uploaded_file_can_be_fetched_and_played() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        content = base64.b64encode(b"ID3\x04 sound").decode()
        reply = await customer.ask("uploadVoiceFile", content=content)
        assert reply == {"code": "success", "info": f"{running.url}/voice_group/1767574800000.mp3"}
        assert await fetch(running, reply["info"]) == (200, b"ID3\x04 sound", "audio/mpeg")
        assert (await customer.ask("gpsend", url=reply["info"]))["code"] == "0"


@pytest.mark.parametrize(
    ("filename", "ending"),
    [
        ("abc.txt", ".txt"),
        ("hello.MP3", ".mp3"),
        ("none", ""),
        ("录音 (1).mp3", ".mp3"),
        ("../x.m4a", ".m4a"),
        ("a.b/c", ""),
    ],
)
async def test_stored_name_keeps_a_plain_ending(filename: str, ending: str) -> None:
    async with started(PLAIN, "manual") as running:
        reply = await Customer(running).ask("uploadVoiceFile", filename=filename)
        assert reply["info"] == f"{running.url}/voice_group/1767574800000{ending}"


@pytest.mark.parametrize("text", ["SUQz\r\nBAAA", "SUQz\nBAAA\n", " SUQzBAAA"])
async def test_base64_with_line_breaks(text: str) -> None:
    async with started(PLAIN, "manual") as running:
        reply = await Customer(running).ask("uploadVoiceFile", content=text)
        assert (await fetch(running, reply["info"]))[1] == b"ID3\x04\x00\x00"


#: The page's own sample: 19 characters.
SAMPLE = "qwertyuiopasdfghjkl"


@pytest.mark.parametrize("length", range(1, 14))
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("broken", [False, True])
async def test_base64_needs_no_padding(length: int, padded: bool, broken: bool) -> None:
    content = bytes(range(0xF0, 0xF0 + length))
    text = base64.b64encode(content).decode()
    text = text if padded else text.rstrip("=")
    if broken:
        text = f"{text[:2]}\r\n{text[2:]}"
    async with started(PLAIN, "manual") as running:
        reply = await Customer(running).ask("uploadVoiceFile", content=text)
        assert (await fetch(running, reply["info"]))[1] == content


async def test_the_page_s_own_sample_can_be_uploaded() -> None:
    async with started(PLAIN, "manual") as running:
        reply = await Customer(running).ask("uploadVoiceFile", filename="abc.txt", content=SAMPLE)
        assert (await fetch(running, reply["info"]))[1] == base64.b64decode(f"{SAMPLE}=")


@pytest.mark.parametrize(
    "content", ["Q", "QUJDR", "Q===", "QQ=", "QQ===", "=", "QUJD=QQ", "QQ==QQ", "Q-_w", "Qü"]
)
async def test_what_is_no_base64_is_refused_padded_or_not(content: str) -> None:
    async with started(PLAIN, "manual") as running:
        assert (await Customer(running).ask("uploadVoiceFile", content=content))["code"] == "2"


async def test_public_url() -> None:
    async with started(PLAIN, "manual") as running:
        running.change({"settings": {"nxcloud": {"public_url": "https://files.example/"}}})
        reply = await Customer(running).ask("uploadVoiceFile")
        assert reply["info"] == "https://files.example/voice_group/1767574800000.mp3"


async def test_list_is_newest_first_in_utc_plus_8() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        for name in ("录音 (1).mp3", "录音 (2).mp3", "other.mp3"):
            await customer.ask("uploadVoiceFile", filename=name)
            await running.advance("1m")
        page = await customer.ask("getUserFileUrl", page_size="2")
        info = page["info"]
        assert (page["code"], info["total"], info["pageSize"], info["page"]) == ("success", 3, 2, 1)
        assert [row["file_name"] for row in info["rows"]] == ["other.mp3", "录音 (2).mp3"]
        assert info["rows"][1] == {
            "gmt_create": "2026-01-05 09:01:00",
            "file_name": "录音 (2).mp3",
            "url": f"{running.url}/voice_group/1767574860000.mp3",
        }
        named = await customer.ask("getUserFileUrl", queryName="录音")
        assert named["info"]["total"] == 2


@pytest.mark.parametrize(
    ("days", "total"),
    [
        ({"startTime": "2026-01-05", "endTime": "2026-01-05"}, 1),
        ({"startTime": "2026-01-06"}, 1),
        ({"endTime": "2026-01-04"}, 0),
        ({}, 2),
    ],
)
async def test_list_by_day(days: dict[str, str], total: int) -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        await customer.ask("uploadVoiceFile")
        await running.advance("24h")
        await customer.ask("uploadVoiceFile")
        assert (await customer.ask("getUserFileUrl", **days))["info"]["total"] == total


async def test_chinese_texts() -> None:
    async with started(PLAIN, "manual") as running:
        running.change({"settings": {"nxcloud": {"reply_language": "zh"}}})
        customer = Customer(running)
        assert (await customer.ask("getUserFileUrl", page="x"))["info"] == "请正确填写分页参数"
        assert (await customer.ask("getUserFileUrl", account=""))["info"] == "必填参数请完整填写"
        assert (await customer.ask("getUserFileUrl", password="x"))["info"] == "账号或密码有误"
        running.change({"settings": {"nxcloud": {"application": "disabled"}}})
        assert (await customer.ask("uploadVoiceFile"))["result"] == "当前账户或所属代理商账户已被停用"


async def test_signed_upload() -> None:
    async with started(PLAIN, "manual") as running:
        reply = await Customer(running).upload(b"sound", "录音.m4a")
        assert reply["code"] == 0
        assert reply["message"] == "Success"
        assert re.fullmatch("[0-9a-f]{32}", reply["traceId"])
        assert await fetch(running, reply["data"]) == (200, b"sound", "audio/mp4")


@pytest.mark.parametrize("biz_type", ["7", "8"])
async def test_both_documented_biz_types(biz_type: str) -> None:
    async with started(PLAIN, "manual") as running:
        assert (await Customer(running).upload(bizType=biz_type))["code"] == 0


async def test_signature_covers_a_json_body() -> None:
    """The page says application/json; such a request is signed with its body, and lacks the file."""
    import time

    async with started(PLAIN, "manual") as running:
        body = json.dumps({"appkey": "nx-appkey", "name": "牛小信"}, ensure_ascii=False)
        ts = str(time.time_ns() // 1_000_000)
        signed = {"accessKey": "nx-access-key", "ts": ts, "bizType": "8", "action": "upload"}
        for secret_body, code in ((body, 9000), ("", 1003)):
            mark = sign("nx-access-key", "upload", "8", ts, secret_body, "nx-access-secret")
            headers = {**signed, "sign": mark, "Content-Type": "application/json"}
            async with running.client.post(
                running.url + PATHS["uploadFile"], data=body.encode(), headers=headers
            ) as got:
                assert (await got.json())["code"] == code


async def test_time_is_judged_by_the_machine_not_by_the_tenant() -> None:
    async with started(PLAIN, "manual") as running:
        await running.advance("1000h")
        assert (await Customer(running).upload())["code"] == 0


async def test_two_uploads_at_one_instant_have_two_addresses() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        urls = [(await customer.ask("uploadVoiceFile"))["info"] for _ in range(3)]
        assert len(set(urls)) == 3


async def test_unknown_file_is_our_own_404() -> None:
    async with (
        started(PLAIN, "manual") as running,
        running.client.get(f"{running.url}/voice_group/1.mp3") as reply,
    ):
        assert reply.status == 404
        assert "1.mp3" in reply.headers["Emulator-Error"]


def stored(index: int, size: int) -> VoiceFile:
    return VoiceFile("a.mp3", f"{index}.mp3", "http://h", 0, bytes(size))


def test_contents_are_bounded_and_entries_stay(monkeypatch: Any) -> None:
    monkeypatch.setattr("voice_emulator.providers.nxcloud.account.FILE_BYTES", 100)
    account = Account()
    for index in range(5):
        account.keep_file(stored(index, 40))
    kept = [file.content is not None for file in account.files.values()]
    assert kept == [False, False, False, True, True]


def test_entries_are_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr("voice_emulator.providers.nxcloud.account.FILES", 3)
    account = Account()
    for index in range(5):
        account.keep_file(stored(index, 1))
    assert list(account.files) == ["2.mp3", "3.mp3", "4.mp3"]
