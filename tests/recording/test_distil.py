"""Distilled scenarios: a client sees the same outcomes and charges as it did with the recorded provider."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from tests.recording.taped import READER, taped
from tests.rig import Running, numbers, started
from voice_emulator.cli import commands
from voice_emulator.core.attempts import Attempt
from voice_emulator.recording.distil import distil

EXAMPLES = Path(__file__).parents[2] / "examples"
CALLS = 500
Results = dict[str, tuple[Any, ...]]


@pytest.fixture(autouse=True)
def _examples(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nxcloud_reminders", "huawei_notifier", "infin8linx_campaign"):
        monkeypatch.syspath_prepend(str(EXAMPLES / name))
    for name in ("service", "worker", "campaign"):
        monkeypatch.delitem(sys.modules, name, raising=False)


async def nxcloud_app(running: Running, called: list[str]) -> Results:
    """Outcome and cost of each number, as the reminder service knows them."""
    service: Any = import_module("service")
    store = service.Store()
    app = service.create_app(service.Account(running.url, "nx-appkey", "nx-secretkey"), store)
    async with TestServer(app) as server:
        running.change({"callback_urls": {"nxcloud": str(server.make_url("/nxcloud/receipts"))}})
        for number in called:
            body = {"phone": number, "audio": "https://a/b.mp3"}
            async with running.client.post(server.make_url("/reminders"), json=body) as reply:
                assert reply.status == 201
        await running.settle()
        results = {}
        for index, number in enumerate(called, 1):
            async with running.client.get(server.make_url(f"/reminders/{index}")) as reply:
                shown = await reply.json()
            assert shown.pop("phone") == number
            results[number] = tuple(shown.values())
        async with running.client.get(server.make_url("/bill")) as reply:
            results["bill"] = (await reply.text(),)
    store.close()
    return results


async def huawei_app(running: Running, called: list[str]) -> Results:
    """The release event of each number, as the notification worker gets it."""
    worker: Any = import_module("worker")

    events: list[dict[str, Any]] = []
    app = worker.create_receiver("", events.append, lambda event, key: True)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("/released"))
        running.change({"callback_urls": {"huawei_cec": url}})
        account = worker.Account(running.url, "cec-app-key", "cec-app-secret")
        made = worker.Worker(session, account, worker.Tokens(session, account), url)
        for number in called:
            await made.notify(worker.Notification(number, "2"))
        await running.settle()
        assert len(made.placed) == len(called)
    return {event["called"]: (event["releaseReason"], event["talkDuration"]) for event in events}


async def infin8linx_app(running: Running, called: list[str]) -> Results:
    """Reached or not, and seconds, of each number, as the campaign script finds them out."""
    campaign: Any = import_module("campaign")

    account = campaign.Account(running.url, "in8-appid", "in8-accesskey")
    await asyncio.to_thread(campaign.submit, account, called, voice="a.mp3", campaign="c")
    await running.settle()
    span = {"since": "2026-01-05 00:00:00", "until": "2026-01-06 23:59:59"}
    found = await asyncio.to_thread(lambda: list(campaign.records(account, campaign="c", **span)))
    return {row["destnumber"]: (row["billsec"] > 0, row["billsec"], row["hangupcause"]) for row in found}


async def evening(running: Running, count: int = CALLS) -> tuple[dict[str, Results], Results]:
    """What the three applications found out, and the outcome and charge of each call in the ledger."""
    wanted, third = list(numbers(count)), count // 3
    seen = {
        "huawei_cec": await huawei_app(running, wanted[:third]),
        "nxcloud": await nxcloud_app(running, wanted[third : 2 * third]),
        "infin8linx": await infin8linx_app(running, wanted[2 * third :]),
    }
    calls = [call for provider in seen for call in running.tenant.ledger.of_provider(provider)]
    charges = {call.number: (call.provider, call.bill.charge if call.bill else None) for call in calls}
    return seen, charges


def checked(text: str, tmp_path: Path) -> str:
    path = tmp_path / "distilled.yaml"
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(commands, ["check", str(path)])
    assert done.exit_code == 0, done.output
    assert "warning" not in done.output
    return text


async def test_applications_reach_the_same_outcome_and_charge_for_each_number(tmp_path: Path):
    async with started("evening-peak") as running:
        before = await evening(running)
        recording = await taped(running, tmp_path)
    made = distil(READER, recording.exchanges, "evening")
    assert made.calls == CALLS
    assert made.lost == {}
    async with started(checked(made.text, tmp_path)) as running:
        after = await evening(running)
    assert Counter(str(found) for found in before[0]["nxcloud"].values()).most_common(1)[0][1] < CALLS // 3
    assert after == before


async def test_fit_reproduces_the_share_of_each_outcome_over_10000_calls(tmp_path: Path):
    async with started("evening-peak") as running:
        await place(running, list(numbers(600)))
        recording = await taped(running, tmp_path)
    fitted = distil(READER, recording.exchanges, "evening", fit=True)
    assert "# answered: " in fitted.text
    ((_, rule),) = fitted.rules
    wanted = shares(call["outcome"] for call in rule["call"]["mix"] for _ in range(call["weight"]))
    async with started(checked(fitted.text, tmp_path), receive=False) as running:
        await place(running, list(numbers(10_000, "62813")))
        calls = list(running.tenant.ledger.of_provider("infin8linx"))
    found = shares(call.plan.outcome.value for call in calls)
    assert len(calls) == 10_000
    assert wanted.keys() == found.keys()
    assert max(abs(wanted[name] - found[name]) for name in wanted) < 0.03
    talks = sorted(call.talk_seconds for call in calls if call.talk_seconds)
    assert 14 <= talks[len(talks) // 2] <= 23  # the median of evening-peak is 18 s


def shares(outcomes: Iterable[str]) -> dict[str, float]:
    counts = Counter(outcomes)
    return {name: count / counts.total() for name, count in counts.items()}


async def place(running: Running, called: list[str]) -> None:
    """Place calls to all numbers, in as few requests as possible, and let them end."""
    form = {
        "service": "App.Sip_Call.PlayVoice", "appid": "in8-appid", "accesskey": "in8-accesskey", "nationcode": "id",
        "voicetype": "1", "voicefile": "a.mp3",
    }  # fmt: skip
    for start in range(0, len(called), 5_000):
        numbers = {"destnumber": ",".join(called[start : start + 5_000])}
        async with running.client.post(f"{running.url}/api/yunhu", data=form | numbers) as reply:
            assert (await reply.json(content_type=None))["code"] == 200
    await running.settle()


BAD_DAY = """
name: bad-day
magic_numbers: false
rules:
  - match: {provider: nxcloud, number: "628120000000"}
    call: {outcome: answered, ring: 4s, talk: 61s, hangup: callee, keys: "12#"}
    receipt: {copies: 3, gap: 20s}
  - match: {provider: nxcloud, number: "628120000001"}
    call: {outcome: busy}
    receipt: {delay: 40s, add: {carrier: "X-1"}}
  - match: {provider: nxcloud, number: "628120000002"}
    reply: {error: insufficient_balance}
  - match: {provider: nxcloud, number: "628120000003"}
    fault: {http_status: 503}
  - match: {provider: nxcloud, number: "628120000004"}
    call: {outcome: no_answer, ring: 25s, cause: NO_USER_RESPONSE}
  - match: {provider: nxcloud, number: "628120000005", attempt: 1}
    call: {outcome: unreachable}
  - match: {provider: nxcloud, number: "628120000005", attempt: 2}
    call: {outcome: answered, talk: 5s}
  - match: {provider: nxcloud, number: "628120000006"}
    receipt: {lost: true}
  - match: {provider: nxcloud, number: "628120000007"}
    receipt: {set: {hangup_cause: BRAND_NEW}, drop: [countryCode]}
"""


async def dial_each(running: Running) -> list[tuple[Any, ...]]:
    """What a client sees: each reply, and each push with the seconds since the start."""
    begun = running.tenant.now
    keys = {
        "appkey": "nx-appkey",
        "secretkey": "nx-secretkey",
        "country_code": "62",
        "show_phone": "1",
        "url": "http://a/b.mp3",
    }
    seen: list[tuple[Any, ...]] = []
    for number in [*(f"62812000000{n}" for n in range(8)), "628120000005"]:
        async with running.client.post(
            f"{running.url}/api/voiceSms/gpsend", data=keys | {"phone": number}
        ) as reply:
            text = await reply.text()
            code = (await reply.json(content_type=None))["code"] if reply.status == 200 else text
            seen.append((number, reply.status, code))
        await running.settle()
    pushed = [push async for push in _pushes(running)]
    for at, fields in pushed:
        same = {name: value for name, value in fields.items() if name != "messageid"}
        seen.append(((at - begun) // 1_000_000, same))
    return seen


async def _pushes(running: Running) -> Any:
    for entry in running.tenant.journal:
        if isinstance(entry.record, Attempt) and entry.record.method:
            yield entry.at, entry.record.shown()["fields"]


async def test_repeats_delays_refusals_faults_and_unknown_fields_are_kept(tmp_path: Path):
    async with started(BAD_DAY, strict=False) as running:
        running.receiver.answer(200, "success")
        before = await dial_each(running)
        recording = await taped(running, tmp_path)
    made = distil(READER, recording.exchanges, "bad-day")
    assert sum(made.lost.values()) == 1  # no receipt says how the call went whose receipt was lost
    async with started(checked(made.text, tmp_path), strict=False) as running:
        running.receiver.answer(200, "success")
        assert await dial_each(running) == before


async def test_what_cannot_be_expressed_is_listed(tmp_path: Path):
    async with started(BAD_DAY, strict=False) as running:
        await dial_each(running)
        recording = await taped(running, tmp_path)
    made = distil(READER, [one for one in recording.exchanges if one.is_push], "pushes")
    assert made.rules == []
    assert made.lost == {"a push of nxcloud reports no call of the recording": 8}
    assert "# Not expressed: a push of nxcloud reports no call of the recording (8 times)" in made.text
