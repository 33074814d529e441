from __future__ import annotations

from dataclasses import replace

from voice_emulator.providers.contract import NO_CONTRACT
from voice_emulator.providers.registry import discover
from voice_emulator.verify.suite import CHECKS, check_id, suite

PROVIDERS = discover()


def test_every_check_says_what_it_sends_what_it_expects_and_why():
    names = [check.name for check in CHECKS]
    assert len(names) == len(set(names))
    for check in CHECKS:
        assert check.sends
        assert check.expects
        assert len(check.why) > 40, check.name


def test_the_suites_hold_more_than_forty_checks():
    assert sum(len(suite(provider)) for provider in PROVIDERS.values()) > 80


def test_suite_runs_the_first_checks_first_and_the_last_ones_last():
    for provider in PROVIDERS.values():
        order = [check.order for check in suite(provider)]
        assert order == sorted(order, key=["first", "any", "last"].index)
        ids = [check_id(provider, check) for check in suite(provider)]
        assert len(set(ids)) == len(ids)
        assert all(name.startswith(f"{provider.id}/") for name in ids)


def test_suite_is_empty_for_a_provider_that_says_nothing_of_its_receipts():
    silent = replace(PROVIDERS["nxcloud"], contract=NO_CONTRACT)
    assert suite(silent) == []
