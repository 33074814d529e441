"""The journal as an HTTP archive."""

from __future__ import annotations

from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.rig import started
from tests.wire.api import BUSY, Api

T = "/v1/tenants/default"


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
    for entry in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
        assert {
            "method",
            "url",
            "httpVersion",
            "cookies",
            "headers",
            "queryString",
            "headersSize",
            "bodySize",
        } <= set(entry["request"])
        assert {
            "status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL",
            "headersSize", "bodySize",
        } <= set(entry["response"])  # fmt: skip


async def test_a_reply_that_never_came_has_status_0_in_the_archive():
    scenario = "name: f\nrules:\n  - name: broken\n    fault: reset\n"
    async with started(scenario) as emu:
        api = Api(emu)
        with pytest.raises(aiohttp.ClientConnectionError):
            await api.dial(BUSY)
        (entry,) = (await api.get(f"{T}/har")).json["log"]["entries"][:1]
        assert entry["response"]["status"] == 0


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
