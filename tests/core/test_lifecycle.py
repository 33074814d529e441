from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.accounts import SECOND, START, make_tenant, run, submission
from voice_emulator.core.distributions import Fixed, Uniform
from voice_emulator.core.lifecycle import place
from voice_emulator.core.matchers import Globs, Match
from voice_emulator.core.placing import ReceiptPlan
from voice_emulator.core.plan import Limits
from voice_emulator.core.scenario import CallEffect, CallSpec, ReceiptEffect, Retry, Rule, Scenario
from voice_emulator.core.vocabulary import CONNECTED, MAY_RING, Outcome, PushOutcome, State, Step


def ruled(**effects) -> Scenario:
    return Scenario("s", rules=(Rule("r", **effects),))


def outcome(which: Outcome, **arguments) -> CallEffect:
    return CallEffect((CallSpec(which, **arguments),))


def dial(tenant, *numbers: str, **arguments):
    calls = place(tenant, submission(**arguments), numbers, {}, tenant.now)
    tenant.steps.start(calls, tenant.now)
    return calls


def test_an_answered_call_goes_through_its_states():
    tenant = make_tenant()
    (call,) = dial(tenant, "6281")
    assert (call.state, call.dialled_at, call.ring_at) == (State.RINGING, START, START)
    run(tenant, START + 3 * SECOND)
    assert call.state is State.TALKING
    run(tenant, START + 13 * SECOND)
    assert call.state is State.ENDED
    assert tenant.outbox.take().call is call
    assert tenant.totals.calls["acme", "answered"] == 1
    assert tenant.totals.charged == {"acme": Decimal("0.036")}


def test_calls_do_not_begin_before_they_are_started():
    tenant = make_tenant()
    (call,) = place(tenant, submission(), ("6281",), {}, tenant.now)
    assert call.state is State.QUEUED
    assert tenant.engine.next_due() is None
    assert call.id in tenant.ledger


def test_a_scheduled_submission_waits_for_its_time():
    tenant = make_tenant()
    (call,) = dial(tenant, "6281", start_at=START + 60 * SECOND)
    assert call.state is State.QUEUED
    run(tenant, START + 59 * SECOND)
    assert call.state is State.QUEUED
    run(tenant, START + 60 * SECOND)
    assert call.dialled_at == START + 60 * SECOND


def test_numbers_of_one_submission_count_their_own_calls():
    tenant = make_tenant()
    calls = dial(tenant, "133", "135", "135")
    assert [(call.number, call.ordinal) for call in calls] == [("133", 1), ("135", 1), ("135", 2)]
    assert len({call.id for call in calls}) == 3


def test_a_limited_provider_dials_the_next_call_when_one_ends():
    tenant = make_tenant()
    calls = dial(tenant, "1", "2", "3", concurrency=1)
    assert [call.state for call in calls] == [State.RINGING, State.QUEUED, State.QUEUED]
    assert tenant.steps.waiting("acme") == 2
    run(tenant, START + 13 * SECOND)
    assert [call.state for call in calls] == [State.ENDED, State.RINGING, State.QUEUED]
    run(tenant)
    assert [call.ended_at for call in calls] == [START + n * 13 * SECOND for n in (1, 2, 3)]


def test_what_was_not_dialled_in_time_is_dropped_without_call_charge_or_receipt():
    tenant = make_tenant()
    calls = dial(tenant, "1", "2", "3", concurrency=1, drop_at=START + 20 * SECOND)
    run(tenant)
    assert [call.dropped for call in calls] == [False, False, True]
    assert calls[2].outcome is None
    assert tenant.totals.dropped["acme"] == 1
    assert sum(1 for _ in iter(tenant.outbox.take, None)) == 2
    assert tenant.steps.waiting("acme") == 0
    assert tenant.steps.waiting("other") == 0


def test_keys_are_kept_to_those_who_asked():
    tenant = make_tenant(ruled(call=outcome(Outcome.ANSWERED, keys="1")))
    asked, other = dial(tenant, "1") + dial(tenant, "2", wants_keys=False)
    run(tenant)
    assert (asked.keys, other.keys) == ("1", "")


def test_a_receipt_can_be_late_and_come_twice():
    effect = ReceiptEffect(delay=Fixed(5 * SECOND), copies=3, gap=Fixed(2 * SECOND))
    tenant = make_tenant(ruled(receipt=effect))
    dial(tenant, "1")
    due = []
    run(tenant)
    while (push := tenant.outbox.take()) is not None:
        due.append((push.copy, push.due - START, push.id[-2:]))
    assert [(copy, at) for copy, at, _ in due] == [(0, 18 * SECOND), (1, 20 * SECOND), (2, 22 * SECOND)]
    assert len({name for *_, name in due}) == 3


def test_a_receipt_before_its_reply_ends_the_call_at_submission():
    tenant = make_tenant(ruled(receipt=ReceiptEffect(before_reply=True)))
    calls = place(
        tenant,
        submission(),
        (
            "1",
            "2",
        ),
        {},
        tenant.now,
    )
    tenant.steps.finish_at_once(calls, tenant.now)
    assert [call.ended_at for call in calls] == [START, START]
    assert calls[0].talk_seconds == 10
    tenant.engine.fire(tenant.now)
    assert tenant.outbox.take().call is calls[0]
    tenant.steps.start(calls, tenant.now)
    assert calls[0].state is State.ENDED


def test_a_call_that_never_rings_can_end_at_submission_too():
    tenant = make_tenant(ruled(call=outcome(Outcome.BARRED), receipt=ReceiptEffect(before_reply=True)))
    calls = place(tenant, submission(), ("1",), {}, tenant.now)
    tenant.steps.finish_at_once(calls, tenant.now)
    assert (calls[0].ended_at, calls[0].ring_at) == (START, None)


def test_the_query_may_lag_behind():
    tenant = make_tenant(ruled(receipt=ReceiptEffect(query_lag=Fixed(30 * SECOND))))
    (call,) = dial(tenant, "1")
    run(tenant)
    assert call.query_from == call.ended_at + 30 * SECOND


def test_pushes_of_other_kinds_follow_their_own_step_and_no_rule():
    tenant = make_tenant(ruled(receipt=ReceiptEffect(lost=True)))
    plans = (ReceiptPlan("state", on=Step.ANSWER, ruled=False), ReceiptPlan("bill"))
    dial(tenant, "1", receipts=plans)
    run(tenant)
    pushes = list(iter(tenant.outbox.take, None))
    assert [(push.kind, push.effect.lost, push.rule) for push in pushes] == [
        ("state", False, None),
        ("bill", True, "r"),
    ]


def test_an_id_is_not_given_twice_even_when_counts_are_forgotten():
    tenant = make_tenant()
    (first,) = dial(tenant, "1")
    tenant.ledger._counts.clear()
    (second,) = dial(tenant, "1")
    assert first.ordinal == second.ordinal == 1
    assert first.id != second.id


def test_dialling_the_same_again_goes_the_same_way():
    def story() -> list[tuple]:
        mix = CallEffect((CallSpec(Outcome.ANSWERED, talk=Uniform(0, 90 * SECOND)), CallSpec(Outcome.BUSY)))
        tenant = make_tenant(ruled(call=mix))
        calls = dial(tenant, *map(str, range(50)))
        run(tenant)
        return [(call.id, call.outcome, call.ended_at) for call in calls]

    assert story() == story()
    assert len({row[1] for row in story()}) == 2


specs = st.builds(
    CallSpec,
    st.sampled_from(list(Outcome)),
    ring=st.none() | st.just(Uniform(0, 40 * SECOND)),
    talk=st.none() | st.just(Uniform(0, 200 * SECOND)),
    keys=st.sampled_from(["", "1"]),
)


@given(
    st.lists(specs, min_size=1, max_size=3),
    st.sampled_from([None, 20 * SECOND]),
    st.sampled_from([None, 60 * SECOND]),
)
def test_every_call_agrees_with_itself(choices, ring_limit, talk_limit):
    tenant = make_tenant(ruled(call=CallEffect(tuple(choices))))
    calls = dial(tenant, *map(str, range(20)), limits=Limits(ring_limit, talk_limit))
    run(tenant)
    for call in calls:
        assert call.ended
        connected = call.outcome in CONNECTED
        assert call.answered == connected == (call.talk_seconds > 0)
        assert call.bill.cycles == (-(-call.talk_seconds // 60))
        assert call.bill.charge == (call.bill.cycles * Decimal("0.036") if connected else Decimal("0.005"))
        if connected:
            assert call.ended_at - call.answered_at == call.talk_seconds * SECOND
        assert (call.ring_at is None) <= (call.outcome not in CONNECTED)
        assert call.ring_at is None or call.outcome in MAY_RING
        instants = [call.submitted_at, call.dialled_at, call.ring_at, call.answered_at, call.ended_at]
        known = [instant for instant in instants if instant is not None]
        assert known == sorted(known)
        assert not call.keys or connected
    assert sum(tenant.totals.calls.values()) == 20
    assert tenant.totals.charged["acme"] == sum(call.bill.charge for call in calls)
    assert tenant.totals.accepted["acme"] == 20


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_retry_ends_with_the_acknowledgement(count: int):
    tenant = make_tenant(ruled(receipt=ReceiptEffect(retry=Retry((10 * SECOND, 20 * SECOND)))))
    dial(tenant, "1")
    seen = []
    while True:
        run(tenant)
        push = tenant.outbox.take()
        if push is None:
            break
        seen.append(tenant.now - START)
        tenant.outbox.settle(
            push, PushOutcome.DELIVERED if len(seen) == count else PushOutcome.REFUSED, tenant.now
        )
    assert seen == [13 * SECOND, 23 * SECOND, 43 * SECOND][:count]


@pytest.mark.parametrize("end", [PushOutcome.LOST, PushOutcome.NO_URL, PushOutcome.BLOCKED])
def test_what_would_not_change_is_not_tried_again(end: PushOutcome):
    tenant = make_tenant(ruled(receipt=ReceiptEffect(retry=Retry((SECOND,)))))
    dial(tenant, "1")
    run(tenant)
    push = tenant.outbox.take()
    assert push is not None
    tenant.outbox.settle(push, end, tenant.now)
    assert tenant.engine.next_due() is None
    assert tenant.outbox.idle


def test_a_held_receipt_is_overtaken_by_as_many_as_it_says():
    rules = (Rule("hold", Match(number=Globs("1")), receipt=ReceiptEffect(hold=2)),)
    tenant = make_tenant(Scenario("s", rules=rules))
    dial(tenant, "1", "2", "3", "4")
    run(tenant)
    assert [push.call.number for push in iter(tenant.outbox.take, None)] == ["2", "3", "1", "4"]


def test_a_held_receipt_goes_when_nothing_else_is_pending():
    tenant = make_tenant(ruled(receipt=ReceiptEffect(hold=5)))
    dial(tenant, "1", "2")
    run(tenant)
    assert [push.call.number for push in iter(tenant.outbox.take, None)] == ["1", "2"]
    assert tenant.outbox.held == []
