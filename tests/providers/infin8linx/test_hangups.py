"""Hang-up codes: every outcome has one that fits, every cause a rule may name is a code."""

from __future__ import annotations

import json

import pytest

from tests.providers.infin8linx.account import dial, make_tenant, run_out
from voice_emulator.core.matchers import Match
from voice_emulator.core.scenario import CallEffect, CallSpec, Rule
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.infin8linx.hangups import CAUSES, KNOWN, cause_of
from voice_emulator.providers.infin8linx.records import make_record
from voice_emulator.resources import data_path

EXPECTED = {
    Outcome.ANSWERED: (10001, 10040),
    Outcome.NO_ANSWER: (10016, 10040),
    Outcome.BUSY: (10006, 10041),
    Outcome.REJECTED: (10003, 10041),
    Outcome.UNREACHABLE: (10009, 10040),
    Outcome.INVALID_NUMBER: (10014, 10040),
    Outcome.BARRED: (10025, 10040),
    Outcome.NETWORK_FAILURE: (10004, 10040),
    Outcome.TIME_LIMIT: (10007, 10040),
}


def one_call(spec: CallSpec):
    tenant = make_tenant([Rule("one", Match(), call=CallEffect((spec,)))])
    (call,) = dial(tenant, ["81351111451"])
    run_out(tenant)
    return tenant, call


def test_every_outcome_is_expected_here() -> None:
    assert set(EXPECTED) == set(Outcome)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_cause_and_direction_by_outcome(outcome: Outcome) -> None:
    tenant, call = one_call(CallSpec(outcome))
    record = make_record(tenant, call)
    assert (record.hangupcause, record.hangupdirection) == EXPECTED[outcome]


@pytest.mark.parametrize("cause", sorted(KNOWN))
def test_a_rule_may_name_any_cause_by_name_or_code(cause: str) -> None:
    _, call = one_call(CallSpec(Outcome.NO_ANSWER, cause=cause))
    assert cause_of(call) == CAUSES.get(cause, cause)


def test_cause_of_another_provider_is_passed_over() -> None:
    _, call = one_call(CallSpec(Outcome.BUSY, cause="USER_BUSY"))
    assert cause_of(call) == "10006"


def test_the_schema_knows_exactly_these_codes() -> None:
    schema = json.loads(
        (data_path("schemas") / "infin8linx" / "record.receipt.json").read_text(encoding="utf-8")
    )
    assert {str(code) for code in schema["properties"]["hangupcause"]["enum"]} == set(CAUSES.values())
