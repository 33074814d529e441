"""All checks, and which of them a provider's suite holds."""

from __future__ import annotations

from collections.abc import Collection

from voice_emulator.providers.provider import Provider
from voice_emulator.verify.check import Check
from voice_emulator.verify.checks import contents, delivery, receipts, signatures, state

CHECKS: tuple[Check, ...] = (
    *receipts.CHECKS, *contents.CHECKS, *delivery.CHECKS, *signatures.CHECKS, *state.CHECKS,
)  # fmt: skip

_ORDER = {"first": 0, "any": 1, "last": 2}


def suite(provider: Provider, only: Collection[str] = ()) -> list[Check]:
    """The checks of one provider, in the order they are run; some may turn out not to apply.

    ``only`` names the wanted ones (``unknown-field`` or ``nxcloud/unknown-field``); all when empty.
    """
    grading = provider.contract.grading
    if grading is None:
        return []
    fitting = [each for each in CHECKS if each.applies(grading) and (grading.signed or not each.signed)]
    if only:
        fitting = [each for each in fitting if not {each.name, check_id(provider, each)}.isdisjoint(only)]
    return sorted(fitting, key=lambda each: _ORDER[each.order])


def check_id(provider: Provider, each: Check) -> str:
    """The stable id of a check of one provider: ``nxcloud/unknown-field``."""
    return f"{provider.id}/{each.name}"
