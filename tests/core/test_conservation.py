from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.core.accounts import SECOND, START, make_tenant, run, submission
from voice_emulator.core.calls import Call
from voice_emulator.core.conservation import ORPHAN_LIMIT, Conservation
from voice_emulator.core.lifecycle import place
from voice_emulator.core.listeners import Listener, Listeners
from voice_emulator.core.placing import ReceiptPlan
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import ReceiptEffect, Retry, Rule, Scenario
from voice_emulator.core.vocabulary import Fate, PushOutcome, Step


def dialled(scenario: Scenario | None = None, numbers: int = 1, **arguments):
    tenant = make_tenant(scenario)
    calls = place(tenant, submission(**arguments), [f"62{n:06d}" for n in range(numbers)], {}, tenant.now)
    tenant.steps.start(calls, tenant.now)
    return tenant, calls


def carry(tenant, *outcomes: PushOutcome) -> None:
    """Let the next attempts end like this, one after the other, time passing as it must."""
    for outcome in outcomes:
        run(tenant)
        push = tenant.outbox.take()
        number = push.attempt
        tenant.outbox.settle(push, outcome, tenant.now)
        tenant.conservation.attempted(push, outcome, again=push.attempt != number)


def fates(tenant) -> dict[str, int]:
    shown = tenant.conservation.shown_accounts()
    return {fate.value: shown[fate.value] for fate in Fate if shown[fate.value]}


def test_a_number_is_pending_until_its_receipt_was_carried():
    tenant, _ = dialled()
    assert fates(tenant) == {"pending": 1}
    run(tenant)
    assert fates(tenant) == {"pending": 1}
    carry(tenant, PushOutcome.DELIVERED)
    assert fates(tenant) == {"acknowledged": 1}


def test_a_number_whose_pushes_all_failed_is_an_orphan():
    tenant, (call,) = dialled()
    carry(tenant, PushOutcome.REFUSED)
    assert fates(tenant) == {"orphan": 1}
    (orphan,) = tenant.conservation.orphans
    assert (orphan.call_id, orphan.number, orphan.last) == (call.id, call.number, PushOutcome.REFUSED)


def test_a_receipt_that_a_rule_loses_makes_an_orphan_and_names_the_rule():
    scenario = Scenario("s", rules=(Rule("lost", receipt=ReceiptEffect(lost=True)),))
    tenant, _ = dialled(scenario)
    carry(tenant, PushOutcome.LOST)
    (orphan,) = tenant.conservation.orphans
    assert (orphan.rule, orphan.last) == ("lost", PushOutcome.LOST)


def test_a_retry_that_is_due_keeps_the_number_pending():
    tenant, _ = dialled(receipts=(ReceiptPlan("bill", retry=Retry((SECOND,))),))
    carry(tenant, PushOutcome.FAILED)
    assert fates(tenant) == {"pending": 1}
    carry(tenant, PushOutcome.FAILED)
    assert fates(tenant) == {"orphan": 1}


def test_one_acknowledged_copy_is_enough():
    scenario = Scenario("s", rules=(Rule("twice", receipt=ReceiptEffect(copies=2)),))
    tenant, _ = dialled(scenario)
    carry(tenant, PushOutcome.DELIVERED)
    assert fates(tenant) == {"acknowledged": 1}
    carry(tenant, PushOutcome.REFUSED)
    assert fates(tenant) == {"acknowledged": 1}


def test_a_query_that_shows_the_ended_call_reconciles_an_orphan():
    tenant, (call,) = dialled()
    tenant.conservation.shown(call)
    assert fates(tenant) == {"pending": 1}
    carry(tenant, PushOutcome.FAILED)
    assert fates(tenant) == {"orphan": 1}
    tenant.conservation.shown(call)
    assert fates(tenant) == {"reconciled": 1}
    assert list(tenant.conservation.orphans) == []


def test_a_query_before_the_last_attempt_reconciles_too():
    tenant, (call,) = dialled()
    run(tenant)
    tenant.conservation.shown(call)
    assert fates(tenant) == {"pending": 1}
    carry(tenant, PushOutcome.LOST)
    assert fates(tenant) == {"reconciled": 1}


def test_a_push_by_hand_mends_an_orphan():
    tenant, (call,) = dialled()
    carry(tenant, PushOutcome.FAILED)
    push = Push("again", "acme", "bill", call, call, tenant.now, by_hand=True)
    tenant.conservation.attempted(push, PushOutcome.DELIVERED, again=False)
    assert fates(tenant) == {"acknowledged": 1}
    assert tenant.conservation.balanced


def test_a_push_that_was_on_the_wire_when_the_process_died_is_uncertain():
    tenant, _ = dialled()
    carry(tenant, PushOutcome.UNCERTAIN)
    assert fates(tenant) == {"uncertain": 1}


def test_news_on_the_way_is_no_receipt():
    plans = (ReceiptPlan("news", on=Step.ANSWER, ruled=False), ReceiptPlan("bill"))
    tenant, _ = dialled(receipts=plans)
    carry(tenant, PushOutcome.DELIVERED)
    assert fates(tenant) == {"pending": 1}
    carry(tenant, PushOutcome.FAILED)
    assert fates(tenant) == {"orphan": 1}


def test_a_call_without_receipts_can_only_be_looked_up():
    tenant, (call,) = dialled(receipts=())
    run(tenant)
    assert fates(tenant) == {"orphan": 1}
    tenant.conservation.shown(call)
    assert fates(tenant) == {"reconciled": 1}


def test_a_dropped_call_is_counted_apart():
    tenant, _ = dialled(numbers=2, concurrency=1, drop_at=START + SECOND)
    run(tenant)
    assert fates(tenant) == {"pending": 1, "dropped": 1}
    assert tenant.conservation.balanced


class Told(Listener):
    def __init__(self) -> None:
        self.numbers: list[str] = []

    def call_acknowledged(self, tenant: object, call: Call) -> None:
        self.numbers.append(call.number)


def test_the_first_acknowledged_receipt_of_a_call_is_told_and_no_later_one():
    told = Told()
    tenant, (call,) = dialled(Scenario("s", rules=(Rule("twice", receipt=ReceiptEffect(copies=2)),)))
    tenant.listeners.bind(Listeners(told), tenant)
    carry(tenant, PushOutcome.REFUSED)
    assert told.numbers == []
    carry(tenant, PushOutcome.DELIVERED)
    tenant.conservation.attempted(
        Push("by hand", "acme", "bill", call, call, tenant.now, by_hand=True),
        PushOutcome.DELIVERED,
        again=False,
    )
    assert told.numbers == [call.number]


def test_the_receipt_of_a_dropped_call_is_told_once_when_it_is_acknowledged():
    told = Told()
    receipts = (ReceiptPlan("bill", dropped=True),)
    tenant, calls = dialled(numbers=2, concurrency=1, drop_at=START + SECOND, receipts=receipts)
    tenant.listeners.bind(Listeners(told), tenant)
    carry(tenant, PushOutcome.DELIVERED, PushOutcome.DELIVERED)
    assert sorted(told.numbers) == [call.number for call in calls]
    dropped = calls[1]
    push = Push("by hand", "acme", "bill", dropped, dropped, tenant.now, by_hand=True)
    tenant.conservation.attempted(push, PushOutcome.DELIVERED, again=False)
    assert (len(told.numbers), fates(tenant)) == (2, {"acknowledged": 1, "dropped": 1})


def test_charges_are_held_against_the_ledger():
    tenant, (call,) = dialled()
    run(tenant)
    push = tenant.outbox.take()
    tenant.conservation.attempted(push, PushOutcome.DELIVERED, again=False, told=Decimal("0.036"))
    sums = tenant.conservation.accounts["acme"].sums
    assert (sums.ledger, sums.receipts, sums.agree) == (Decimal("0.036"), Decimal("0.036"), True)
    tenant.conservation.shown(call, Decimal("0.99"))
    assert not sums.agree
    assert sums.shown()["queries_due"] == "0.036"


def test_the_accounts_survive_what_the_ledger_forgets():
    tenant, calls = dialled(numbers=50)
    tenant.ledger._ended_limit = 5
    carry(tenant, *[PushOutcome.LOST] * 50)
    assert len(tenant.ledger) == 5
    assert fates(tenant) == {"orphan": 50}
    assert set(tenant.conservation.shown_accounts()["orphans"]) == {call.id for call in calls}


def test_orphans_past_the_limit_are_counted_and_not_named():
    _, calls = dialled(numbers=3)
    books = Conservation()
    for index in range(ORPHAN_LIMIT + 3):
        call = calls[index % 3]
        call.id, call.fate, call.open_pushes = f"c{index}", Fate.PENDING, 0
        books.placed(call.provider)
        books._settle(call, None, None)
    assert books.count(Fate.ORPHAN) == ORPHAN_LIMIT + 3
    assert len(list(books.orphans)) == ORPHAN_LIMIT


def test_a_reset_forgets_everything():
    tenant, _ = dialled()
    tenant.reset()
    assert tenant.conservation.accepted == 0


ENDS = [PushOutcome.DELIVERED, PushOutcome.REFUSED, PushOutcome.FAILED, PushOutcome.LOST, PushOutcome.NO_URL,
        PushOutcome.UNCERTAIN, PushOutcome.BLOCKED]  # fmt: skip


@given(
    numbers=st.integers(1, 8),
    copies=st.integers(1, 3),
    retries=st.integers(0, 2),
    script=st.lists(st.tuples(st.sampled_from([*ENDS, "query"]), st.integers(0, 7)), max_size=60),
)
def test_every_accepted_number_has_exactly_one_fate_whatever_happens(numbers, copies, retries, script):
    effect = ReceiptEffect(copies=copies, retry=Retry((SECOND,) * retries))
    tenant, calls = dialled(Scenario("s", rules=(Rule("r", receipt=effect),)), numbers=numbers)
    acknowledged, shown = set(), set()
    for what, index in script:
        if what == "query":
            call = calls[index % numbers]
            tenant.conservation.shown(call)
            if call.ended:
                shown.add(call.id)
            continue
        run(tenant)
        push = tenant.outbox.take()
        if push is None:
            break
        number = push.attempt
        tenant.outbox.settle(push, what, tenant.now)
        tenant.conservation.attempted(push, what, again=push.attempt != number)
        if what is PushOutcome.DELIVERED:
            acknowledged.add(push.call.id)
        assert tenant.conservation.balanced
    for call in calls:
        if call.id in acknowledged:
            assert call.fate is Fate.ACKNOWLEDGED
        elif call.id in shown:
            assert call.fate in (Fate.RECONCILED, Fate.PENDING)
        else:
            assert call.fate in (Fate.PENDING, Fate.ORPHAN, Fate.UNCERTAIN)
