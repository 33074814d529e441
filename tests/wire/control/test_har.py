"""The journal as an HTTP archive."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jsonschema
import pytest

from tests.rig import started
from tests.wire.api import BUSY, Api

T = "/v1/tenants/default"


def _has(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members)}


TEXT, NUMBER = {"type": "string"}, {"type": "number"}
SIZE = {"type": "integer", "minimum": -1}
PAIRS = {"type": "array", "items": _has(name=TEXT, value=TEXT)}
#: HAR 1.2 as its specification has it, as far as we use it. Browsers read the same members and expect the same types.
HAR = _has(log=_has(
    version={"const": "1.2"}, creator=_has(name=TEXT, version=TEXT), pages={"type": "array"},
    entries={"type": "array", "items": _has(
        startedDateTime={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
        time={**NUMBER, "minimum": 0}, cache={"type": "object"},
        timings=_has(send=NUMBER, wait=NUMBER, receive=NUMBER),
        request={
            **_has(method=TEXT, url=TEXT, httpVersion=TEXT, cookies={"type": "array"}, headers=PAIRS, queryString=PAIRS,
                   headersSize=SIZE, bodySize=SIZE),
            "dependentSchemas": {"postData": {"properties": {"postData": _has(mimeType=TEXT, text=TEXT)}}},
        },
        response=_has(status={"type": "integer"}, statusText=TEXT, httpVersion=TEXT, cookies={"type": "array"},
                      headers=PAIRS, content=_has(size=SIZE, mimeType=TEXT, text=TEXT), redirectURL=TEXT,
                      headersSize=SIZE, bodySize=SIZE),
    )},
))  # fmt: skip


def assert_importable(archive: Any) -> None:
    """Valid HAR 1.2, with times and URLs that a browser can read."""
    jsonschema.Draft202012Validator(HAR).validate(archive)
    for entry in archive["log"]["entries"]:
        assert urlsplit(entry["request"]["url"]).scheme in ("http", "https")
        assert entry["time"] == sum(entry["timings"].values())


async def test_the_journal_as_an_http_archive(api: Api):
    await api.dial(BUSY)
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    reply = await api.get(f"{T}/har")
    assert 'filename="default.har"' in reply.headers["Content-Disposition"]
    log = reply.json["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "voice-emulator")
    asked, pushed = log["entries"]
    assert asked["request"]["method"] == "POST"
    assert urlsplit(asked["request"]["url"]).path == "/api/voiceSms/gpsend"
    assert f"phone={BUSY}" in asked["request"]["postData"]["text"]
    assert (asked["response"]["status"], asked["_kind"]) == (200, "request")
    assert pushed["request"]["url"].startswith(api.emu.receiver.url)
    assert {"name": "hangup_cause", "value": "USER_BUSY"} in pushed["request"]["queryString"]
    assert (pushed["response"]["content"]["text"], pushed["_kind"]) == ("success", "callback")
    assert_importable(reply.json)


async def test_a_reply_that_never_came_has_status_0_in_the_archive():
    scenario = "name: f\nrules:\n  - name: broken\n    fault: reset\n"
    async with started(scenario) as emu:
        api = Api(emu)
        with pytest.raises(aiohttp.ClientConnectionError):
            await api.dial(BUSY)
        (entry,) = (await api.get(f"{T}/har")).json["log"]["entries"][:1]
        assert (entry["response"]["status"], bool(entry["response"]["_error"])) == (0, True)
        assert_importable((await api.get(f"{T}/har")).json)


async def test_an_archive_of_nonsense_can_be_imported(api: Api):
    await api.emu.client.get(f"{api.emu.url}/nowhere?x=%zz&y")
    await api.emu.client.post(f"{api.emu.url}/apigovernance/api/oauth/tokenByAkSk", data=b"\xff\xfe\x00")
    await api.dial(BUSY)
    api.emu.receiver.answer_once(302, "", {"Location": "/elsewhere"})
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    archive = (await api.get(f"{T}/har")).json
    assert len(archive["log"]["entries"]) == 4
    assert_importable(archive)


async def test_an_archive_of_heavy_entries_is_whole(api: Api):
    for index in range(3):
        body = f"ext={index}".ljust(300_000, "\x01")
        async with api.emu.client.post(f"{api.emu.url}/api/voiceSms/gpsend", data=body):
            pass  # refused, and kept as it came
    entries = (await api.get(f"{T}/har")).json["log"]["entries"]
    assert [entry["request"]["postData"]["text"][:5] for entry in entries] == ["ext=0", "ext=1", "ext=2"]
    assert {len(entry["request"]["postData"]["text"]) for entry in entries} == {300_000}
    async with api.emu.client.head(f"{api.emu.control}{T}/har") as reply:
        assert (reply.status, await reply.read()) == (200, b"")
