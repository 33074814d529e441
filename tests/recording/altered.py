"""A provider that differs from the emulator in twelve ways: an emulator behind a front that changes what passes.

``python -m tests.recording.altered`` is ``make drift-demo``: it records the altered provider through the proxy, and shows
that drift names each difference by its field, from the recording and from one of the distilled scenario.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
from aiohttp import web
from yarl import URL

from tests.recording.taped import READER
from tests.rig import Running, served, started
from voice_emulator.providers.registry import receiver_keys
from voice_emulator.recording.bundle import read, write
from voice_emulator.recording.distil import distil
from voice_emulator.recording.drift import Drift, drift
from voice_emulator.recording.guards import Guards
from voice_emulator.recording.masking import Masking
from voice_emulator.recording.proxy import Recorder, recording

Fields = dict[str, Any]
NUMBERS = [f"62812000{index:04}" for index in range(12)]
SCENARIO = """
name: course
magic_numbers: false
rules:
  - call:
      mix:
        - {weight: 6, outcome: answered, ring: {uniform: [2s, 9s]}, talk: {uniform: [65s, 100s]}}
        - {weight: 2, outcome: busy}
        - {weight: 2, outcome: no_answer, ring: 20s}
"""


@dataclass(frozen=True)
class Planted:
    """One difference: where it is, by what drift must name it, and what makes it."""

    what: str
    provider: str
    operation: str
    field: str
    kinds: tuple[str, ...]
    change: Callable[[Fields], Fields] | None = None


def _renamed(fields: Fields) -> Fields:
    return {("extension" if name == "extnumber" else name): value for name, value in fields.items()}


def _without(name: str) -> Callable[[Fields], Fields]:
    return lambda fields: {key: value for key, value in fields.items() if key != name}


def _with(name: str, make: Callable[[Any], Any]) -> Callable[[Fields], Fields]:
    return lambda fields: (
        {**fields, name: make(fields[name])} if fields.get(name) not in (None, "") else fields
    )


def _doubled(fields: Fields) -> Fields:
    result = fields.get("result")
    if not isinstance(result, dict) or "callSerialNo" not in result:
        return fields
    return {**fields, "result": {**result, "callSerialNo": result["callSerialNo"] * 2}}


PLANTED = (
    Planted("a field added", "nxcloud", "group", "carrier", ("unknown",), lambda fields: {**fields, "carrier": "X-1"}),
    Planted("a field renamed", "infin8linx", "record", "extnumber", ("missing",), _renamed),
    Planted("a field missing", "infin8linx", "record", "uuid", ("missing",), _without("uuid")),
    Planted("a number for text", "nxcloud", "gpsend", "code", ("type",), _with("code", int)),
    Planted("another date format", "infin8linx", "record", "starttime", ("format",), _with("starttime", lambda at: at.replace("-", "/"))),
    Planted("a code outside the table", "huawei_cec", "release", "releaseReason", ("code", "value", "format"), _with("releaseReason", lambda _: "77")),
    Planted("an extra header", "nxcloud", "gpsend", "header x-trace", ("header",)),
    Planted("another order of keys", "infin8linx", "PlayVoice", "data.rsptime", ("order",), _with("data", lambda data: dict(reversed(data.items())) if isinstance(data, dict) else data)),
    Planted("a receipt pushed twice", "huawei_cec", "release", "pushes", ("count",)),
    Planted("another rounding of the bill", "nxcloud", "group", "size", ("value",), _with("size", lambda size: str(max(0, int(size) - 1)))),
    Planted("a status in Chinese", "huawei_cec", "createVoiceNotification", "retMsg", ("value",), _with("retMsg", lambda _: "创建成功")),
    Planted("ids twice as long", "huawei_cec", "createVoiceNotification", "result.callSerialNo", ("length",), _doubled),
)  # fmt: skip


@dataclass
class Front:
    """Passes requests to the emulator and its pushes to ``receiver``, and changes replies and pushes."""

    url: str = ""
    receiver: str = ""
    upstream: str = ""
    planted: tuple[Planted, ...] = PLANTED
    session: aiohttp.ClientSession | None = None
    tasks: list[Any] = field(default_factory=list)

    def changes(self, provider: str, operation: str) -> list[Planted]:
        return [each for each in self.planted if (each.provider, each.operation) == (provider, operation)]

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        assert self.session is not None
        body = await raw.read()
        headers = {
            name: value
            for name, value in raw.headers.items()
            if name.lower() not in ("host", "content-length")
        }
        if raw.path.startswith("/push/"):
            return await self._push(
                raw.path.removeprefix("/push/"), raw.method, raw.query_string, headers, body
            )
        pairs = tuple(raw.headers.items())
        request = READER.request(raw.method, raw.path_qs, pairs, body)
        provider, operation = (request.provider, request.operation_name) if request is not None else ("", "")
        async with self.session.request(
            raw.method, self.upstream + raw.path_qs, data=body, headers=headers
        ) as reply:
            answer = await reply.read()
            status, kind = reply.status, reply.headers["Content-Type"]
        more = {}
        for each in self.changes(provider, operation):
            if each.change is None:
                more["X-Trace"] = "1"
            else:
                answer = json.dumps(
                    each.change(json.loads(answer)), ensure_ascii=False, separators=(",", ":")
                ).encode()
        return web.Response(status=status, body=answer, headers={"Content-Type": kind, **more})

    async def _push(
        self, provider: str, method: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> web.Response:
        assert self.session is not None
        fields = json.loads(body) if body[:1] == b"{" else dict(parse_qsl(query, keep_blank_values=True))
        kind = READER.receipt_kind(provider, fields)
        times = 1
        for each in self.changes(provider, kind.name if kind is not None else ""):
            if each.change is None:
                times = 2
            else:
                fields = each.change(fields)
        if body[:1] == b"{":
            body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        else:
            query = urlencode(fields)
        target = URL(f"{self.receiver}/{provider}" + (f"?{query}" if query else ""), encoded=True)
        for _ in range(times):
            async with self.session.request(
                method, target, data=body or None, headers=headers, skip_auto_headers=("Content-Type",)
            ) as reply:
                answer = web.Response(status=reply.status, body=await reply.read())
        return answer


async def recorded(
    scenario: str,
    planted: tuple[Planted, ...],
    folder: Path,
    drive: Callable[[Running, str], Any] | None = None,
) -> Any:
    """A recording of an emulator under ``scenario``, made through the proxy, with differences planted."""
    front = Front(planted=planted)

    async def acknowledge(raw: web.BaseRequest) -> web.StreamResponse:
        provider = raw.path.strip("/")
        return (
            web.json_response({"retCode": "0"}) if provider == "huawei_cec" else web.Response(text="success")
        )

    async with (
        started(scenario, receive=False) as running,
        aiohttp.ClientSession() as front.session,
        served(front.handle) as front.url,
        served(acknowledge) as receiver,
    ):
        front.upstream = running.url
        upstreams = {name: URL(front.url) for name in READER.providers}
        receivers = {name: URL(f"{receiver}/{name}") for name in READER.providers}
        recorder = Recorder(
            READER, Guards(1_000, ["*"]), upstreams, receivers, clock=lambda: running.tenant.now
        )
        async with recording(recorder, ["127.0.0.1"], 0) as proxy:
            front.receiver = f"{proxy}/_receiver"
            owners = {key: name for name, each in READER.providers.items() for key in each.url_keys}
            running.change(
                {
                    "callback_urls": {
                        key: f"{front.url}/push/{owners[key]}" for key in receiver_keys(READER.providers)
                    }
                }
            )
            await (drive or dial)(running, proxy)
        write(folder / "x.vrec", recorder.exchanges, Masking(READER, ["62812*"]), ["62812*"])
    return read(folder / "x.vrec")


async def dial(running: Running, base: str) -> None:
    """Call every number at every provider."""
    form = {
        "appkey": "nx-appkey",
        "secretkey": "nx-secretkey",
        "country_code": "62",
        "show_phone": "1",
        "url": "http://a/b.mp3",
    }
    async with running.client.post(
        f"{base}/apigovernance/api/oauth/tokenByAkSk",
        json={"app_key": "cec-app-key", "app_secret": "cec-app-secret"},
    ) as reply:
        token = (await reply.json(content_type=None))["AccessToken"]
    create = f"{base}/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
    bearer = {"Authorization": f"Bearer {token}", "X-APP-Key": "cec-app-key"}
    for number in NUMBERS:
        async with running.client.post(f"{base}/api/voiceSms/gpsend", data=form | {"phone": number}) as reply:
            assert reply.status == 200
        body = {"called": number, "playList": [{"voiceId": "2"}]}
        async with running.client.post(create, json=body, headers=bearer) as reply:
            assert reply.status == 200
        in8 = {"service": "App.Sip_Call.PlayVoice", "appid": "in8-appid", "accesskey": "in8-accesskey", "nationcode": "id",
               "destnumber": number, "voicetype": "1", "voicefile": "a.mp3"}  # fmt: skip
        async with running.client.post(f"{base}/api/yunhu", data=in8) as reply:
            assert reply.status == 200
        await running.settle()


def named(result: Drift) -> list[str]:
    """The planted differences that a result names by their fields."""
    found = {(each.provider, each.operation, each.field, each.kind) for each in result.findings}
    return [
        each.what
        for each in PLANTED
        if any((each.provider, each.operation, each.field, kind) in found for kind in each.kinds)
    ]


async def demo() -> int:
    """Show the twelve differences, named directly and from a recording of the distilled scenario."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clean = await drift(READER, (await recorded(SCENARIO, (), folder)).exchanges)
        print(f"without differences: {len(clean.findings)} findings in {clean.exchanges} exchanges")
        first = await recorded(SCENARIO, PLANTED, folder)
        again = await recorded(distil(READER, first.exchanges, "first").text, PLANTED, folder)
        results = [await drift(READER, each.exchanges) for each in (first, again)]
    for each in PLANTED:
        marks = " ".join("named" if each.what in named(result) else "MISSED" for result in results)
        print(f"{marks}  {each.what}: {each.provider} {each.operation} {each.field}")
    counts = [len(named(result)) for result in results]
    print(f"{counts[0]} of {len(PLANTED)} named; from the distilled recording {counts[1]} of {len(PLANTED)}")
    return 0 if not clean.findings and counts == [len(PLANTED)] * 2 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(demo()))
