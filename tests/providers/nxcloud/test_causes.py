"""Causes and dispositions fit the outcome."""

from __future__ import annotations

from typing import Any

import pytest

from voice_emulator.core.billing import Tariff
from voice_emulator.core.calls import Call
from voice_emulator.core.placing import Submission
from voice_emulator.core.plan import Plan
from voice_emulator.core.vocabulary import Outcome, Party, Step
from voice_emulator.providers.nxcloud.causes import CAUSE_NAMES, CAUSES, cause_of, disposition_of


def ended(
    outcome: Outcome, by: Party, cause: str | None = None, details: dict[str, Any] | None = None
) -> Call:
    submission = Submission("nxcloud", "gpsend", tariff=Tariff(), details=details or {})
    connected = outcome in (Outcome.ANSWERED, Outcome.TIME_LIMIT)
    plan = Plan(outcome, by, ring=1, talk=1_000_000 if connected else None, cause=cause)
    call = Call("id", "6212345678", 1, submission, plan, 0)
    call.take(Step.DIAL, 0)
    call.take(Step.RING, 0)
    if connected:
        call.take(Step.ANSWER, 1)
    call.take(Step.END, 1_000_001)
    return call


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_cause_of_the_page(outcome: Outcome) -> None:
    assert cause_of(ended(outcome, Party.NETWORK)) in CAUSE_NAMES.values()


@pytest.mark.parametrize(
    ("outcome", "by", "disposition"),
    [
        (Outcome.ANSWERED, Party.CALLER, "send_bye"),
        (Outcome.ANSWERED, Party.CALLEE, "recv_bye"),
        (Outcome.TIME_LIMIT, Party.CALLER, "send_bye"),
        (Outcome.NO_ANSWER, Party.CALLER, "send_cancel"),
        (Outcome.BUSY, Party.CALLEE, "recv_refuse"),
        (Outcome.REJECTED, Party.CALLEE, "recv_refuse"),
        (Outcome.UNREACHABLE, Party.NETWORK, "recv_refuse"),
        (Outcome.INVALID_NUMBER, Party.NETWORK, "recv_refuse"),
        (Outcome.BARRED, Party.NETWORK, "recv_refuse"),
        (Outcome.NETWORK_FAILURE, Party.NETWORK, "other"),
    ],
)
def test_disposition(outcome: Outcome, by: Party, disposition: str) -> None:
    assert disposition_of(ended(outcome, by)) == disposition


@pytest.mark.parametrize("number", sorted(CAUSE_NAMES))
def test_rule_may_name_a_cause_by_number_or_name(number: str) -> None:
    name = CAUSE_NAMES[number]
    assert {number, name} <= CAUSES
    for given in (number, name):
        assert cause_of(ended(Outcome.NETWORK_FAILURE, Party.NETWORK, given)) == name


def test_cut_call_has_the_cause_of_the_account() -> None:
    cut = ended(Outcome.TIME_LIMIT, Party.CALLER, details={"limit_cause": "NORMAL_CLEARING"})
    assert cause_of(cut) == "NORMAL_CLEARING"
