from __future__ import annotations

from decimal import Decimal

import pytest

from voice_emulator.core.billing import Tariff
from voice_emulator.core.calls import Call, CallError
from voice_emulator.core.placing import Submission
from voice_emulator.core.plan import Plan
from voice_emulator.core.vocabulary import TRANSITIONS, Outcome, Party, State, Step

TARIFF = Tariff(60, Decimal("0.036"), Decimal("0.005"))


def make_call(plan: Plan | None = None) -> Call:
    plan = plan or Plan(Outcome.ANSWERED, Party.CALLER, ring=3_000_000, talk=10_000_000, keys="1", cause="X")
    return Call("c", "6281", 1, Submission("p", "op", caller="100", tariff=TARIFF, batch_id="b"), plan, 0)


def test_the_life_of_an_answered_call():
    call = make_call()
    assert (call.outcome, call.ended_by, call.talk_seconds, call.keys) == (None, None, 0, "")
    call.take(Step.DIAL, 0)
    call.take(Step.RING, 0)
    call.take(Step.ANSWER, 3_000_000)
    call.take(Step.END, 13_000_000)
    assert (call.outcome, call.ended_by, call.talk_seconds, call.keys) == (
        Outcome.ANSWERED,
        Party.CALLER,
        10,
        "1",
    )
    assert call.bill is not None
    assert call.bill.charge == Decimal("0.036")
    assert (call.provider, call.operation, call.caller, call.batch_id) == ("p", "op", "100", "b")


def test_an_unanswered_call_has_no_talk_and_no_keys():
    call = make_call(Plan(Outcome.BUSY, Party.CALLEE, setup=1_000_000, keys="9"))
    call.take(Step.DIAL, 0)
    call.take(Step.END, 1_000_000)
    assert (call.talk_seconds, call.keys, call.answered) == (0, "", False)
    assert call.bill is not None
    assert (call.bill.cycles, call.bill.charge) == (0, Decimal("0.005"))


def test_a_dropped_call_has_no_outcome():
    call = make_call()
    call.take(Step.END, 5)
    assert call.dropped
    assert (call.outcome, call.ended_by) == (None, None)


def test_a_cause_of_another_provider_can_be_dropped():
    call = make_call()
    call.drop_cause()
    assert call.plan.cause is None
    assert call.plan.talk == 10_000_000


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("step", list(Step))
def test_only_the_listed_steps_are_legal(state: State, step: Step):
    call = make_call()
    call.state = state
    if (state, step) in TRANSITIONS:
        call.take(step, 1)
        assert call.state is TRANSITIONS[state, step]
    else:
        with pytest.raises(CallError, match=f"is {state} and cannot {step}"):
            call.take(step, 1)
        assert call.state is state
