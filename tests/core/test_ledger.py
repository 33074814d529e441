from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.core.accounts import make_tenant, run, submission
from voice_emulator.core.ledger import Counts, Ledger
from voice_emulator.core.lifecycle import place
from voice_emulator.core.tenants import Bounds
from voice_emulator.core.vocabulary import Step


@given(st.lists(st.sampled_from("abcdef")), st.integers(6, 10))
def test_counts_are_right_for_as_many_keys_as_the_limit(keys: list[str], limit: int):
    counts, true = Counts(limit), dict.fromkeys("abcdef", 0)
    for key in keys:
        true[key] += 1
        assert counts.next(key) == true[key]
    assert {key: counts.seen(key) for key in true} == true


def test_counts_stay_bounded():
    counts = Counts(10)
    for number in range(1_000):
        counts.next(str(number))
    assert len(counts._young) + len(counts._old) <= 20
    assert counts.seen("999") == 1
    assert counts.seen("0") == 0


def test_ended_calls_are_forgotten_oldest_first_and_pending_ones_never():
    tenant = make_tenant(bounds=Bounds(ended_calls=2))
    first = place(
        tenant,
        submission(),
        (
            "1",
            "2",
            "3",
        ),
        {},
        tenant.now,
    )
    waiting = place(tenant, submission(), ("9",), {}, tenant.now)
    tenant.steps.start(first, tenant.now)
    run(tenant)
    assert [call.number for call in tenant.ledger] == ["2", "3", "9"]
    assert (len(tenant.ledger), tenant.ledger.forgotten) == (3, 1)
    assert tenant.ledger.get(waiting[0].id) is waiting[0]
    assert tenant.ledger.get(first[0].id) is None
    assert [call.number for call in tenant.ledger.of_provider("acme")] == ["2", "3", "9"]
    assert list(tenant.ledger.of_provider("other")) == []


def test_requests_are_counted_per_operation_and_first_number():
    ledger = Ledger()
    assert [
        ledger.request_ordinal("p", op, n) for op, n in (("a", "1"), ("a", "1"), ("b", "1"), ("a", "2"))
    ] == [1, 2, 1, 1]
    ledger.clear()
    assert ledger.request_ordinal("p", "a", "1") == 1


def test_counting_goes_on_from_where_it_was():
    tenant = make_tenant()
    tenant.ledger.go_on(("acme",), "6281", 4)
    tenant.ledger.go_on(("acme", "dial"), "6281", 2)
    tenant.ledger.go_on(("acme", "dial"), "6281", 1)
    assert tenant.ledger.ordinal("acme", "6281") == 5
    assert tenant.ledger.request_ordinal("acme", "dial", "6281") == 3
    assert tenant.ledger.ordinal("other", "6281") == 1


def test_a_named_call_is_found_until_it_is_forgotten():
    tenant = make_tenant(bounds=Bounds(ended_calls=2))
    calls = place(tenant, submission(), ("1", "2", "3", "4"), {}, tenant.now)
    for call in calls:
        tenant.ledger.name(call, f"serial-{call.number}")
    assert [tenant.ledger.named("acme", f"serial-{number}") for number in "1234"] == calls
    assert tenant.ledger.named("other", "serial-1") is None
    # A name that another call has taken over stays with that one.
    tenant.ledger.name(calls[3], "serial-1")
    for call in calls[:3]:
        call.take(Step.DIAL, 1)
        call.take(Step.END, 2)
        tenant.ledger.ended(call)
    assert tenant.ledger.get(calls[0].id) is None
    assert tenant.ledger.named("acme", "serial-1") is calls[3]
    tenant.ledger.ended(calls[3])
    assert tenant.ledger.named("acme", "serial-2") is None
    assert tenant.ledger.named("acme", "serial-3") is calls[2]
    tenant.ledger.clear()
    assert tenant.ledger.named("acme", "serial-3") is None
