from __future__ import annotations

import pytest

from tests.core.accounts import SECOND, START, Heard, Machine, make_tenancy, make_tenant, run, submission
from voice_emulator.core.clock import ClockSpec
from voice_emulator.core.directory import Directory, KeyTaken
from voice_emulator.core.layers import Layer, merge, patch
from voice_emulator.core.lifecycle import place
from voice_emulator.core.scenario import Rule, Scenario
from voice_emulator.core.tenancy import TenantTaken
from voice_emulator.core.tenants import account_layer
from voice_emulator.core.tokens import Standing

SCALED = ClockSpec("scaled", 60)


def test_the_default_tenant_has_the_fixed_credentials_and_others_their_own():
    directory = Directory()
    default, other = make_tenant(directory=directory), make_tenant(id="t1", directory=directory)
    assert default.credentials["acme"]["key"] == "acme-key"
    assert other.credentials["acme"]["key"].startswith("acme-key-")
    assert other.credentials["acme"]["family"]["login"] != "me"
    assert other.credentials["acme"]["unset"] is None
    assert directory.find([("acme", "key", "acme-key")]) is default
    assert (
        directory.find(
            [("acme", "key", "nobody"), ("acme", "login", other.credentials["acme"]["family"]["login"])]
        )
        is other
    )
    assert directory.owner(("acme", "key", "nobody")) is None


def test_what_the_api_sets_beats_options_beats_the_scenario_beats_the_default():
    scenario = Scenario(
        "s",
        seed=2,
        providers={"acme": {"limit": 6, "callback_url": "http://s", "other_callback_url": "http://o"}},
    )
    options = Layer(seed=3, settings={"acme": {"limit": 7}}, callback_urls={"acme": "http://c"})
    tenant = make_tenant(scenario, options=options)
    assert (tenant.seed, tenant.settings["acme"]["limit"], tenant.callback_urls) == (
        3, 7, {"acme": "http://c", "acme_other": "http://o"},
    )  # fmt: skip
    tenant.change(
        {
            "seed": 4,
            "settings": {"acme": {"limit": 8, "tariff": {"price": "9"}}},
            "callback_urls": {"acme": "http://a"},
        }
    )
    assert (tenant.seed, tenant.settings["acme"]["limit"], tenant.callback_urls["acme"]) == (4, 8, "http://a")
    assert tenant.settings["acme"]["tariff"] == {"cycle": 60, "price": "9"}
    tenant.load(Scenario("next", seed=9))
    assert (tenant.seed, tenant.settings["acme"]["limit"], tenant.callback_urls) == (
        4,
        8,
        {"acme": "http://a"},
    )
    tenant.change({"settings": {"acme": {"limit": None}}, "callback_urls": {"acme": None}, "seed": None})
    assert (tenant.seed, tenant.settings["acme"]["limit"], tenant.callback_urls["acme"]) == (3, 7, "http://c")


def test_without_any_word_the_seed_is_1():
    assert make_tenant().seed == 1


def test_a_bad_change_changes_nothing():
    directory = Directory()
    make_tenant(directory=directory)
    tenant = make_tenant(id="t1", directory=directory)
    before = (dict(tenant.credentials["acme"]), dict(tenant.settings["acme"]), dict(tenant.callback_urls))
    with pytest.raises(KeyTaken, match="acme key 'acme-key' belongs to tenant 'default' already"):
        tenant.change({"credentials": {"acme": {"key": "acme-key"}}, "callback_urls": {"acme": "http://x"}})
    with pytest.raises(ValueError, match="limit"):
        tenant.change({"settings": {"acme": {"limit": "many"}}})
    with pytest.raises(ValueError, match="limit"):
        tenant.load(Scenario("bad", providers={"acme": {"limit": "many"}}))
    assert (tenant.credentials["acme"], tenant.settings["acme"], tenant.callback_urls) == before
    assert tenant.scenario.name == "plain"
    assert directory.find([("acme", "key", before[0]["key"])]) is tenant


def test_a_client_can_register_its_own_keys():
    directory = Directory()
    tenant = make_tenant(directory=directory)
    tenant.change({"credentials": {"acme": {"key": "mine"}}})
    assert directory.find([("acme", "key", "mine")]) is tenant
    assert directory.find([("acme", "key", "acme-key")]) is None


def test_two_tenants_with_the_same_seed_are_given_different_ids():
    directory = Directory()
    one, two = make_tenant(directory=directory), make_tenant(id="t1", directory=directory)
    assert one.ids.hexadecimal("msg", 32, "6281", 1) != two.ids.hexadecimal("msg", 32, "6281", 1)


def test_on_a_running_clock_ids_differ_from_start_to_start():
    later = Machine()
    later.time += SECOND
    one, two = make_tenant(clock=ClockSpec()), make_tenant(clock=ClockSpec(), source=later)
    assert one.ids.hexadecimal("msg", 32) != two.ids.hexadecimal("msg", 32)
    before = one.ids.hexadecimal("token", 32)
    one.reset()
    assert one.ids.hexadecimal("token", 32) != before


def test_ids_are_unique_and_some_grow():
    tenant = make_tenant()
    assert tenant.ids.hexadecimal("msg", 1, "k") != tenant.ids.hexadecimal("msg", 1, "k")
    grown = [int(tenant.ids.increasing("n", START + n * 1000, 3, n)) for n in range(50)]
    assert grown == sorted(set(grown))
    assert 0 <= tenant.ids.drawn_integer(10, "x") < 10


def test_a_scenario_brings_its_clock_at_the_present_time_unless_the_creator_chose_one():
    tenant = make_tenant(clock=None, scenario=Scenario("s", clock=ClockSpec("manual", start=START)))
    tenant.clock.advance_to(START + 5)
    tenant.load(Scenario("fast", clock=SCALED))
    assert str(tenant.clock.spec) == "60x"
    assert tenant.now == START + 5
    chosen = make_tenant()
    chosen.load(Scenario("fast", clock=SCALED))
    assert chosen.clock.manual


def test_a_real_clock_takes_over_without_a_start():
    tenant = make_tenant(clock=None, scenario=Scenario("s", clock=SCALED))
    tenant.load(Scenario("real", clock=ClockSpec()))
    assert tenant.now == START


def test_reset_forgets_what_happened_and_keeps_what_was_set():
    tenant = make_tenant()
    tenant.change({"callback_urls": {"acme": "http://a"}})
    calls = place(tenant, submission(), ("1",), {}, tenant.now)
    tenant.steps.start(calls, tenant.now)
    run(tenant)
    value = tenant.ids.hexadecimal("token", 32)
    tenant.issue_token("main", "acme-key", SECOND, value)
    assert tenant.account_state("acme", dict) is tenant.account_state("acme", dict)
    tenant.reset()
    assert (len(tenant.ledger), len(tenant.tokens), len(tenant.journal), tenant.engine.next_due()) == (
        0,
        0,
        0,
        None,
    )
    assert tenant.now == START
    assert tenant.callback_urls == {"acme": "http://a"}
    assert tenant.state == {}
    assert not tenant.totals.accepted
    # Nothing issued before is known any more, and a manual clock repeats itself.
    assert tenant.ids.hexadecimal("token", 32) == value
    assert tenant.tokens.check(value, tenant.now) is Standing.UNKNOWN


def test_back_to_the_start_means_also_what_was_set():
    first = Scenario("first", rules=(Rule("r"),))
    tenant = make_tenant(first)
    tenant.change({"callback_urls": {"acme": "http://a"}, "seed": 5})
    tenant.load(Scenario("second"))
    tenant.restart(first)
    assert (tenant.scenario.name, tenant.callback_urls, tenant.seed) == ("first", {}, 1)


def test_a_closed_tenant_leaves_nothing_behind():
    directory = Directory()
    tenant = make_tenant(directory=directory)
    tenant.steps.start(place(tenant, submission(), ("1",), {}, tenant.now), tenant.now)
    tenant.ids.hexadecimal("token", 8)
    tenant.close()
    assert tenant.engine.next_due() is None
    assert directory.find([("acme", "key", "acme-key")]) is None
    assert make_tenant(directory=directory).credentials["acme"]["key"] == "acme-key"


def test_the_directory_forgets_the_oldest_it_issued():
    directory = Directory(issued_limit=2)
    tenant = make_tenant(directory=directory)
    assert all(directory.issue(tenant, ("id", "n", str(n))) for n in range(3))
    assert not directory.issue(tenant, ("id", "n", "2"))
    assert directory.owner(("id", "n", "0")) is None
    assert directory.owner(("id", "n", "2")) is tenant


def test_tenants_come_and_go():
    tenancy = make_tenancy()
    heard, late = Heard(), Heard()
    tenancy.register(heard)
    default = tenancy.create(Scenario("s"), id="default")
    made = tenancy.create(Scenario("s"))
    assert tenancy.default is default
    assert tenancy.get(made.id) is made
    assert {tenant.id for tenant in tenancy} == {"default", made.id}
    with pytest.raises(TenantTaken):
        tenancy.create(Scenario("s"), id=made.id)
    with pytest.raises(ValueError, match="1 to 64"):
        tenancy.create(Scenario("s"), id="no spaces")
    with pytest.raises(ValueError, match="always exists"):
        tenancy.delete("default")
    tenancy.register(late)
    made.reset()
    assert tenancy.delete(made.id)
    made.events.publish("call", 0, "unheard")
    assert not tenancy.delete(made.id)
    assert len(tenancy) == 1
    assert heard.opened == late.opened == ["default", made.id]
    assert heard.cleared == late.cleared == [made.id, made.id]
    assert heard.deleted == late.deleted == [made.id]
    assert [kind for kind, _ in heard.events] == ["clock"]
    assert heard.events == late.events


def test_account_settings_are_sorted_out_of_a_scenario():
    layer = account_layer(
        Scenario("s", providers={"acme": {"credentials": {"key": "k"}, "callback_url": "u", "limit": 1}})
    )
    assert (layer.credentials, layer.callback_urls, layer.settings) == (
        {"acme": {"key": "k"}},
        {"acme": "u"},
        {"acme": {"limit": 1}},
    )


def test_merging_and_patching():
    assert merge({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}, "e": 4}) == {
        "a": {"b": 9, "c": 2},
        "d": 3,
        "e": 4,
    }
    assert patch({"a": {"b": 1, "c": 2}}, {"a": {"b": None}, "x": {"y": 1, "z": None}}) == {
        "a": {"c": 2},
        "x": {"y": 1},
    }
