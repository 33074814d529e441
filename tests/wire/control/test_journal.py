"""Journal, violations, report and HAR over the control API."""

from __future__ import annotations

import json

import pytest

from tests.rig import started
from tests.wire.api import ANSWERED, BUSY, Api
from voice_emulator.core.findings import Finding

T = "/v1/tenants/default"


async def test_journal_lists_entries_in_order(api: Api):
    await api.dial(BUSY)
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    await api.dial("nonsense")
    entries = [
        entry
        for entry in (await api.get(f"{T}/journal")).json["entries"]
        if entry["kind"] in ("request", "callback")
    ]
    assert [entry["kind"] for entry in entries] == ["request", "callback", "request"]
    good, push, bad = entries
    assert (good["provider"], good["operation"], good["attributed"]) == ("nxcloud", "gpsend", True)
    assert good["request"]["fields"]["phone"] == BUSY
    assert (good["reply"]["status"], json.loads(good["reply"]["body"])["code"]) == (200, "0")
    assert good["calls"] == [push["callback"]["call_id"]]
    assert (push["provider"], push["callback"]["outcome"]) == ("nxcloud", "delivered")
    assert (bad["refused"], bool(bad["violations"])) == (True, True)
    assert [entry["id"] for entry in entries] == sorted(entry["id"] for entry in entries)


async def test_secrets_are_masked_wherever_they_stand(api: Api):
    await api.dial(BUSY)
    async with api.emu.client.post(
        f"{api.emu.url}/apigovernance/api/oauth/tokenByAkSk",
        json={"app_key": "cec-app-key", "app_secret": "cec-app-secret"},
    ) as reply:
        token = (await reply.json(content_type=None))["AccessToken"]
    async with api.emu.client.post(
        f"{api.emu.url}/apiaccess/rest/voiceNotification/v2/createVoiceNotification",
        headers={"Authorization": f"Bearer {token}"},
        json={},
    ):
        pass  # fmt: skip
    for path in (f"{T}/journal", f"{T}/har"):
        text = (await api.get(path)).text
        for secret in ("nx-secretkey", "cec-app-secret", token):
            assert secret not in text, path


async def test_kinds_providers_queries_and_pages(api: Api):
    await api.dial(BUSY, ANSWERED)
    await api.post(f"{T}/clock/advance", {"to": "idle"})

    async def kinds(**query: object) -> list[str]:
        return [entry["kind"] for entry in (await api.get(f"{T}/journal", **query)).json["entries"]]

    assert await kinds(kind="request") == ["request"]
    assert await kinds(kind="callback") == ["callback", "callback"]
    assert await kinds(provider="huawei_cec") == []
    assert await kinds(q="kind:callback number:*0486") == ["callback"]
    assert await kinds(q="operation:gpsend code:0 status:200 number:*0486*") == ["request"]
    after: str | None = "0"
    seen = []
    while after is not None:
        page = (await api.get(f"{T}/journal", limit=1, after=after)).json
        seen += [entry["id"] for entry in page["entries"]]
        after = page["next"]
    assert seen == [entry.id for entry in api.emu.tenant.journal]
    assert (await api.get(f"{T}/journal", kind="reqest")).status == 422


async def test_a_request_no_provider_serves_is_there_too(api: Api):
    async with api.emu.client.post(f"{api.emu.url}/api/voiceSms/gpsnd") as reply:
        assert reply.status == 404
    entry = (await api.get(f"{T}/journal", kind="request")).json["entries"][0]
    assert (entry["provider"], entry["operation"], entry["attributed"]) == (None, None, False)
    assert (await api.get(f"{T}/wait", **{"for": "requests", "timeout": "1s"})).json["satisfied"]


async def test_rules_and_faults_are_named():
    scenario = "name: f\nrules:\n  - name: broken\n    fault: {http_status: 503}\n"
    async with started(scenario) as emu:
        api = Api(emu)
        async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data={"appkey": "nx-appkey"}) as reply:
            assert reply.status == 503
        entry = (await api.get(f"{T}/journal", kind="request")).json["entries"][0]
        assert (entry["rule"]["fault"], entry["fault"], entry["reply"]["status"]) == (
            "broken",
            "http_status",
            503,
        )


def finding(n: int, severity: str = "error") -> Finding:
    return Finding(f"rule-{n}", severity, "nxcloud", "gpsend", f"message {n}", "a page", 7, 1, None)  # type: ignore[arg-type]


async def test_violations_in_pages_and_filtered(api: Api):
    for n in range(5):
        api.emu.tenant.findings.add(finding(n, "warning" if n % 2 else "error"))
    everything = (await api.get(f"{T}/violations")).json
    assert [one["rule"] for one in everything["violations"]] == [f"rule-{n}" for n in range(5)]
    one = everything["violations"][0]
    assert (one["severity"], one["provider"], one["operation"], one["entry"]) == (
        "error",
        "nxcloud",
        "gpsend",
        7,
    )
    assert (one["message"], one["source"]) == ("message 0", "a page")
    after: str | None = "0"
    seen = []
    while after is not None:
        page = (await api.get(f"{T}/violations", limit=2, after=after)).json
        seen += [each["rule"] for each in page["violations"]]
        after = page["next"]
    assert seen == [f"rule-{n}" for n in range(5)]
    warnings = (await api.get(f"{T}/violations", severity="warning", limit=1)).json
    assert [each["rule"] for each in warnings["violations"]] == ["rule-1"]
    rest = (await api.get(f"{T}/violations", severity="warning", after=warnings["next"])).json
    assert [each["rule"] for each in rest["violations"]] == ["rule-3"]
    assert len((await api.get(f"{T}/violations", q="rule:rule-3 severity:warning")).json["violations"]) == 1
    assert (await api.get(f"{T}/violations", severity="fatal")).status == 422


@pytest.mark.parametrize(
    ("format", "media"), [("json", "application/json"), ("junit", "xml"), ("html", "text/html")]
)
async def test_the_report_in_each_format(api: Api, format: str, media: str):
    await api.dial(BUSY)
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    reply = await api.get(f"{T}/report", format=format)
    assert reply.status == 200
    assert media in reply.headers["Content-Type"]
    if format == "json":
        conservation = reply.json["conservation"]
        assert (conservation["accepted"], conservation["acknowledged"], conservation["orphan"]) == (1, 1, 0)
    assert (await api.get(f"{T}/report", format="pdf")).status == 422


async def test_a_page_of_heavy_entries_ends_early_and_goes_on(api: Api):
    for index in range(7):
        body = f"ext={index}".ljust(900_000, "x")
        async with api.emu.client.post(f"{api.emu.url}/api/voiceSms/gpsend", data=body):
            pass  # refused, and kept as it came
    found: list[int] = []
    after, pages = "0", 0
    while after is not None:
        page = (await api.get(f"{T}/journal?kind=request&limit=1000&after={after}")).json
        assert page["entries"]
        found += [entry["id"] for entry in page["entries"]]
        after, pages = page["next"], pages + 1
    assert found == [entry.id for entry in api.emu.tenant.journal.after(0, "request")]
    assert len(found) == 7
    assert pages == 4


async def test_an_entry_that_is_gone_is_told_from_one_that_never_was(api: Api):
    await api.dial(BUSY)
    entries = f"{T}/journal"
    first = (await api.get(entries)).json["entries"][0]["id"]
    assert (await api.get(f"{entries}/{first}/explain")).status == 200
    await api.post(f"{T}/reset")
    told = {
        each: (await api.get(f"{entries}/{each}/explain")).json["detail"] for each in (first, 999, "x", 0)
    }
    assert "no longer keeps entry" in told.pop(first)
    assert all("has no entry" in each and "the newest is" in each for each in told.values()), told


async def test_a_push_says_which_copy_and_attempt_it_is(api: Api):
    await api("PUT", f"{T}/scenario", {"name": "twice", "rules": [{"receipt": {"copies": 2, "gap": "1m"}}]})
    await api.dial(BUSY)
    await api.post(f"{T}/clock/advance", {"seconds": 30})
    labels = ["group, copy 1 of 2, attempt 1", "group, copy 2 of 2, attempt 1"]
    shown = (await api.get(f"{T}/callbacks")).json["callbacks"]
    assert [(each["label"], each["outcome"]) for each in shown] in (
        [(labels[0], "delivered")],
        [(labels[0], "delivered"), (labels[1], "pending")],
    )
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    assert [each["label"] for each in (await api.get(f"{T}/callbacks")).json["callbacks"]] == labels
