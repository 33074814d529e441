"""Bodies where there must be none, and bodies that are not what they should be."""

from __future__ import annotations

import codecs
import gzip
import json
from collections.abc import Callable

import pytest

from tests.cli.process import command
from tests.rig import Running, started
from tests.wire.raw import GPSEND, form_request, talk

NEXT = form_request(fields={**GPSEND, "phone": "6212345679"})


def ruled(effect: str) -> str:
    return f"name: r\nrules:\n  - {{name: r, match: {{nth: 1}}, {effect}}}\n"


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize(
    "effect",
    [
        "fault: {{http_status: {}}}", "reply: {{status: {}, body: surplus}}",
        "reply: {{status: {}, body: surplus}}, fault: {{slow_body: {{every: 1ms, bytes: 2}}}}",
        "reply: {{status: {}, body: surplus}}, fault: {{latency: 1ms}}",
        "reply: {{status: {}, body: surplus}}, fault: invalid_json",
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
async def test_a_status_without_body_has_none_and_the_next_reply_is_whole(
    status: int, effect: str, version: str
):
    async with started(ruled(effect.format(status)), strict=False) as emu:
        first = form_request().replace(b"Connection: close", b"Connection: keep-alive")
        first = first.replace(b"HTTP/1.1", version.encode(), 1)
        answer = await talk(emu.url, first + NEXT)
        heads = answer.raw.split(b"\r\n\r\n")
        assert heads[0].split()[1] == str(status).encode()
        assert b"Content-Length:" not in heads[0] or b"Content-Length: 0" in heads[0]
        assert b"chunked" not in heads[0]
        assert heads[1].startswith(b"HTTP/1.1 200 "), "nothing between the two"
        assert json.loads(heads[2])["code"] == "0"
        shown = next(entry.record.shown() for entry in emu.tenant.journal if entry.kind == "request")
        assert not shown["reply"]["body"]


@pytest.mark.parametrize("effect", ["", "fault: {slow_body: {every: 1ms, bytes: 2}}", "fault: garbage",
                                    "fault: {http_status: 503}", "fault: html_error",
                                    "reply: {status: 200, body: surplus}"])  # fmt: skip
async def test_head_has_no_body_whatever_the_rule(effect: str):
    async with started(ruled(effect) if effect else "happy-path", strict=False) as emu:
        head = b"HEAD /api/voiceSms/getBalance?appkey=nx-appkey&secretkey=nx-secretkey HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = await talk(emu.url, head + NEXT)
        assert answer.raw.count(b"HTTP/1.1 ") == 2
        assert answer.raw.split(b"\r\n\r\n")[1].startswith(b"HTTP/1.1 ")


BODY = json.dumps({"called": "8899", "playList": [{"voiceId": "1"}]})
ODD: dict[str, tuple[Callable[[str], bytes], str]] = {
    "gzip": (lambda text: gzip.compress(text.encode()), "compressed (gzip)"),
    "utf-8-sig": (lambda text: codecs.BOM_UTF8 + text.encode(), "byte order mark"),
    "utf-16": (lambda text: text.encode("utf-16"), "UTF-16"),
    "utf-16-be": (lambda text: text.encode("utf-16-be"), "UTF-16"),
    "utf-16-le": (lambda text: text.encode("utf-16-le"), "UTF-16"),
    "utf-32": (lambda text: text.encode("utf-32"), "UTF-32"),
    "zstd": (lambda text: b"\x28\xb5\x2f\xfd" + text.encode(), "compressed (zstd)"),
}


async def problems(emu: Running) -> str:
    entry = [entry for entry in emu.tenant.journal if entry.kind == "request"][-1]
    return json.dumps(entry.record.shown(), default=str)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/plain", ""])
@pytest.mark.parametrize("odd", list(ODD))
async def test_a_body_of_the_wrong_kind_is_named(odd: str, kind: str):
    make, name = ODD[odd]
    async with started() as emu:
        headers = {"Content-Type": kind} if kind else {}
        url = f"{emu.url}/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
        async with emu.client.post(url, data=make(BODY), headers=headers) as reply:
            assert reply.status < 500
        assert name in await problems(emu)
        form = "&".join(f"{key}={value}" for key, value in GPSEND.items())
        async with emu.client.post(
            f"{emu.url}/api/voiceSms/gpsend", data=make(form), headers=headers
        ) as reply:
            assert (await reply.json(content_type=None))["code"] != "0"
        assert name in await problems(emu)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "gzip, br"])
async def test_a_content_encoding_is_told_and_nothing_is_unpacked(coding: str):
    async with started() as emu:
        async with emu.client.post(
            f"{emu.url}/api/voiceSms/gpsend", data=b"appkey=1", headers={"Content-Encoding": coding}
        ) as reply:
            assert (await reply.json(content_type=None))["code"] != "0"
        assert f"Content-Encoding: {coding.lower()}" in await problems(emu)
        async with emu.client.post(
            f"{emu.control}/v1/tenants", data=b"{}", headers={"Content-Encoding": coding}
        ) as reply:
            assert reply.status == 415
            assert coding.lower() in (await reply.json(content_type=None))["detail"]


async def test_identity_is_no_encoding():
    async with (
        started() as emu,
        emu.client.post(
            f"{emu.url}/api/voiceSms/gpsend", data=GPSEND, headers={"Content-Encoding": "identity"}
        ) as reply,
    ):
        assert (await reply.json(content_type=None))["code"] == "0"


@pytest.mark.parametrize("odd", list(ODD))
async def test_body_of_the_wrong_kind_is_named_by_the_control_api(odd: str):
    make, name = ODD[odd]
    async with (
        started() as emu,
        emu.client.post(
            f"{emu.control}/v1/tenants",
            data=make('{"id": "a"}'),
            headers={"Content-Type": "application/json"},
        ) as reply,
    ):
        assert reply.status == 400
        assert name in (await reply.json(content_type=None))["detail"]


@pytest.mark.parametrize("odd", [name for name in ODD if name != "utf-8-sig"])
def test_body_of_the_wrong_kind_is_named_by_check(odd: str, tmp_path):
    make, name = ODD[odd]
    file = tmp_path / "mine.yaml"
    file.write_bytes(make("name: mine\n"))
    done = command("check", file)
    assert done.returncode == 1
    assert f"mine.yaml:1:1: the file is {name}" in done.stderr + done.stdout


def test_a_scenario_file_may_begin_with_a_mark(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_bytes(codecs.BOM_UTF8 + b"name: mine\n")
    assert command("check", file).returncode == 0
