"""Chances: of every fault, and of every rule of the shipped scenarios that has one."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from tests.rig import Running, started
from tests.scenarios.day import IN8, IN8_KEYS, Customer
from voice_emulator.core.calls import Call
from voice_emulator.core.matchers import Subject
from voice_emulator.core.scenario import Rule, Scenario
from voice_emulator.providers.registry import discover
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader, shipped_names
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.exchange import RequestRecord

#: Whole days of calls, or thousands at once.
pytestmark = pytest.mark.slow

PROVIDERS = discover()
LOADER = ScenarioLoader(Catalogue(PROVIDERS, SchemaSet.load(PROVIDERS)), {})
SHIPPED = {name: LOADER.named(name) for name in shipped_names()}
#: Calls placed at once, enough to tell 20 % from 25 %.
MANY = 4_000
FAULTS = {
    "reset": "reset", "hang": "hang", "empty": "empty", "truncate": "truncate", "garbage": "garbage",
    "invalid_json": "invalid_json", "wrong_content_type": "wrong_content_type", "html_error": "html_error",
    "slow_body": "{slow_body: {every: 1ms, bytes: 16}}", "http_status": "{http_status: 503}",
}  # fmt: skip


def is_near(count: float, total: int, chance: float) -> bool:
    """Within four standard deviations: with fixed seeds this fails for good or never."""
    spread = (total * chance * (1 - chance)) ** 0.5
    return abs(count - total * chance) <= 4 * spread + 1e-9


async def struck(emu: Running, requests: int) -> tuple[int, int]:
    """How many requests met a fault, and how many the client could read."""
    customer = Customer(emu)
    read = 0
    for index in range(requests):
        read += (
            await customer.post("/api/yunhu", data={**IN8, **IN8_KEYS, "destnumber": f"62816{index:05d}"})
            is not None
        )
    records = [entry.record for entry in emu.tenant.journal if isinstance(entry.record, RequestRecord)]
    return sum(record.fault is not None for record in records), read


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_strikes_never_always_and_as_often_as_its_chance_says(name: str, nobody_waits):
    found = []
    for chance, requests in (("0%", 30), ("100%", 30), ("30%", 120)):
        text = f"name: f\ndescription: x\nrules:\n  - {{name: it, chance: {chance}, fault: {FAULTS[name]}}}\n"
        async with started(text) as emu:
            found.append(await struck(emu, requests))
    harmless = name in ("wrong_content_type", "slow_body")
    assert found[0] == (0, 30)
    assert found[1] == (30, 30 if harmless else 0)
    assert is_near(found[2][0], 120, 0.3)
    assert found[2][1] == (120 if harmless else 120 - found[2][0])


def by_chance(scenario: Scenario, effect: str) -> list[Rule]:
    """The rules of one effect that concern a first group call of NXCloud, in order."""
    subject = Subject("nxcloud", "gpsend", ("6281700000",), {}, 1, 0)
    return [
        rule for rule in scenario.rules if getattr(rule, effect) is not None and rule.match.accepts(subject)
    ]


def shares(rules: list[Rule]) -> dict[str, float]:
    """How often each of several rules wins, the first whose chance says yes."""
    found, left = {}, 1.0
    for rule in rules:
        found[rule.name] = left * (1.0 if rule.chance is None else rule.chance)
        left -= found[rule.name]
    return found


RECEIPTS = [
    name for name, scenario in SHIPPED.items() if any(r.chance for r in by_chance(scenario, "receipt"))
]
MIXES = [
    name for name, scenario in SHIPPED.items()
    if any(rule.call is not None and len(rule.call.choices) > 1 for rule in scenario.rules)
]  # fmt: skip


async def placed(name: str) -> list[Call]:
    """That many calls to different numbers; a request that a fault swallows is sent again."""
    async with started(name, seed=None) as emu:
        customer, ledger = Customer(emu), emu.tenant.ledger
        for batch in range(MANY // 100):
            while len(ledger) < (batch + 1) * 100:
                await customer.group_call(*(f"62817{batch * 100 + index:05d}7" for index in range(100)))
        return list(ledger)


@pytest.mark.parametrize("name", RECEIPTS)
async def test_a_shipped_rule_for_receipts_acts_as_often_as_it_says(name: str, nobody_waits):
    expected = shares(by_chance(SHIPPED[name], "receipt"))
    found = Counter(call.receipt_rule for call in await placed(name) if call.receipt_rule)
    assert set(found) == set(expected)
    for rule, share in expected.items():
        assert is_near(found[rule], MANY, share), (rule, found[rule], share * MANY)


@pytest.mark.parametrize("name", MIXES)
async def test_a_shipped_mix_has_the_weights_it_says(name: str, nobody_waits):
    (rule,) = [rule for rule in SHIPPED[name].rules if rule.call is not None]
    assert rule.call is not None
    total = sum(choice.weight for choice in rule.call.choices)
    expected: dict[str, float] = defaultdict(float)
    for choice in rule.call.choices:
        expected[f"{choice.outcome} {choice.keys}"] += choice.weight / total
    found = Counter(f"{call.plan.outcome} {call.plan.keys}" for call in await placed(name))
    assert set(found) == set(expected)
    for outcome, share in expected.items():
        assert is_near(found[outcome], MANY, share), (outcome, found[outcome], share * MANY)


REQUESTS = [
    (name, rule) for name, scenario in SHIPPED.items()
    for rule in scenario.rules if rule.chance is not None and (rule.fault is not None or rule.reply is not None)
]  # fmt: skip


@pytest.mark.parametrize(("name", "rule"), REQUESTS, ids=[f"{name}-{rule.name}" for name, rule in REQUESTS])
async def test_a_shipped_rule_for_requests_acts_as_often_as_it_says(name: str, rule: Rule, nobody_waits):
    """At Infin8linx, within its window."""
    login = rule.match.operation is not None and "Login" in rule.match.operation
    operation = "Login" if login else "PlayVoice"
    form = {"service": "App.Sip_Auth.Login"} if login else IN8
    async with started(name, seed=None) as emu:
        await emu.advance((rule.match.after or 0) + 1)
        customer = Customer(emu)
        for index in range(150):
            data = {**form, **IN8_KEYS} | ({} if login else {"destnumber": f"62818{index:05d}"})
            await customer.post("/api/yunhu", data=data)
        records = [entry.record for entry in emu.tenant.journal if isinstance(entry.record, RequestRecord)]
        assert len(records) == 150
        acted = sum(rule.name in (record.fault_rule, record.reply_rule) for record in records)
    assert rule.chance is not None
    subject = Subject("infin8linx", operation, ("628",), {}, 1, (rule.match.after or 0) + 1)
    rivals = [r for r in SHIPPED[name].rules if (r.fault or r.reply) and r.match.accepts(subject)]
    share = shares(rivals)[rule.name]
    assert is_near(acted, 150, share), (acted, share * 150)
