"""One push with several receipts: who travels with whom, what faults do to one of them, and that all accounts are right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugins import install
from tests.rig import Running, started
from tests.state.stories import story
from tests.wire.api import Api
from voice_emulator.core.clock import SECOND
from voice_emulator.errors import StateError

#: Tinytel of the tests, with receipts in JSON arrays, tried again after a minute, and a word for a day.
BATCHED = """
from dataclasses import replace
from tests.fourth import tinytel
from voice_emulator.core.clock import MINUTE, SECOND
from voice_emulator.core.placing import Batch, ReceiptPlan
from voice_emulator.core.scenario import Retry
from voice_emulator.providers.kit.pushes import Encoder

def submit(request):
    plan = ReceiptPlan("ended", batch=Batch({most}, {wait} * SECOND), retry=Retry((MINUTE,)))
    return replace(tinytel.submit(request), receipts=(plan,))

TINY = tinytel.PROVIDER
dial = replace(TINY.operations["dial"], submit=submit)
ended = replace(
    TINY.receipts["ended"], encode=Encoder(), array=True, encodings=("json",),
    answer_within=lambda settings: 0.7, acknowledgement="any HTTP 200",
)
PROVIDER = replace(
    TINY, operations={{**TINY.operations, "dial": dial}}, receipts={{"ended": ended}},
    retries={{"tinytel-daily": Retry((24 * 60 * MINUTE,) * 2)}},
)
"""


@pytest.fixture
def batched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Install tinytel with batches of at most 3, which leave after 2 s at the latest."""
    install(monkeypatch, tmp_path / "site", {"tinytel": BATCHED.format(most=3, wait=2)})


def rules(*given: str) -> str:
    return "name: batches\nrules:\n" + "".join(f"  - {rule}\n" for rule in given) if given else "happy-path"


async def dial(emu: Running, *numbers: str) -> None:
    for number in numbers:
        data = {"key": "tiny-key", "to": number}
        async with emu.client.post(f"{emu.url}/tinytel/dial", data=data) as reply:
            assert reply.status == 200


def arrived(emu: Running) -> list[list[str]]:
    """The numbers in each push, in order."""
    return [[one["to"] for one in json.loads(push.body)] for push in emu.receiver.received]


def fates(emu: Running) -> dict[str, int]:
    account = emu.tenant.conservation.accounts["tinytel"]
    assert emu.tenant.conservation.balanced
    return {fate.value: count for fate, count in account.fates.items() if count}


@pytest.mark.usefixtures("batched")
async def test_receipts_share_a_push_until_it_is_full_or_has_waited_long_enough():
    async with started() as emu:
        await dial(emu, "111", "222", "333", "444")
        await emu.advance("13s")
        assert arrived(emu) == [["111", "222", "333"]], "a full push leaves at once"
        api = Api(emu)
        pending = (await api("GET", "/v1/tenants/default/callbacks?outcome=pending")).json["callbacks"]
        assert [(one["number"], one["reason"]) for one in pending] == [
            ("444", "waits for others to share a push with")
        ]
        await emu.advance("2s")
        assert arrived(emu) == [["111", "222", "333"], ["444"]]
        assert fates(emu) == {"acknowledged": 4}
        assert emu.tenant.outbox.idle


@pytest.mark.usefixtures("batched")
async def test_each_call_knows_the_push_that_reported_it():
    async with started() as emu:
        await dial(emu, "111", "222")
        await emu.settle()
        api = Api(emu)
        calls = {
            one["number"]: one["id"] for one in (await api("GET", "/v1/tenants/default/calls")).json["calls"]
        }
        for number, call in calls.items():
            for query in (f"call_id={call}", f"number={number}", f"q=call_id:{call}", f"q=number:{number}"):
                (one,) = (await api("GET", f"/v1/tenants/default/callbacks?{query}")).json["callbacks"]
                assert one["call_ids"] == [calls["111"], calls["222"]]
                assert one["numbers"] == ["111", "222"]
                assert [each["to"] for each in one["receipts"]] == ["111", "222"]
                assert (one["call_id"], one["number"], one["fields"]["to"]) == (calls["111"], "111", "111")
            (entry,) = (await api("GET", f"/v1/tenants/default/journal?kind=callback&call_id={call}")).json[
                "entries"
            ]
            why = (await api("GET", f"/v1/tenants/default/journal/{entry['id']}/explain")).json
            assert [each["number"] for each in why["calls"]] == ["111", "222"]
            shown = (await api("GET", f"/v1/tenants/default/calls/{call}")).json
            assert shown["receipt"] == "delivered"
            assert [point["detail"] for point in shown["timeline"] if point["event"] == "callback"] == [
                "ended, 2 receipts, attempt 1: delivered with 200"
            ]
        waited = await api("GET", "/v1/tenants/default/wait?for=callbacks&number=222&timeout=0s")
        assert waited.json["satisfied"]


@pytest.mark.usefixtures("batched")
async def test_a_refused_push_is_tried_again_unchanged_and_every_receipt_in_it_is_a_finding():
    async with started() as emu:
        emu.receiver.answer(500)
        await dial(emu, "111", "222")
        await emu.advance("20s")
        await dial(emu, "333")
        emu.receiver.answer_once(500)
        await emu.settle()
        assert arrived(emu) == [["111", "222"], ["333"], ["111", "222"], ["333"]]
        first, _, again, _ = emu.receiver.received
        assert first.body == again.body
        assert fates(emu) == {"orphan": 3}
        found = [finding for finding in emu.tenant.findings if finding.rule == "push-answered-with-error"]
        calls = {call.number: call.id for call in emu.tenant.ledger}
        assert sorted(str(finding.call_id) for finding in found) == sorted(2 * list(calls.values()))


@pytest.mark.usefixtures("batched")
async def test_a_second_attempt_that_is_acknowledged_acknowledges_all():
    async with started() as emu:
        emu.receiver.answer_once(503)
        await dial(emu, "111", "222", "333")
        await emu.settle()
        assert arrived(emu) == [["111", "222", "333"]] * 2
        assert fates(emu) == {"acknowledged": 3}


@pytest.mark.usefixtures("batched")
async def test_a_silent_receiver_has_the_providers_own_time():
    async with started() as emu:
        hang = emu.receiver._arrived  # a lock that the test holds: the receiver cannot answer
        async with hang:
            await dial(emu, "111")
            await emu.advance("15s")
            (attempt,) = emu.tenant.attempts
            assert (attempt.outcome.value, attempt.reason) == ("failed", "no answer within 0.7 s")


FAULTS = [
    ("{match: {number: '222'}, receipt: {lost: true}}", [["111", "333"]], {"acknowledged": 2, "orphan": 1}),
    ("{match: {number: '111'}, receipt: {copies: 2}}", [["111", "111", "222"], ["333"]], {"acknowledged": 3}),
    ("{match: {number: '111'}, receipt: {copies: 2, gap: 1s}}", [["111", "222", "333"], ["111"]], {"acknowledged": 3}),
    ("{match: {number: '111'}, receipt: {delay: 1m}}", [["222", "333"], ["111"]], {"acknowledged": 3}),
    ("{match: {number: '111'}, receipt: {hold: 2}}", [["222", "333", "111"]], {"acknowledged": 3}),
    ("{match: {number: '222'}, receipt: {wrong_content_type: true}}", [["111", "333"], ["222"]], {"acknowledged": 3}),
    ("{match: {number: '222'}, receipt: {reset: true}}", [["111", "333"]], {"acknowledged": 2, "orphan": 1}),
    ("{match: {number: '222'}, receipt: {retry: once}}", [["111", "333"], ["222"]], {"acknowledged": 3}),
    ("{match: {number: '222'}, receipt: {before_reply: true}}", [["222"], ["111", "333"]], {"acknowledged": 3}),
    ("{match: {number: '222'}, receipt: {set: {outcome: odd}}}", [["111", "222", "333"]], {"acknowledged": 3}),
]  # fmt: skip


@pytest.mark.usefixtures("batched")
@pytest.mark.parametrize(("rule", "pushes", "accounts"), FAULTS, ids=[rule for rule, _, _ in FAULTS])
async def test_a_fault_of_one_receipt_leaves_the_others_alone(
    rule: str, pushes: list[list[str]], accounts: dict[str, int]
):
    async with started(rules(rule)) as emu:
        await dial(emu, "111", "222", "333")
        await emu.settle()
        assert arrived(emu) == pushes
        assert fates(emu) == accounts
        assert emu.tenant.outbox.idle
        if "odd" in rule:
            assert [one["outcome"] for one in json.loads(emu.receiver.received[0].body)] == [
                "answered", "odd", "answered",
            ]  # fmt: skip
            (attempt,) = emu.tenant.attempts
            assert attempt.faults == ("set",)


@pytest.mark.usefixtures("batched")
async def test_receipts_for_different_receivers_travel_apart_and_a_push_by_hand_alone():
    async with started() as emu:
        await dial(emu, "111", "222")
        await emu.settle()
        api = Api(emu)
        (call, _) = (await api("GET", "/v1/tenants/default/calls")).json["calls"]
        pushed = await api("POST", f"/v1/tenants/default/calls/{call['id']}/push")
        assert [one["call_ids"] for one in pushed.json["callbacks"]] == [[call["id"]]]
        assert arrived(emu) == [["111", "222"], [call["number"]]]


@pytest.mark.usefixtures("batched")
async def test_a_word_of_the_provider_says_how_often_its_pushes_are_tried_and_only_its():
    async with started(rules("{receipt: {retry: tinytel-daily}}")) as emu:
        emu.receiver.answer(500)
        await dial(emu, "111")
        await emu.settle()
        assert len(emu.receiver.received) == 3
        assert emu.tenant.now > 2 * 86_400 * SECOND
        effect = emu.tenant.scenario.rules[0].receipt
        assert effect.retry_of("nxcloud") is None


@pytest.mark.usefixtures("batched")
@pytest.mark.parametrize("when", ["gathered", "refused once"])
async def test_a_restart_keeps_receipts_together(when: str, tmp_path: Path):
    async with story(tmp_path) as told:
        if when == "refused once":
            told.emu.receiver.answer_once(500)
        await dial(told.emu, "111", "222")
        await told.emu.advance("14s" if when == "gathered" else "20s")
        await told.end()
        await told.begin()
        await told.emu.settle()
        assert arrived(told.emu) == [["111", "222"]] * (1 if when == "gathered" else 2)
        assert fates(told.emu) == {"acknowledged": 2}


@pytest.mark.usefixtures("batched")
async def test_a_state_file_with_calls_of_a_plugin_that_is_gone_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with story(tmp_path) as told:
        await dial(told.emu, "111")
        await told.end()
        monkeypatch.setenv("VOICE_EMULATOR_NO_PROVIDER_PLUGINS", "1")
        with pytest.raises(
            StateError, match="has calls of tinytel, a provider that is not there: install its plug-in"
        ):
            await told.begin()
        monkeypatch.delenv("VOICE_EMULATOR_NO_PROVIDER_PLUGINS")
        await told.begin()
