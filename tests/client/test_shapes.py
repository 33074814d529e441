"""What the client reads is what the control API's document says it gives."""

from __future__ import annotations

from dataclasses import fields

import pytest

from voice_emulator.client import results
from voice_emulator.wire.control.document.response_schemas import COMPONENTS

SHAPES = {
    "Health": results.Health, "Scenario": results.ShippedScenario, "Tenant": results.Tenant, "Billing": results.Billing,
    "Moment": results.TimelineStep, "Call": results.Call, "Callback": results.Callback, "Violation": results.Violation,
    "Advanced": results.Advanced, "Verified": results.VerifyResult, "Placed": results.Placed,
}  # fmt: skip


@pytest.mark.parametrize("component", SHAPES)
def test_a_result_has_the_members_of_its_component(component: str):
    read = {field.name for field in fields(SHAPES[component])} - {"document"}
    assert read == set(COMPONENTS[component]["properties"])
