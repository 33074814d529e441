"""How forms may arrive: multipart, urlencoded, not encoded at all; and what their values may hold."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from aiohttp import FormData

from tests.providers.nxcloud.customer import GOOD, JSON_OPERATIONS, PATHS, Customer
from tests.rig import Running, started

PLAIN = "name: plain\nrules: []\n"
SUCCESS: Mapping[str, Any] = {
    "gpsend": "0", "notsend": "0", "versend": "0", "getVoiceCdr": "1", "uploadVoiceFile": "success", "getBalance": "0",
    "getUserFileUrl": "success", "token": 0, "makecall": 0, "getSipCdr": "1",
}  # fmt: skip
FORMS = sorted(SUCCESS)
OPTIONAL = {
    "gpsend": ("task_time", "time_zone", "sched_hangup", "sms_appkey", "msg_content", "ext"),
    "notsend": ("lang", "ext"),
    "versend": ("ext",),
    "getVoiceCdr": ("messageid",),
    "getUserFileUrl": ("startTime", "endTime", "queryName"),
    "makecall": ("showphone", "orderid"),
    "getSipCdr": ("username", "direction"),
    "uploadVoiceFile": (),
    "getBalance": (),
    "token": (),
}


async def good_fields(running: Running, operation: str) -> dict[str, str]:
    fields = dict(GOOD[operation])
    if operation == "makecall":
        fields["token"] = await Customer(running).token()
    return fields


def test_every_form_operation_is_tested() -> None:
    assert set(FORMS) == set(PATHS) - JSON_OPERATIONS - {"uploadFile"}


@pytest.mark.parametrize("operation", FORMS)
async def test_multipart(operation: str) -> None:
    async with started(PLAIN, "manual") as running:
        form = FormData(default_to_multipart=True)
        for name, value in (await good_fields(running, operation)).items():
            form.add_field(name, value)
        assert (await Customer(running).post(operation, data=form))["code"] == SUCCESS[operation]


@pytest.mark.parametrize("operation", FORMS)
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream"]
)
async def test_not_encoded_at_all(operation: str, content_type: str) -> None:
    """A client in the wild glues name=value together without encoding anything."""
    async with started(PLAIN, "manual") as running:
        fields = await good_fields(running, operation)
        body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
        reply = await Customer(running).post(operation, data=body, headers={"content-TYPE": content_type})
        assert reply["code"] == SUCCESS[operation]


@pytest.mark.parametrize("operation", FORMS)
async def test_empty_optional_values_count_as_absent(operation: str) -> None:
    async with started(PLAIN, "manual") as running:
        fields = {**await good_fields(running, operation), **dict.fromkeys(OPTIONAL[operation], "")}
        assert (await Customer(running).post(operation, data=fields))["code"] == SUCCESS[operation]


@pytest.mark.parametrize("operation", FORMS)
async def test_unknown_and_repeated_fields_do_not_matter(operation: str) -> None:
    async with started(PLAIN, "manual") as running:
        pairs = list((await good_fields(running, operation)).items())
        body = urlencode([*pairs, ("unknown", "值"), *[(name, "again") for name, _ in pairs]])
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await Customer(running).post(operation, data=body, headers=headers))["code"] == SUCCESS[
            operation
        ]


@pytest.mark.parametrize("operation", FORMS)
async def test_fields_in_the_query_string(operation: str) -> None:
    """Some clients POST an empty body and put the form into the address."""
    async with started(PLAIN, "manual") as running:
        query = urlencode(await good_fields(running, operation))
        async with running.client.post(f"{running.url}{PATHS[operation]}?{query}") as reply:
            assert (await reply.json())["code"] == SUCCESS[operation]


REFUSED = {
    "gpsend": "2", "notsend": "2", "versend": "2", "getVoiceCdr": "0", "uploadVoiceFile": "2", "getBalance": "2",
    "getUserFileUrl": "failed", "token": 1200, "makecall": 1200, "getSipCdr": "0",
}  # fmt: skip
NONSENSE = {
    "empty": (b"", "application/x-www-form-urlencoded"),
    "json": (b'{"appkey": "nx-appkey"}', "application/json"),
    "broken json": (b"{", "application/json"),
    "invalid utf-8": (b"appkey=\xff\xfe&secretkey=%FF", "application/x-www-form-urlencoded"),
    "broken multipart": (b"--x\r\nno part", "multipart/form-data; boundary=x"),
    "boundary missing": (b"--x\r\n\r\n", "multipart/form-data"),
    "zero bytes": (bytes(1000), "application/x-www-form-urlencoded"),
    "ten megabytes": (b"phone=" + b"1" * 10_000_000, "application/x-www-form-urlencoded"),
    "many fields": (
        b"&".join(b"a%d=1" % index for index in range(5000)),
        "application/x-www-form-urlencoded",
    ),
}


@pytest.mark.parametrize("operation", FORMS)
async def test_nonsense_is_refused_in_the_operations_own_words(operation: str) -> None:
    async with started(PLAIN, "manual") as running:
        for kind, (body, content_type) in NONSENSE.items():
            async with running.client.post(
                running.url + PATHS[operation], data=_whole(body), headers={"Content-Type": content_type}
            ) as reply:
                assert reply.status == 200, kind
                assert (await reply.json())["code"] == REFUSED[operation], kind


@pytest.mark.parametrize("operation", sorted(JSON_OPERATIONS))
@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "1",
        '"x"',
        '{"a":NaN}',
        '{"orderid":[1],"messageid":{}}',
        "[" * 5000,
        '{"a":"\\ud800"}',
    ],
)
async def test_nonsense_json(operation: str, body: str) -> None:
    async with started(PLAIN, "manual") as running:
        headers = {"Content-Type": "application/json"}
        reply = await Customer(running).post(operation, data=body.encode(), headers=headers)
        assert reply == {"code": {"conversion": "failed"}.get(operation, "1"), "info": "params invalid"}


def _whole(body: bytes) -> Any:
    from io import BytesIO

    return BytesIO(body)


TEXTS = [
    "plus+plus",
    "two words",
    "  blanks  ",
    "您的验证码是 1-2-3",
    "🎉 emoji 👨‍👩‍👧",
    "a&b=c%20%",
    "tab\tline\nend",
    "ñ",
    "x" * 1000,
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("way", ["urlencoded", "percent", "multipart"])
async def test_values_arrive_as_they_were_sent(text: str, way: str) -> None:
    """The value of ext comes back in the receipt: what went in must come out."""
    async with started(PLAIN, "manual") as running:
        fields = {**GOOD["versend"], "content": text, "ext": text}
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        if way == "multipart":
            form = FormData(default_to_multipart=True)
            for name, value in fields.items():
                form.add_field(name, value)
            reply = await Customer(running).post("versend", data=form)
        elif way == "percent":
            body = urlencode(fields, quote_via=lambda string, *rest: quote_plus(string).replace("+", "%20"))
            reply = await Customer(running).post("versend", data=body, headers=headers)
        else:
            reply = await Customer(running).post("versend", data=urlencode(fields), headers=headers)
        assert reply["code"] == "0"
        await running.settle()
        assert running.receiver.received[0].fields["ext"] == text


async def test_ext_too_long_is_refused() -> None:
    async with started(PLAIN, "manual") as running:
        assert (await Customer(running).ask("versend", ext="x" * 1025))["code"] == "2"
        assert (await Customer(running).ask("versend", ext="x" * 1024))["code"] == "0"


async def test_base64_whose_plus_became_a_space() -> None:
    content = bytes(range(256)) * 4
    text = base64.b64encode(content).decode()
    assert "+" in text
    async with started(PLAIN, "manual") as running:
        body = f"appkey=nx-appkey&secretkey=nx-secretkey&filename=a.mp3&content={text}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = await Customer(running).post("uploadVoiceFile", data=body, headers=headers)
        async with running.client.get(reply["info"]) as file:
            assert await file.read() == content
