from __future__ import annotations

import pytest

from tests.scenarios.made_up import ACME, BELL, CATALOGUE
from voice_emulator.errors import SchemaError
from voice_emulator.scenarios.catalogue import Catalogue, Scope, property_names, url_settings
from voice_emulator.schemas.validate import SchemaSet


def test_a_scope_joins_what_its_providers_know():
    scope = Scope(CATALOGUE, (ACME, BELL))
    assert scope.places_calls
    assert scope.request_fields == {"key", "to", "voice", "secret", "number"}
    assert scope.receipt_fields == {"id", "cause", "uuid"}
    assert list(scope.error_names) == ["auth_failed", "no_money", "no_line", "401", "7", "E1", "E2"]
    assert scope.causes == {"16", "NORMAL", "17", "BUSY", "HUNG_UP"}
    assert [kind.name for kind in scope.receipts] == ["done", "record"]


def test_a_scope_is_narrowed_by_operations():
    scope = Scope(CATALOGUE, (ACME,), frozenset({"login"}))
    assert not scope.places_calls
    assert scope.request_fields == {"key", "secret"}
    assert list(scope.error_names) == ["auth_failed", "401"]
    assert scope.receipts == []


def test_the_settings_that_name_receivers_follow_from_the_receipts():
    assert url_settings(ACME) == ["callback_url", "late_callback_url"]


def test_a_catalogue_without_a_schema_stops_the_start():
    with pytest.raises(SchemaError, match=r"no schema 'bell/record.receipt'|no schema 'bell/ring.request'"):
        Catalogue({"bell": BELL}, SchemaSet({}))


def test_property_names_are_gathered_from_every_branch():
    schema = {
        "properties": {"a": {"properties": {"inner": {}}}},
        "allOf": [{"properties": {"b": {}}}, {"$ref": "#/$defs/more"}],
        "oneOf": [{"properties": {"c": {}}}],
        "if": {"properties": {"d": {}}},
        "then": {"anyOf": [{"properties": {"e": {}}}]},
        "$defs": {"more": {"properties": {"f": {}}, "$ref": "#/$defs/more"}},
    }
    assert property_names(schema) == {"a", "b", "c", "d", "e", "f"}
