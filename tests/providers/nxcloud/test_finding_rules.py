"""What the finding rules are told: names that exist, and what a call is said to have cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.providers.nxcloud.customer import Customer
from tests.rig import started
from voice_emulator.providers.nxcloud import PROVIDER
from voice_emulator.providers.nxcloud.finding_rules import CONTRACT, charge

PLAIN = "name: plain\nrules: []\n"


def test_every_error_named_exists() -> None:
    names = {error.name for error in PROVIDER.errors}
    assert names >= CONTRACT.refusals | CONTRACT.limited | CONTRACT.temporary
    operations = set(PROVIDER.operations)
    assert (
        operations
        >= CONTRACT.paces.keys() | CONTRACT.pages.keys() | CONTRACT.batches.keys() | CONTRACT.uses_token
    )


@pytest.mark.parametrize("number", ["6281200000", "6281200486", "6281200602"])
@pytest.mark.parametrize("operation", ["gpsend", "versend"])
async def test_receipt_and_row_tell_the_charge_of_the_ledger(number: str, operation: str) -> None:
    async with started(PLAIN, "manual") as running:
        running.change({"settings": {"nxcloud": {"voice_tariff": {"cycle": 7, "price": "0.0123"}}}})
        customer = Customer(running)
        await customer.ask(operation, phone=number)
        await running.settle()
        [call] = running.tenant.ledger
        assert call.bill is not None
        [row] = (await customer.ask("getVoiceCdr", voiceType="0" if operation == "gpsend" else "1"))["info"][
            "rows"
        ]
        assert charge(running.receiver.received[0].fields) == call.bill.charge
        assert charge(row) == call.bill.charge


@pytest.mark.parametrize(
    ("told", "cost"),
    [
        ({"duration": 3}, None),
        ({"result": "Successful connection", "customer_price": "x", "size": "1"}, None),
        ({"result": "Successful connection", "customer_price": "0.036"}, None),
        ({"size": "0", "second": "0", "customer_price": "0.036", "basic_price": "0.005"}, Decimal("0.005")),
        ({"size": "0", "second": "0", "customer_price": "0.036"}, Decimal(0)),
        ({"size": 2, "second": 61, "customer_price": 0.036, "basic_price": 0.005}, Decimal("0.072")),
    ],
)
def test_charge(told: dict[str, Any], cost: Decimal | None) -> None:
    assert charge(told) == cost


@pytest.mark.parametrize("payload", [{}, {"info": "time invalid"}, {"info": {}}, {"info": {"total": 3}}])
def test_total_of_a_reply(payload: Any) -> None:
    expected = 3 if "3" in str(payload) else None
    assert CONTRACT.pages["getVoiceCdr"].total(payload) == expected
