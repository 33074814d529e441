"""A small account, so that the core is tested without any provider of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from voice_emulator.core.accounts import Key
from voice_emulator.core.billing import Tariff
from voice_emulator.core.clock import Clock, ClockSpec
from voice_emulator.core.directory import Directory
from voice_emulator.core.placing import ReceiptPlan, Submission
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import Tenant

SECOND = 1_000_000
START = 1_000_000 * SECOND
MANUAL = ClockSpec("manual", start=START)
TARIFF = Tariff(60, Decimal("0.036"), Decimal("0.005"))


class Account:
    """One provider's account rules."""

    id = "acme"
    secrets = frozenset({"secret"})
    default_credentials: Mapping[str, Any] = {
        "key": "acme-key",
        "secret": "acme-secret",
        "family": {"login": "me"},
        "unset": None,
    }

    def default_settings(self) -> Mapping[str, Any]:
        return {"limit": 5, "tariff": {"cycle": 60, "price": "0.1"}}

    def read_settings(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(raw["limit"], int):
            raise ValueError("acme.limit: must be a whole number")
        return dict(raw)

    def credential_keys(self, credentials: Mapping[str, Any]) -> Iterable[Key]:
        return [("acme", "key", credentials["key"]), ("acme", "login", credentials["family"]["login"])]


class Machine:
    """A machine whose time the test sets."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> int:
        return self.time


def make_tenant(
    scenario: Scenario | None = None, id: str = "default", clock: ClockSpec | None = MANUAL, **arguments: Any
) -> Tenant:
    arguments.setdefault("directory", Directory())
    arguments.setdefault("source", Machine())
    directory, source = arguments.pop("directory"), arguments.pop("source")
    return Tenant(
        id, scenario or Scenario("plain"), directory, {"acme": Account()}, source, clock=clock, **arguments
    )


def make_tenancy() -> Tenancy:
    return Tenancy({"acme": Account()}, Machine())


def submission(**arguments: Any) -> Submission:
    arguments.setdefault("receipts", (ReceiptPlan("bill"),))
    return Submission("acme", "dial", tariff=TARIFF, **arguments)


def run(tenant: Tenant, until: int | None = None) -> None:
    """Let everything happen up to an instant (default: everything)."""
    clock: Clock = tenant.clock
    while (due := tenant.engine.next_due()) is not None and (until is None or due <= until):
        clock.advance_to(max(due, clock.now()))
        tenant.engine.fire(clock.now(), at_most=1)
    if until is not None:
        clock.advance_to(until)
