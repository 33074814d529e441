"""The mutant in force: each acts on a customer who does everything, and none is noted that made no difference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.rig import Running, started
from tests.scenarios.day import Customer
from voice_emulator.core.overlay import NO_OVERLAY
from voice_emulator.errors import UsageError
from voice_emulator.providers.registry import discover
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.scenarios.mutants import Mutant, all_mutants
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.mutant import LOG, MUTANT, PROVIDER, MutantInForce, read_notes
from voice_emulator.wire.traffic.exchange import RequestRecord

PROVIDERS = discover()
LOADER = ScenarioLoader(Catalogue(PROVIDERS, SchemaSet.load(PROVIDERS)), {})
MUTANTS = all_mutants(LOADER, PROVIDERS)
KEY = {"huawei_cec": {"shared_key": "0123456789abcdef"}}


def put(emu: Running, mutant: Mutant | None) -> None:
    """What ``PUT /v1/mutant`` does, for a tenant that is reset."""
    runtime = emu.emulator.runtime
    name, provider = (mutant.name, mutant.provider) if mutant is not None else (None, None)
    runtime.mutant.listen()
    runtime.tenancy.lay_over(runtime.mutant.put(name, provider))
    emu.tenant.reset()


async def do_everything(emu: Running) -> None:
    customer = Customer(emu)
    await customer.sign_in()
    for _ in range(2):
        await customer.group_call("62811111", "62822222", "62833333")
        await customer.spoken("versend", "62844444")
        await customer.agent_call("62855555", f"order{len(emu.tenant.ledger)}")
        await customer.notify("8613811111")
        await customer.play("62811111", "62822222")
        await customer.play_one("62866666")
        await emu.advance("5m")
        await customer.ask_for_records()
    await emu.settle()


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_each_mutant_acts_on_a_customer_who_does_everything(provider: str):
    async with started("happy-path") as emu:
        emu.change({"settings": KEY})
        idle = []
        for mutant in [each for each in MUTANTS if each.provider == provider and each.name != "reply-slow"]:
            put(emu, mutant)
            await do_everything(emu)
            if not emu.emulator.mutant.acted:
                idle.append(mutant.name)
        put(emu, None)
        await do_everything(emu)
        assert emu.emulator.mutant.acted == 0
        assert emu.emulator.mutant.requests.keys() == PROVIDERS.keys()
    assert idle == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_no_mutant_of_receipts_acts_without_a_receiver(provider: str):
    async with started("happy-path", receive=False) as emu:
        customer = Customer(emu)
        for mutant in MUTANTS:
            if mutant.provider != provider or mutant.receipt is None or mutant.receipt.query_lag is not None:
                continue
            put(emu, mutant)
            await customer.group_call("62811111", "62822222")
            await customer.play("62811111", "62822222")
            await emu.settle()
            assert emu.emulator.mutant.acted == 0, mutant.name


#: What is there, and made no difference: the mutant, and what the customer does.
IDLE = {
    "another provider": ("receipt-lost", "huawei_cec"),
    "a batch of one number": ("batch-accepted-in-part", "nxcloud"),
    "nothing overtakes": ("receipts-out-of-order", "nxcloud"),
    "no second use of a token": ("token-dead-early", "nxcloud"),
    "no query": ("query-lags", "nxcloud"),
    "no call has ended": ("times-in-utc", "nxcloud"),
    "the setting is so already": ("times-in-utc", "nxcloud"),
    "unsigned": ("signature-forged", "huawei_cec"),
}


@pytest.mark.parametrize("why", IDLE)
async def test_a_mutant_that_makes_no_difference_did_not_act(why: str):
    name, provider = IDLE[why]
    async with started("happy-path") as emu:
        mutant = next(each for each in MUTANTS if (each.name, each.provider) == (name, provider))
        put(emu, mutant)
        customer = Customer(emu)
        await customer.sign_in()
        if why == "the setting is so already":
            emu.change({"settings": {"nxcloud": {"utc_offset": 0}}})
        if why == "no call has ended":
            await customer.ask_for_records()
        await customer.group_call("62811111")
        if provider == "huawei_cec" and why == "unsigned":
            await customer.notify("8613811111")
        if why != "no call has ended":
            await emu.settle()
            assert emu.receiver.received
        assert emu.emulator.mutant.acted == 0


async def test_a_receipt_that_a_test_asked_for_is_still_repeated():
    """The mutant is joined with the scenario: a test of repeats fails because of the mutant alone."""
    async with started("duplicate-receipts") as emu:
        put(emu, next(each for each in MUTANTS if (each.name, each.provider) == ("field-extra", "nxcloud")))
        await Customer(emu).group_call("62811111")
        await emu.settle()
        assert [push.fields["traceId"] for push in emu.receiver.received] == ["7f3c0e91a2"] * 2


async def test_a_mutant_is_laid_over_every_scenario_and_stays_out_of_its_text():
    async with started("happy-path") as emu:
        put(emu, next(each for each in MUTANTS if each.name == "receipt-lost"))
        emu.tenant.load(emu.emulator.runtime.loader.named("evening-peak"))
        other = emu.new_tenant("other")
        for tenant in (emu.tenant, other):
            assert tenant.rules.acts_on_numbers
            assert "mutant" not in tenant.scenario.text
            assert all("mutant" not in rule.name for rule in tenant.scenario.rules)


def in_force(**environment: str) -> MutantInForce:
    return MutantInForce(LOADER, PROVIDERS, environment)


def test_the_environment_names_the_mutant_and_the_file(tmp_path: Path):
    log = tmp_path / "notes"
    mutant = in_force(**{MUTANT: "receipt-lost", PROVIDER: "nxcloud", LOG: str(log)})
    assert [rule.match.provider for rule in mutant.overlay.rules] == [frozenset({"nxcloud"})]
    mutant._act(MUTANTS[0])
    mutant._act(MUTANTS[0])
    mutant.close()
    # Once: a suite may place very many calls.
    assert read_notes(log.read_text(encoding="utf-8")) == [
        {"acted": MUTANTS[0].provider, "mutant": "receipt-lost"}
    ]
    assert json.loads(log.read_text(encoding="utf-8"))


def test_without_a_provider_all_are_wrong_and_without_a_mutant_none():
    assert len(in_force(**{MUTANT: "receipt-lost"}).overlay.rules) == len(PROVIDERS)
    assert in_force().overlay is NO_OVERLAY


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({MUTANT: "receipt-lots"}, "did you mean 'receipt-lost'"),
        ({MUTANT: "signature-forged", PROVIDER: "nxcloud"}, "does not apply to nxcloud"),
        ({LOG: "/nowhere/at/all"}, f"{LOG}: cannot write /nowhere/at/all"),
    ],
)
def test_what_cannot_be_is_refused(environment: dict[str, str], message: str):
    with pytest.raises(UsageError, match=message):
        in_force(**environment)


async def test_a_batch_accepted_in_part_calls_all_but_the_last_number():
    text = "name: part\nrules: [{name: r, fault: {placed: part}}]\n"
    async with started(text) as emu:
        customer = Customer(emu)
        await customer.group_call("62811111", "62822222", "62833333")
        await customer.play("62844444", "62855555")
        await customer.group_call("62866666")
        assert [call.number for call in emu.tenant.ledger] == ["62811111", "62822222", "62844444", "62866666"]
        replies = [
            entry.record.reply for entry in emu.tenant.journal if isinstance(entry.record, RequestRecord)
        ]
        assert [reply.code for reply in replies if reply is not None] == ["0", "200", "0"]
