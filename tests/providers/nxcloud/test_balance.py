"""getBalance ("Balance Inquiry"): what is left of the tenant's balance."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.providers.nxcloud.customer import KEYS, PATHS, Customer
from tests.rig import Running, started

PLAIN = "name: plain\nrules: []\n"
TARIFF = {"cycle": 60, "price": "0.036", "basic_price": "0.005"}


def setting(running: Running, **values: Any) -> None:
    running.change({"settings": {"nxcloud": values}})


async def test_the_page_s_sample_is_what_a_fresh_account_has() -> None:
    async with started(PLAIN, "manual") as running:
        found = await Customer(running).ask("getBalance")
        assert found == {"code": "0", "balance": "3788.32", "credit_balance": "500"}
        assert list(found) == ["code", "balance", "credit_balance"]


@pytest.mark.parametrize(
    ("balance", "shown"),
    [("10", "10"), ("0", "0"), ("0.50", "0.5"), ("1000000", "1000000"), (None, "3788.32")],
)
@pytest.mark.parametrize("operation", ["gpsend", "notsend", "versend"])
async def test_what_calls_cost_is_gone_when_they_end(operation: str, balance: str | None, shown: str) -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, balance=balance, tariff=TARIFF, voice_tariff=TARIFF)
        customer = Customer(running)
        placed = (await customer.ask(operation))["code"] == "0"
        assert placed is (balance != "0")
        before = await customer.ask("getBalance")
        await running.settle()
        after = await customer.ask("getBalance")
        assert before["balance"] == shown
        spent = Decimal("0.036") if placed else 0
        assert Decimal(before["balance"]) - Decimal(after["balance"]) == spent
        running.tenant.reset()
        assert await customer.ask("getBalance") == before


async def test_what_is_told_is_what_can_be_spent() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, balance="0.1", credit_balance="7.50", tariff=TARIFF)
        customer = Customer(running)
        codes = []
        while Decimal((await customer.ask("getBalance"))["balance"]) >= Decimal("0.036"):
            codes.append((await customer.ask("gpsend"))["code"])
            await running.settle()
        assert codes == ["0", "0"]
        assert (await customer.ask("gpsend"))["code"] == "3"
        assert await customer.ask("getBalance") == {"code": "0", "balance": "0.028", "credit_balance": "7.5"}


async def test_every_tenant_has_its_own() -> None:
    async with started(PLAIN, "manual") as running:
        other = running.new_tenant("other")
        running.change({"settings": {"nxcloud": {"balance": "5"}}}, other)
        keys = {name: other.credentials["nxcloud"][name] for name in KEYS}
        customer = Customer(running)
        assert (await customer.ask("getBalance", **keys))["balance"] == "5"
        assert (await customer.ask("getBalance"))["balance"] == "3788.32"


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_only_post_is_served(method: str) -> None:
    async with started(PLAIN, "manual") as running:
        reply = await running.client.request(method, running.url + PATHS["getBalance"], data=KEYS)
        assert (reply.status, "Emulator-Error" in reply.headers) == (405, True)
