from __future__ import annotations

from decimal import Decimal

from tests.core.accounts import make_tenant, run, submission
from voice_emulator.core.lifecycle import place
from voice_emulator.core.totals import Totals
from voice_emulator.core.vocabulary import PushOutcome


def test_totals_sum_the_charges_of_ended_calls_by_provider():
    tenant = make_tenant()
    calls = place(tenant, submission(), ["1", "2", "3"], {}, tenant.now)
    assert tenant.totals.accepted == {"acme": 3}
    assert tenant.totals.calls.total() == 0
    tenant.steps.start(calls, tenant.now)
    run(tenant)
    assert tenant.totals.calls.total() == 3
    charges = [call.bill.charge for call in calls if call.bill is not None]
    assert tenant.totals.charged == {"acme": sum(charges, Decimal(0))}
    assert tenant.totals.charged["acme"] > 0


def test_totals_start_again_at_zero_after_clear():
    totals = Totals()
    totals.placed("acme", 2)
    totals.pushed("acme", PushOutcome.DELIVERED)
    totals.pushed("acme", PushOutcome.DELIVERED)
    assert totals.pushes["acme", PushOutcome.DELIVERED] == 2
    totals.clear()
    assert all(not getattr(totals, name) for name in Totals.__slots__)
