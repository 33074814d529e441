from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.distributions import Exponential, Fixed, Uniform
from voice_emulator.core.draws import draw
from voice_emulator.core.plan import DEFAULT_EFFECT, NO_LIMITS, Limits, make_plan
from voice_emulator.core.scenario import CallEffect, CallSpec
from voice_emulator.core.vocabulary import CONNECTED, RINGS, Outcome, Party

SECOND = 1_000_000


def half(purpose: str) -> float:
    return 0.5


def one(spec: CallSpec, limits: Limits = NO_LIMITS, **arguments):
    return make_plan(CallEffect((spec,)), limits, half, **arguments)


def test_without_a_rule_it_is_answered_after_3_s_and_talks_10_s_and_the_caller_hangs_up():
    plan = make_plan(DEFAULT_EFFECT, NO_LIMITS, half)
    assert (plan.outcome, plan.ring, plan.talk, plan.ended_by) == (
        Outcome.ANSWERED,
        3 * SECOND,
        10 * SECOND,
        Party.CALLER,
    )
    assert plan.span == 13 * SECOND


def test_talk_is_rounded_up_to_whole_seconds_and_at_least_one():
    assert one(CallSpec(Outcome.ANSWERED, talk=Fixed(1_200_000))).talk == 2 * SECOND
    assert one(CallSpec(Outcome.ANSWERED, talk=Fixed(0))).talk == SECOND


def test_ringing_past_the_limit_is_no_answer():
    plan = one(CallSpec(Outcome.ANSWERED, ring=Fixed(9 * SECOND)), Limits(ring=5 * SECOND))
    assert (plan.outcome, plan.ring, plan.talk) == (Outcome.NO_ANSWER, 5 * SECOND, None)
    rejected = one(CallSpec(Outcome.REJECTED, ring=Fixed(9 * SECOND)), Limits(ring=5 * SECOND))
    assert rejected.outcome is Outcome.NO_ANSWER


def test_talking_past_the_limit_is_a_time_limit():
    plan = one(
        CallSpec(Outcome.ANSWERED, talk=Fixed(90 * SECOND), hangup=((Party.CALLEE, 1),)),
        Limits(talk=60 * SECOND),
    )
    assert (plan.outcome, plan.talk, plan.ended_by) == (Outcome.TIME_LIMIT, 60 * SECOND, Party.CALLER)


def test_a_time_limit_takes_the_requests_limit():
    assert one(CallSpec(Outcome.TIME_LIMIT), Limits(talk=7 * SECOND)).talk == 7 * SECOND
    assert one(CallSpec(Outcome.TIME_LIMIT)).talk == 60 * SECOND


def test_no_answer_rings_as_long_as_somebody_says():
    assert one(CallSpec(Outcome.NO_ANSWER)).ring == 30 * SECOND
    assert one(CallSpec(Outcome.NO_ANSWER), Limits(ring=60 * SECOND)).ring == 60 * SECOND
    assert (
        one(CallSpec(Outcome.NO_ANSWER, ring=Fixed(90 * SECOND)), Limits(ring=60 * SECOND)).ring
        == 60 * SECOND
    )


def test_keys_are_reported_only_when_asked_for():
    assert one(CallSpec(Outcome.ANSWERED, keys="12")).keys == "12"
    assert one(CallSpec(Outcome.ANSWERED, keys="12"), wants_keys=False).keys == ""


def test_a_busy_callee_may_ring_first():
    assert one(CallSpec(Outcome.BUSY)).ring is None
    assert one(CallSpec(Outcome.BUSY, ring=Fixed(SECOND))).ring == SECOND


def test_a_mix_follows_its_weights():
    effect = CallEffect((CallSpec(Outcome.ANSWERED, weight=62), CallSpec(Outcome.BUSY, weight=38)))
    plans = [make_plan(effect, NO_LIMITS, lambda purpose, n=n: draw(n, purpose)) for n in range(10_000)]
    answered = sum(plan.outcome is Outcome.ANSWERED for plan in plans) / len(plans)
    assert answered == pytest.approx(0.62, abs=0.02)


def test_hangup_party_follows_its_weights():
    effect = CallEffect((CallSpec(Outcome.ANSWERED, hangup=((Party.CALLEE, 70), (Party.CALLER, 30))),))
    plans = [make_plan(effect, NO_LIMITS, lambda purpose, n=n: draw(n, purpose)) for n in range(10_000)]
    assert sum(plan.ended_by is Party.CALLEE for plan in plans) / len(plans) == pytest.approx(0.7, abs=0.02)


SPANS = (
    st.none()
    | st.builds(Fixed, st.integers(0, 10**9))
    | st.builds(Exponential, st.integers(0, 10**8))
    | st.just(Uniform(0, 60 * SECOND))
)


@given(
    st.sampled_from(list(Outcome)), SPANS, SPANS, st.sampled_from([None, 0, SECOND, 60 * SECOND]),
    st.sampled_from([None, 0, SECOND, 60 * SECOND]), st.floats(0, 1, exclude_max=True),
)  # fmt: skip
def test_every_plan_agrees_with_itself(outcome, ring, talk, ring_limit, talk_limit, unit):
    plan = make_plan(
        CallEffect((CallSpec(outcome, ring=ring, talk=talk),)),
        Limits(ring_limit, talk_limit),
        lambda purpose: unit,
    )
    assert (plan.talk is not None) == (plan.outcome in CONNECTED)
    if plan.talk is not None:
        assert plan.talk % SECOND == 0
        assert plan.talk >= SECOND
        assert not talk_limit or plan.talk <= talk_limit
    if plan.outcome in RINGS:
        assert plan.ring is not None
        assert not ring_limit or plan.ring <= ring_limit
    assert plan.span >= 0
    if plan.outcome is Outcome.TIME_LIMIT:
        assert plan.ended_by is Party.CALLER
