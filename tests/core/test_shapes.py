from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import pytest

from voice_emulator import client
from voice_emulator.core import shapes
from voice_emulator.core.members import Shape
from voice_emulator.core.shapes import SHAPES, Advanced, NearMiss, Tenant, Violation
from voice_emulator.wire.control.document.response_schemas import COMPONENTS

NOW = "2026-01-05T09:00:00+08:00"


def test_every_shape_is_a_component_of_the_document_as_it_renders_itself():
    declared = {
        found
        for _, found in inspect.getmembers(shapes, inspect.isclass)
        if found.__module__ == shapes.__name__
    }
    assert declared == set(SHAPES)
    shape: Any
    for shape in SHAPES:
        component = COMPONENTS[shape.__name__]
        names = [field.name for field in fields(shape) if field.name != "document"]
        assert list(component["properties"]) == names
        assert component["additionalProperties"] is False


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_client_offers_the_shapes_themselves(shape: type[Shape]):
    assert getattr(client, shape.__name__, shape) is shape


@pytest.mark.parametrize(("clock", "manual"), [("manual", True), ("60x", False), ("real", False)])
def test_tenant_is_manual_by_its_clock(clock: str, manual: bool):
    assert Tenant.read({"id": "t", "now": NOW, "clock": clock}).manual is manual


def test_violation_reads_as_a_sentence_with_its_source():
    document = {"rule": "token-storm", "severity": "warning", "provider": "nxcloud", "operation": "", "entry": None,
                "message": "too many", "source": "page"}  # fmt: skip
    assert str(Violation.read(document)) == "warning token-storm nxcloud: too many [page]"
    told = Violation.read({**document, "operation": "token", "entry": 7})
    assert str(told) == "warning token-storm nxcloud.token (journal entry 7): too many [page]"


def test_near_miss_tells_its_differences():
    differences = [
        {"place": "number", "expected": "1", "actual": "2"}, {"place": "fields.ext", "expected": "a", "actual": "b"},
    ]  # fmt: skip
    found = NearMiss.read({"id": 3, "differences": differences})
    assert str(found) == "entry 3: number: wanted 1, got 2; fields.ext: wanted a, got b"


def test_advanced_is_complete_unless_the_api_says_it_is_not():
    assert Advanced.read({"now": NOW}).complete
    assert not Advanced.read({"now": NOW, "complete": False}).complete
