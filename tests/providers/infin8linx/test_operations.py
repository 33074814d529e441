"""The dispatcher: paths, encodings and the documents' own examples, over a real socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.providers.infin8linx.account import BATCH, KEYS, SERVICES, call, log_in, post, setting
from tests.rig import Running, started

PATHS = ("/api/yunhu", "/yunhu", "/")

#: The PHP array of "Batch IVR - Call out ivr voice in batches"; only the credentials and the
#: placeholders of voicetype (an int) are changed.
PHP_BATCH = {
    "service": "App.Sip_Call.PlayVoice",
    **KEYS,
    "nationcode": "id",
    "destnumber": "133,134,135,135",
    "voicetype": "1",
    "voicefile": "abcdefg",
    "chengshudu": "abcdefg",
    "disnumber": "abcdefg",
    "customuuid": "abcdefg",
    "waittime": "60",
    "conntime": "60",
    "todayonly": "1",
}


def as_php_sends_it(fields: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """The body libcurl makes of PHP's CURLOPT_POSTFIELDS array: parts without a content type."""
    boundary = "------------------------d74496d66958873e"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = "".join([*parts, f"--{boundary}--\r\n"]).encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


async def post_bytes(emu: Running, body: bytes, content_type: str, path: str = "/api/yunhu") -> Any:
    async with emu.client.post(emu.url + path, data=body, headers={"Content-Type": content_type}) as reply:
        assert reply.status == 200
        return await reply.json()


@pytest.mark.parametrize("encoding", ["multipart", "urlencoded"])
@pytest.mark.parametrize("path", PATHS)
async def test_the_batch_page_s_php_example(path: str, encoding: str) -> None:
    async with started() as emu:
        body, headers = as_php_sends_it(PHP_BATCH)
        if encoding == "multipart":
            answer = await post_bytes(emu, body, headers["Content-Type"], path)
        else:
            answer = await post(emu, PHP_BATCH, path)
        seconds = emu.tenant.now // 1_000_000
        assert list(answer) == ["code", "msg", "data"]
        assert answer == {
            "code": 200,
            "msg": "successful request",
            "data": {"desc": "Play command sent successfully", "reqtime": seconds, "rsptime": seconds},
        }
        await emu.settle()
        pushed = [push.fields for push in emu.receiver.received]
        assert sorted(fields["destnumber"] for fields in pushed) == ["133", "134", "135", "135"]
        assert {fields["disnumber"] for fields in pushed} == {"abcdefg"}
        assert {fields["customuuid"] for fields in pushed} == {"abcdefg"}
        assert {push.path for push in emu.receiver.received} == {"/infin8linx"}
        assert {push.headers["Content-Type"] for push in emu.receiver.received} == {"application/json"}


async def test_the_login_and_logout_pages_php_examples() -> None:
    """The Logout sample has a blank in front of the service name; a copied sample must work."""
    async with started() as emu:
        body, headers = as_php_sends_it({"service": "App.Sip_Auth.Login", **KEYS})
        answer = await post_bytes(emu, body, headers["Content-Type"])
        assert list(answer) == ["ret", "data", "msg"]
        assert (answer["ret"], answer["msg"]) == (200, "")
        assert list(answer["data"]) == ["status", "desc", "result", "reqtime", "rsptime"]
        assert answer["data"]["desc"] == "Authorization successful"
        token = answer["data"]["result"]["token"]
        body, headers = as_php_sends_it({"service": " App.Sip_Auth.Logout", "token": token})
        answer = await post_bytes(emu, body, headers["Content-Type"])
        assert (answer["ret"], answer["data"]["status"], answer["data"]["desc"]) == (
            200,
            0,
            "logout successful",
        )
        assert (await call(emu, "Logout", token=token))["ret"] == 600


async def test_the_single_page_s_php_example() -> None:
    async with started() as emu:
        token = await log_in(emu)
        fields = {
            "service": "App.Sip_Call.PlayVoice",
            "token": token,
            "destnumber": "15029913692",
            "voicetype": "1",
            "voicefile": "abcdefg",
            "ext": "abcdefg",
            "disnumber": "abcdefg",
            "customuuid": "abcdefg",
        }
        body, headers = as_php_sends_it(fields)
        answer = await post_bytes(emu, body, headers["Content-Type"])
        seconds = emu.tenant.now // 1_000_000
        data = {"status": 0, "desc": "Play command sent successfully", "reqtime": seconds, "rsptime": seconds}
        assert answer == {"ret": 200, "data": data, "msg": ""}
        await emu.settle()
        (push,) = emu.receiver.received
        assert (push.fields["ext"], push.fields["chengshudu"]) == ("abcdefg", "abcdefg")


async def test_the_record_page_s_php_example() -> None:
    async with started() as emu:
        fields = {
            "service": "App.Sip_Cdr.GetBill",
            "token": await log_in(emu),
            "starttime": "2020-06-01 00:00:00",
            "endtime": "2020-06-01 23:59:59",
            "direction": "3",
            "syncflag": "1",
            "callmethod": "3",
            "currentpage": "1",
            "itemsperpage": "10",
        }
        body, headers = as_php_sends_it(fields)
        answer = await post_bytes(emu, body, headers["Content-Type"])
        assert answer["data"]["result"] == {
            "totalitems": 0,
            "currentpage": 1,
            "itemsperpage": 10,
            "bills": [],
        }


async def test_forms_without_a_name_and_in_the_query_are_read_too() -> None:
    async with started() as emu:
        text = "&".join(f"{name}={value}" for name, value in BATCH.items())
        assert (await post_bytes(emu, text.encode(), "text/plain"))["code"] == 200
        async with emu.client.post(f"{emu.url}/api/yunhu?{text}") as reply:
            assert (await reply.json())["code"] == 200
        async with emu.client.post(f"{emu.url}/?service=App.Sip_Auth.Login", data=KEYS) as reply:
            assert (await reply.json())["ret"] == 200


async def test_s_is_short_for_service_and_service_wins() -> None:
    async with started() as emu:
        fields = {"s": SERVICES["Login"], **KEYS}
        assert (await post(emu, fields))["ret"] == 200
        assert (await post(emu, {**fields, "service": ""}))["ret"] == 200
        assert (await post(emu, {**fields, "service": "App.Sip_Auth.Nothing"}))["ret"] == 404


@pytest.mark.parametrize(
    "service", ["", "   ", "Login", "App/Sip_Auth/Login", "App.Sip_Auth.Login;", "应用.登录"]
)
async def test_a_missing_or_malformed_service_is_400(service: str) -> None:
    async with started() as emu:
        answer = await post(emu, {"service": service, **KEYS})
        assert (answer["ret"], answer["data"]) == (400, [])
        assert answer["msg"].startswith("Illegal request: ")


async def test_an_unknown_service_is_404_or_400() -> None:
    async with started() as emu:
        fields = {"service": "App.Sip_Call.MakeCall", **KEYS}
        answer = await post(emu, fields)
        assert list(answer) == ["ret", "data", "msg"]
        assert (answer["ret"], answer["data"]) == (404, [])
        emu.change(setting(unknown_service="400"))
        assert (await post(emu, fields))["ret"] == 400


async def test_get_works_only_behind_its_switch() -> None:
    async with started() as emu:
        query = {"service": SERVICES["Login"], **KEYS}
        async with emu.client.get(emu.url + "/api/yunhu", params=query) as reply:
            assert reply.status == 200
            assert (await reply.json())["ret"] == 400
        emu.change(setting(accept_get=True))
        async with emu.client.get(emu.url + "/api/yunhu", params=query) as reply:
            assert (await reply.json())["ret"] == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"service=App.Sip_Auth.Login&appid=%ff&accesskey=x", "application/x-www-form-urlencoded"),
        (b"service=App.Sip_Auth.Login&appid=\xff\xfe&accesskey=x", "application/x-www-form-urlencoded"),
        (
            b'{"service":"App.Sip_Auth.Login","appid":"in8-appid","accesskey":"in8-accesskey"}',
            "application/json",
        ),
        (b"{", "application/json"),
        (b"no form at all", "multipart/form-data; boundary=x"),
        (b"no form at all", "multipart/form-data"),
        (b"", "application/x-www-form-urlencoded"),
        (b"\x00\x01\x02", "application/octet-stream"),
    ],
)
async def test_what_cannot_be_read_is_400_and_nothing_breaks(body: bytes, content_type: str) -> None:
    async with started() as emu:
        answer = await post_bytes(emu, body, content_type)
        assert (answer["ret"], answer["data"]) == (400, [])
        assert answer["msg"].startswith("Illegal request: ")
        assert await log_in(emu)


async def test_a_repeated_key_counts_once() -> None:
    async with started() as emu:
        body = "&".join(f"{name}={value}" for name, value in BATCH.items()) + "&destnumber=6281200"
        assert (await post_bytes(emu, body.encode(), "application/x-www-form-urlencoded"))["code"] == 200
        await emu.settle()
        assert len(emu.receiver.received) == 1


async def test_texts_are_escaped_and_may_be_chinese() -> None:
    async with started() as emu:
        emu.change(setting(language="chinese"))
        async with emu.client.post(emu.url + "/yunhu", data={"service": SERVICES["Login"], **KEYS}) as reply:
            raw = await reply.read()
            assert raw.isascii()
            token = (await reply.json())["data"]["result"]["token"]
        answer = await call(emu, "Logout", token=token)
        assert answer["data"]["desc"] == "注销成功"
        answer = await call(emu, "Logout", token=token)
        assert (answer["ret"], answer["msg"]) == (600, "token无效，请重新登录")
        answer = await call(emu, "Logout")
        assert answer["msg"] == "非法请求：缺少必要参数token"
        assert (await post(emu, BATCH))["data"]["desc"] == "播放命令发送成功"


async def test_secrets_are_masked_in_the_journal() -> None:
    async with started() as emu:
        token = await log_in(emu)
        await call(emu, "Logout", token=token)
        await call(emu, "Login", appid="in8-appid", accesskey="a-wrong-secret")
        shown = str([entry.record.shown() for entry in emu.tenant.journal if entry.kind == "request"])
        assert "in8-appid" in shown
        for secret in (token, KEYS["accesskey"], "a-wrong-secret"):
            assert secret not in shown
