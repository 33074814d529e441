"""Why one request or push went as it did."""

from __future__ import annotations

import pytest

from tests.contract.clients import NUMBER, Client
from tests.rig import Running, started
from voice_emulator.core.draws import draw
from voice_emulator.report.explanation import Unexplained, explain
from voice_emulator.report.explanation_text import explanation_text

SCENARIO = """
name: explained
rules:
  - name: VIPs pick up
    match: {provider: nxcloud, number: "99*"}
    call: {outcome: answered}
  - name: the evening
    call:
      mix:
        - weight: 60
          outcome: answered
          ring: {uniform: [2s, 12s]}
          talk: {uniform: [5s, 9s]}
          hangup: {callee: 70, caller: 30}
        - {weight: 40, outcome: busy}
  - name: hardly ever
    match: {operation: gpsend}
    chance: 0.0001%
    reply: {error: system_error}
  - name: the second is slow
    match: {operation: gpsend, nth: 2}
    fault: {latency: 10ms}
  - name: late and twice
    match: {provider: nxcloud}
    receipt: {delay: {uniform: [1s, 3s]}, copies: 2, gap: 1s}
"""


@pytest.fixture
async def emu():
    async with started(SCENARIO) as running:
        client = Client(running)
        await client.gpsend()
        await client.gpsend()
        await running.settle()
        yield running


def entries(emu: Running, kind: str):
    return [entry for entry in emu.tenant.journal if entry.kind == kind]


def told(emu: Running, entry):
    return explain(emu.tenant, emu.emulator.runtime.providers, entry)


async def test_a_request_tells_which_rule_acted_and_why_the_others_did_not(emu):
    first, second = (told(emu, entry) for entry in entries(emu, "request"))
    assert first["acted"] == {}
    assert second["acted"] == {"fault": "the second is slow"}
    by_name = {rule["rule"]: rule for rule in first["rules"]}
    assert set(by_name) == {"hardly ever", "the second is slow"}, "rules about calls are told with the calls"
    assert "drew" in by_name["hardly ever"]["because"]
    assert by_name["the second is slow"]["because"] == "it matched, but applies only to arrival 2"
    assert first["nearest"]["rule"] in by_name
    (latency,) = second["draws"]
    assert latency["means"] == "0.01 s"


async def test_a_chance_is_told_as_it_was_drawn(emu):
    entry = entries(emu, "request")[0]
    rule = next(rule for rule in told(emu, entry)["rules"] if rule["rule"] == "hardly ever")
    key = entry.record.request.key
    assert rule["draw"]["drawn"] == round(draw(emu.tenant.seed, *key, "hardly ever", "chance"), 6)
    assert rule["draw"]["says"] == "no"


async def test_a_call_tells_its_draws_and_its_course(emu):
    (call,) = told(emu, entries(emu, "request")[0])["calls"]
    assert call["number"] == NUMBER
    assert call["acted"] == {"call": "the evening", "receipt": "late and twice"}
    vip = next(rule for rule in call["rules"] if rule["rule"] == "VIPs pick up")
    assert not vip["matched"]
    assert NUMBER in vip["because"]
    placed = emu.tenant.ledger.get(call["call"])
    drawn = {each["purpose"]: each["means"] for each in call["draws"]}
    assert drawn["mix"].startswith(placed.plan.outcome.value)
    assert call["fate"] == "acknowledged"
    events = [step["event"] for step in call["timeline"]]
    assert events[0] == "submitted"
    assert events.count("callback") == 2
    assert events.index("ended") < events.index("callback")


async def test_a_push_tells_its_rule_its_delay_and_its_call(emu):
    push = told(emu, entries(emu, "callback")[0])
    assert push["acted"] == {"receipt": "late and twice"}
    assert {each["purpose"] for each in push["draws"]} == {"delay", "gap1"}
    assert push["expected"] == "success"
    assert push["calls"][0]["number"] == NUMBER


async def test_explanation_reads_as_text(emu):
    request = explanation_text(told(emu, entries(emu, "request")[1]))
    assert "Fault: by the rule 'the second is slow'." in request
    assert "Timeline:" in request
    callback = explanation_text(told(emu, entries(emu, "callback")[0]))
    assert "Outcome: delivered. Expected: success." in callback


async def test_a_request_to_an_unknown_path_is_told_by_its_path(emu):
    async with emu.client.post(f"{emu.url}/nowhere"):
        assert told(emu, entries(emu, "request")[-1])["what"] == "/nowhere"


async def test_what_no_rule_can_touch_is_not_explained(emu):
    await Client(emu).gpsend(country_code="")
    with pytest.raises(Unexplained, match="violation"):
        told(emu, entries(emu, "violation")[0])


async def test_scenario_changed_since_is_noted(emu):
    await emu.advance("1s")
    emu.tenant.load(emu.emulator.runtime.loader.named("happy-path"))
    assert "loaded after this" in told(emu, entries(emu, "request")[0])["note"]


async def test_the_control_api_explains(emu):
    base = f"{emu.control}/v1/tenants/default/journal"
    entry = entries(emu, "request")[1]
    async with emu.client.get(f"{base}/{entry.id}/explain") as reply:
        assert reply.status == 200
        assert (await reply.json())["acted"] == {"fault": "the second is slow"}
    for unknown in ("999999", "x", "0"):
        async with emu.client.get(f"{base}/{unknown}/explain") as reply:
            assert reply.status == 404
            assert reply.content_type == "application/problem+json"


async def test_the_copies_of_a_receipt_are_told_apart():
    text = "name: twice\nrules:\n  - name: twice\n    receipt: {copies: 2}\n"
    async with started(text) as emu:
        await Client(emu).gpsend()
        await emu.settle()
        [first, second] = [told(emu, entry) for entry in entries(emu, "callback")]
        assert (first["what"], second["what"]) == (
            "nxcloud group, copy 1 of 2, attempt 1",
            "nxcloud group, copy 2 of 2, attempt 1",
        )
