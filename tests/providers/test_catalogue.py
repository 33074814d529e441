"""The catalogue of a made-up provider, taken from its descriptors and schemas."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.scenario import Scenario
from emulator.errors import SchemaError
from emulator.loading.catalogue import KnownError, KnownOperation, KnownReceipt
from emulator.loading.scenarios import ScenarioLoader
from emulator.loading.schemas import Schema, SchemaSet
from emulator.providers.base import ErrorCode, Operation, Provider, ReceiptKind
from emulator.providers.catalogue import catalogue_of, property_names
from emulator.providers.settings import Setting, SettingTable


def _nothing(*arguments: Any) -> Any:
    raise AssertionError("a catalogue calls no slot of a provider")


def operation(name: str, **more: Any) -> Operation:
    return Operation(
        name, name, "a page", frozenset({"json"}), f"acme/{name}.request", f"acme/{name}.reply",
        identify=_nothing, authenticate=_nothing, explain=_nothing, answer=_nothing, **more,
    )  # fmt: skip


def kind(name: str, url_key: str, **more: Any) -> ReceiptKind:
    return ReceiptKind(
        name,
        name,
        "a page",
        f"acme/{name}.receipt",
        url_key,
        fields=_nothing,
        encode=_nothing,
        judge=_nothing,
        **more,
    )


ACME = Provider(
    id="acme",
    title="Acme",
    description="Made up.",
    operations={"dial": operation("dial", submit=_nothing, receipts=("done",)), "login": operation("login")},
    routes=(),
    receipts={
        "done": kind("done", "acme", encodings=("form",), corrupt={"empty": "id"}),
        "late": kind("late", "acme_late"),
    },
    errors=(ErrorCode("no_money", "7", "No money.", operations=frozenset({"dial"})),),
    default_credentials={"key": "acme-key"},
    keys=_nothing,
    settings=SettingTable(Setting("limit", "integer", 5, "A limit.", minimum=1)),
    refuse=_nothing,
    causes=frozenset({"BUSY"}),
    token_expired="401",
    url_keys=("acme",),
)
SCHEMAS = SchemaSet(
    {
        name: Schema(name, {"type": "object", "properties": {field: {"type": "string"} for field in fields}})
        for name, fields in {
            "acme/dial.request": ["to", "voice"], "acme/login.request": ["key"],
            "acme/done.receipt": ["id"], "acme/late.receipt": ["id", "delay"],
        }.items()
    }
)  # fmt: skip


def test_what_the_loader_learns_of_a_provider():
    known = catalogue_of({"acme": ACME}, SCHEMAS).providers["acme"]
    assert known.operations == {
        "dial": KnownOperation(frozenset({"to", "voice"}), True, ("done",)),
        "login": KnownOperation(frozenset({"key"})),
    }
    assert known.receipts == {
        "done": KnownReceipt(frozenset({"id"}), ("form",), frozenset({"empty"})),
        "late": KnownReceipt(frozenset({"id", "delay"})),
    }
    assert known.errors == (KnownError("no_money", "7", frozenset({"dial"})),)
    assert known.url_settings == ("callback_url", "late_callback_url")
    assert known.settings == ("limit",)
    assert known.expires_tokens
    with pytest.raises(ValueError, match="limit: must be at least 1"):
        known.read_setting({"limit": "0"})


def test_a_scenario_can_be_loaded_with_it():
    loader = ScenarioLoader(catalogue_of({"acme": ACME}, SCHEMAS), {})
    read = loader.text(
        "name: x\nproviders: {acme: {limit: 3}}\nrules: [{name: a, reply: {error: no_money}}]\n"
    )
    assert isinstance(read, Scenario)


def test_a_schema_that_is_missing_stops_the_start():
    with pytest.raises(SchemaError, match=r"no schema 'acme/dial.request'"):
        catalogue_of({"acme": ACME}, SchemaSet({}))


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
