"""The same story with and without deaths in it: replies and receipts are the same, byte for byte.

On a manual clock a run is deterministic, so the run without a death is the measure of every run with one.
Nothing is on the wire when the process dies here; the deaths with pushes on the wire are in test_killed.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.providers.huawei_cec.client import CREATE, NOTIFICATION, TENANT_KEY, TENANT_SECRET, UPLOAD
from tests.providers.infin8linx.account import BATCH, EVER, KEYS, SERVICES
from tests.providers.nxcloud.customer import AGENT_KEYS, DAY, GOOD
from tests.state.stories import Step, Story, tell
from voice_emulator.providers.huawei_cec.operations import PATHS

SCENARIO = """
name: eventful
seed: 11
providers:
  nxcloud: {tariff: {cycle: 6, price: "0.036", basic_price: "0.005"}, call_status_push: true, balance: "100"}
  huawei_cec: {credentials: {shared_key: 0123456789abcdef}, review_delay: 120}
  infin8linx: {dial_concurrency: 2, callback_attempts: 3, callback_interval: 40, recordings: true}
rules:
  - {name: refused twice, match: {operation: token, nth: [2, 3]}, reply: {error: auth_failed}}
  - name: mixed
    call:
      mix:
        - {weight: 5, outcome: answered, ring: {uniform: [2s, 50s]}, talk: {uniform: [1s, 90s]}, keys: "1"}
        - {weight: 2, outcome: no_answer}
        - {weight: 1, outcome: busy}
        - {weight: 1, outcome: network_failure}
  - {name: twice, match: {provider: nxcloud}, chance: 50%, receipt: {copies: 2, gap: 45s}}
  - {name: late, match: {provider: infin8linx}, chance: 40%, receipt: {delay: 70s}}
  - {name: hidden, match: {provider: huawei_cec}, chance: 50%, receipt: {query_lag: 100s, duplicate_nonce: true}}
  - {name: once only, match: {provider: nxcloud, number: "*9"}, times: 2, receipt: {retry: {attempts: 3, every: 20s}}}
"""


def advance(span: str) -> Step:
    async def step(told: Story) -> None:
        await told.emu.advance(span)

    return step


def form(path: str, fields: dict[str, Any]) -> Step:
    async def step(told: Story) -> None:
        await told.ask(path, data=fields)

    return step


def nxcloud(operation: str, **changes: Any) -> Step:
    return form(f"/api/voiceSms/{operation}", {**GOOD[operation], **changes})


def infin8linx(operation: str, **fields: str) -> Step:
    async def step(told: Story) -> None:
        keys = {"token": told.kept["in8"]} if "in8" in told.kept and operation != "Login" else KEYS
        answer = await told.ask("/api/yunhu", data={"service": SERVICES[operation], **keys, **fields})
        if operation == "Login":
            told.kept["in8"] = answer["data"]["result"]["token"]

    return step


def cec(operation: str, body: dict[str, Any]) -> Step:
    async def step(told: Story) -> None:
        own = {name: told.receiver.url + value for name, value in body.items() if name == "callBackUrl"}
        headers = {"Authorization": f"Bearer {told.kept.get('cec', '')}"}
        answer = await told.ask(PATHS[operation], json={**body, **own}, headers=headers)
        told.kept["cec"] = answer.get("AccessToken") or told.kept.get("cec")
        if operation == CREATE:
            told.kept["serial"] = answer["result"]["callSerialNo"]

    return step


async def agent_call(told: Story) -> None:
    answer = await told.ask("/v1/call/token", data=AGENT_KEYS)
    told.kept["agent"] = answer.get("token") or told.kept.get("agent", "")
    await told.ask("/v1/call/makecall", data={**GOOD["makecall"], "token": told.kept["agent"], "orderid": ""})


async def recording(told: Story) -> None:
    """The link in each record that was pushed, and the recording behind it."""
    links = sorted(set(re.findall(r"/infin8linx/recordings/[0-9a-f]+", str(told.pushed()))))
    assert links
    for link in links:
        await told.ask(link, method="GET")
        assert told.heard[-1][0] == 200


async def refuse_some(told: Story) -> None:
    told.receiver.answer_once(500)
    told.receiver.answer_once(200, "later")


async def cec_recording(told: Story) -> None:
    headers = {"Authorization": f"Bearer {told.kept['cec']}"}
    body = {"callSerialNo": told.kept["serial"]}
    answer = await told.ask(PATHS["getRecordingAddress"], json=body, headers=headers)
    assert answer["retCode"] == 0
    assert (await told.ask("/" + answer["result"]["url"].split("/", 3)[3], method="GET"))[:4] == b"RIFF"


NUMBERS = ",".join(f"62812000{index:03d}9" for index in range(7))
STEPS: list[Step] = [
    infin8linx("Login"),
    nxcloud("gpsend", phone=NUMBERS, ext="e1"),
    cec("tokenByAkSk", {"app_key": TENANT_KEY, "app_secret": TENANT_SECRET}),
    cec("importVoiceFile", {**UPLOAD, "callBackUrl": "/huawei_cec/review"}),
    advance("3s"),
    cec(CREATE, dict(NOTIFICATION)),
    cec(CREATE, {**NOTIFICATION, "callBackUrl": "/huawei_cec/own"}),
    agent_call,
    infin8linx(
        "PlayVoice",
        **{name: value for name, value in BATCH.items() if name not in KEYS and name != "service"},
    ),
    form("/api/yunhu", {**BATCH, "destnumber": NUMBERS, "todayonly": "1"}),
    nxcloud("gpsend", phone="6281200011119", task_time="2026-01-05 09:03:00", time_zone="8"),
    advance("20s"),
    refuse_some,
    nxcloud("versend"),
    advance("40s"),
    agent_call,
    agent_call,
    advance("30s"),
    nxcloud("getVoiceCdr", **DAY),
    cec("queryCallDetailRecord", {"startTime": "1767574000000", "endTime": "1767579000000"}),
    advance("5m"),
    infin8linx("GetBill", **EVER, callmethod="6", syncflag="1"),
    nxcloud("gpsend", phone=NUMBERS),
    cec_recording,
    recording,
    infin8linx("Logout"),
    infin8linx("GetBill", **EVER, callmethod="6", syncflag="1"),
    advance("1d"),
    nxcloud("getVoiceCdr", **DAY),
]


@dataclass(frozen=True)
class Outcome:
    """What the client heard, what the receiver got (without its own address), and the books in the end."""

    heard: list[Any]
    pushed: list[str]
    books: Any


_UNDISTURBED: list[Outcome] = []


async def run(folder: Path, deaths: Sequence[int]) -> Outcome:
    told = await tell(folder, STEPS, SCENARIO, deaths)
    pushed = [str(each).replace(told.receiver.url, "http://receiver") for each in told.pushed()]
    tenant = told.emulator.runtime.tenancy.default
    return Outcome(told.heard, pushed, [tenant.conservation.shown_accounts(), tenant.totals.charged])


async def undisturbed(folder: Path) -> Outcome:
    if not _UNDISTURBED:
        _UNDISTURBED.append(await run(folder, ()))
    return _UNDISTURBED[0]


EVERYWHERE = list(range(1, len(STEPS)))


@pytest.mark.parametrize("deaths", [EVERYWHERE, EVERYWHERE[::2], *([n] for n in EVERYWHERE[::4])], ids=str)
async def test_deaths_between_the_steps_change_nothing(tmp_path, deaths: list[int]):
    measure = await undisturbed(tmp_path / "undisturbed")
    assert len(measure.pushed) > 40
    again = await run(tmp_path / "again", deaths)
    assert again.heard == measure.heard
    assert again.pushed == measure.pushed
    assert again.books == measure.books
