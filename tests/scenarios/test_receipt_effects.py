"""Receipt effects at all three providers: none at 0 %, all at 100 %, a fair share in between."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest

from tests.rig import START, Running, started
from tests.scenarios.day import DAY, IN8_KEYS, Customer
from voice_emulator.conformance.examples import receipts_of
from voice_emulator.core.clock import SECOND

EACH = 30
#: Ids of records are given in the order in which calls end, and that may differ between two runs.
RECORD_ID = re.compile(rb"100[0-9]{4}")
ACCOUNT = "providers: {huawei_cec: {shared_key: 0123456789abcdef}}\n"
#: Who feels an effect; the other effects are felt everywhere.
ONE_PROVIDER = {
    "bad_signature": "huawei_cec",
    "stale_timestamp": "huawei_cec",
    "duplicate_nonce": "huawei_cec",
}
EFFECTS = {
    "lost": "{lost: true}",
    "delay": "{delay: 5m}",
    "copies": "{copies: 2, gap: 7s}",
    "before_reply": "{before_reply: true}",
    "set": "{set: {second: 7, releaseReason: 77, billsec: 7}}",
    "add": "{add: {traceId: new}}",
    "drop": "{drop: [second, releaseReason, billsec]}",
    "unknown_enum": "{corrupt: unknown_enum}",
    "wrong_type": "{corrupt: wrong_type}",
    "oversize": "{corrupt: oversize, encoding: form}",
    "empty": "{corrupt: empty}",
    "bad_date": "{corrupt: bad_date}",
    "negative": "{corrupt: negative}",
    "wrong_id": "{corrupt: wrong_id}",
    "reset": "{reset: true}",
    "wrong_content_type": "{wrong_content_type: true, encoding: form}",
    "form": "{encoding: form}",
    "query and json": "{encoding: json}",
    "bad_signature": "{bad_signature: true}",
    "stale_timestamp": "{stale_timestamp: true}",
    "duplicate_nonce": "{duplicate_nonce: true}",
}
Seen = dict[tuple[str, str], list[tuple[Any, ...]]]


def ruled(effect: str, chance: str) -> str:
    rule = f"  - {{name: the effect, chance: {chance}, receipt: {effect}}}\n"
    return f"name: effects\ndescription: {chance}\n{ACCOUNT}rules:\n{rule}"


async def call_everybody(emu: Running) -> Seen:
    """Thirty calls at each provider; what their receivers saw, by provider and number, and when."""
    customer = Customer(emu)
    await customer.sign_in()
    phones = [f"62815{index:05d}5" for index in range(EACH)]
    await customer.group_call(*phones)
    await customer.play(*phones)
    for phone in phones:
        await customer.notify(phone)
    await emu.settle()
    seen: Seen = defaultdict(list)
    attempts = [attempt for attempt in emu.tenant.attempts if attempt.reply is not None]
    for attempt, push in zip(attempts, emu.receiver.received, strict=True):
        assert attempt.push.call is not None
        said = (
            attempt.at,
            push.method,
            push.path,
            RECORD_ID.sub(b"(record)", str(sorted(push.query.items())).encode()),
            push.headers.get("Content-Type"),
        )
        seen[attempt.push.provider, attempt.push.call.number].append(
            (*said, RECORD_ID.sub(b"(record)", push.body))
        )
    return seen


async def again(emu: Running, text: str) -> Seen:
    """The same calls under another scenario."""
    emu.tenant.reset()
    emu.receiver.received.clear()
    emu.tenant.load(emu.emulator.runtime.loader.text(text))
    return await call_everybody(emu)


def touched(plain: Seen, seen: Seen) -> Counter[str]:
    """How many calls of each provider were reported differently."""
    return Counter(key[0] for key in plain if plain[key] != seen.get(key))


@pytest.mark.slow
@pytest.mark.parametrize("name", EFFECTS)
async def test_an_effect_touches_as_many_receipts_as_its_chance_says(name: str):
    async with started(ruled("{copies: 1}", "0%")) as emu:
        plain = await call_everybody(emu)
        assert Counter(key[0] for key in plain) == {"nxcloud": EACH, "huawei_cec": EACH, "infin8linx": EACH}
        concerned = [ONE_PROVIDER[name]] if name in ONE_PROVIDER else ["nxcloud", "huawei_cec", "infin8linx"]
        assert touched(plain, await again(emu, ruled(EFFECTS[name], "0%"))) == {}
        everywhere = touched(plain, await again(emu, ruled(EFFECTS[name], "100%")))
        # The first nonce of all has none before it that it could repeat, and one kind may travel that way anyway.
        least = EACH - 1 if name == "duplicate_nonce" else EACH
        for provider in concerned:
            expected = 0 if name == "query and json" and provider != "nxcloud" else least
            assert everywhere[provider] == expected, provider
        assert set(everywhere) <= set(concerned)
        felt = {provider for provider in concerned if everywhere[provider]}
        share = touched(plain, await again(emu, ruled(EFFECTS[name], "30%")))
        # Thirty draws at 30 %: 9 on average, 2.5 of standard deviation.
        for provider in felt:
            assert 2 <= share[provider] <= 17, share
        total = len(felt) * EACH * 0.3
        assert abs(share.total() - total) <= 4 * (total * 0.7) ** 0.5


async def test_one_more_rule_leaves_the_draws_of_the_others_alone():
    rule = "  - {name: lossy, chance: 30%, receipt: {lost: true}}\n"
    other = "  - {name: slow, chance: 50%, match: {number: 999*}, receipt: {delay: 1h}}\n"
    head = f"name: two\ndescription: x\n{ACCOUNT}rules:\n"
    async with started(head + rule) as emu:
        alone = await call_everybody(emu)
        assert 0 < len(alone) < 3 * EACH
        assert await again(emu, head + other + rule) == alone


@pytest.mark.parametrize(
    ("retry", "waits"),
    [
        ("once", []),
        ("fast-ladder", [1, 10, 30, 90]),
        ("hourly-6", [3600] * 5),
        ("minute-60", [60] * 60),
        ("{attempts: 4, every: 5s}", [5, 5, 5]),
    ],
)
async def test_a_refused_push_is_tried_again_exactly_then(retry: str, waits: list[int]):
    async with started(ruled(f"{{retry: {retry}}}", "100%")) as emu:
        emu.receiver.answer(500)
        await place_one_everywhere(emu)
        for provider in ("nxcloud", "huawei_cec", "infin8linx"):
            times = [attempt.at for attempt in emu.tenant.attempts if attempt.push.provider == provider]
            assert [(b - a) // SECOND for a, b in pairwise(times)] == waits


async def test_a_retry_stops_at_the_providers_own_acknowledgement_and_at_nothing_else():
    """HTTP 200 with the wrong body is none at NXCloud and Huawei; any 2xx is one at Infin8linx."""
    async with started(ruled("{retry: {attempts: 3, every: 1m}}", "100%")) as emu:
        emu.receiver.answer(200, '{"retCode": "1"}')
        await place_one_everywhere(emu)
        tried = Counter(attempt.push.provider for attempt in emu.tenant.attempts)
        assert tried == {"nxcloud": 3, "huawei_cec": 3, "infin8linx": 1}


async def test_a_slow_push_dribbles_in_at_every_provider():
    async with started(ruled("{slow_body: {every: 1ms, bytes: 60}, encoding: form}", "100%")) as emu:
        seen = await call_everybody(emu)
        assert len(seen) == 3 * EACH
        assert all(attempt.outcome == "delivered" for attempt in emu.tenant.attempts)
        assert all(attempt.faults == ("slow_body", "encoding") for attempt in emu.tenant.attempts)


async def test_held_receipts_come_after_as_many_later_ones_as_the_rule_says():
    text = "name: held\ndescription: x\nrules:\n"
    text += '  - {name: two, match: {number: "6281*"}, receipt: {hold: 2}}\n'
    text += '  - {name: one, match: {number: "6282*"}, receipt: {hold: 1}}\n'
    async with started(text) as emu:
        await Customer(emu).group_call("62810001", "62820002", "62830003", "62830004", "62830005")
        await emu.settle()
        # 1 waits for two others, 2 for one; what is let go overtakes nobody itself.
        assert "".join(push.fields["phone"][-1] for push in emu.receiver.received) == "32415"


async def test_what_nothing_overtakes_is_let_go_when_nothing_else_is_pending():
    async with started(ruled("{hold: 9}", "100%")) as emu:
        await Customer(emu).group_call("62810001", "62810002")
        await emu.advance("12s")
        assert emu.receiver.received == []
        await emu.advance("1s")
        assert [push.fields["phone"] for push in emu.receiver.received] == ["62810001", "62810002"]


async def shown(customer: Customer) -> dict[str, int]:
    """How many calls the record query of each provider shows."""
    keys = {"appkey": "nx-appkey", "secretkey": "nx-secretkey"}
    rows = await customer.post("/api/voiceSms/getVoiceCdr", data={**keys, **DAY, "voiceType": "0"})
    span = {"startTime": str(START // 1000), "endTime": str(START // 1000 + 86_400_000)}
    details = await customer.post(
        "/apiaccess/CC-Management/v1/mobileAgent/queryCallDetailRecord",
        json={**span, "offset": "0", "limit": "100"}, headers=customer._bearer,
    )  # fmt: skip
    bill = {"service": "App.Sip_Cdr.GetBill", "token": customer.tokens["infin8linx"], "callmethod": "0"}
    times = {"starttime": DAY["start_time"], "endtime": DAY["end_time"], "itemsperpage": "100"}
    bills = await customer.post("/api/yunhu", data={**bill, **times, "syncflag": "3"})
    return {
        "nxcloud": rows["info"]["total"],
        "huawei_cec": details.get("result", {"total": 0})["total"],
        "infin8linx": bills["data"]["result"]["totalitems"],
    }


@pytest.mark.parametrize("chance", ["0%", "100%"])
async def test_push_and_query_disagree_for_as_long_as_the_query_lags(chance: str):
    async with started(ruled("{query_lag: 30s}", chance)) as emu:
        customer = Customer(emu)
        await customer.sign_in()
        await customer.group_call("6281234567")
        await customer.notify("6281234567")
        await customer.play("6281234567")
        await emu.advance("13s")
        assert len(emu.receiver.received) == 3
        nothing, everything = ({"nxcloud": n, "huawei_cec": n, "infin8linx": n} for n in (0, 1))
        lags = chance == "100%"
        assert await shown(customer) == (nothing if lags else everything)
        await emu.advance("29s")
        assert await shown(customer) == (nothing if lags else everything)
        await emu.advance("1s")
        assert await shown(customer) == everything
        # What the receipt said is what the query says.
        said = {push.path: receipts_of(push)[0] for push in emu.receiver.received}
        assert said["/infin8linx"]["billsec"] == int(said["/nxcloud"]["second"]) == 10


async def test_a_client_that_asks_is_told_which_rules_acted():
    text = "name: told\ndescription: x\nrules:\n  - {name: busy line, call: {outcome: busy}}\n"
    text += '  - {name: refused, match: {number: "*9"}, reply: {error: system_error}}\n'
    text += '  - {name: slow, match: {number: "*8"}, fault: {latency: 1ms}}\n'
    async with started(text) as emu:
        answers = []
        for digit in "789":
            form = {
                "service": "App.Sip_Call.PlayVoice", **IN8_KEYS, "nationcode": "id", "destnumber": f"628123{digit}",
                "voicetype": "1", "voicefile": "hello",
            }  # fmt: skip
            headers = {"Emulator-Explain": "1"}
            async with emu.client.post(f"{emu.url}/api/yunhu", data=form, headers=headers) as reply:
                answers.append(reply.headers["Emulator-Rule"])
        assert answers[1:] == ["fault=slow", "reply=refused"]
        async with emu.client.post(f"{emu.url}/api/yunhu", data=form) as reply:
            assert "Emulator-Rule" not in reply.headers


async def place_one_everywhere(emu: Running) -> None:
    customer = Customer(emu)
    await customer.sign_in()
    await customer.group_call("6281234567")
    await customer.notify("6281234567")
    await customer.play("6281234567")
    await emu.settle()


@pytest.mark.parametrize("encoding", ["form", "json", "query"])
async def test_an_added_field_arrives_in_every_encoding(encoding: str):
    only = "match: {provider: nxcloud}, " if encoding == "query" else ""
    rule = f"  - {{name: more, {only}receipt: {{add: {{traceId: ü 1}}, encoding: {encoding}}}}}\n"
    async with started(f"name: more\ndescription: x\n{ACCOUNT}rules:\n{rule}") as emu:
        await place_one_everywhere(emu)
        said = {push.path: receipts_of(push)[0].get("traceId") for push in emu.receiver.received}
        others = None if only else "ü 1"
        assert said == {"/nxcloud": "ü 1", "/huawei_cec": others, "/infin8linx": others}


@pytest.mark.parametrize(("receipt", "found"), [("{add: {traceId: 1}}", 3), ("{drop: [second, size]}", 0)])
async def test_an_added_field_is_no_reason_to_refuse_a_push_but_a_missing_one_is(receipt: str, found: int):
    async with started(ruled(receipt, "100%")) as emu:
        emu.receiver.answer(400)
        await place_one_everywhere(emu)
        refused = [each for each in emu.tenant.findings.all() if each.rule == "push-answered-with-error"]
        assert len(refused) == found
