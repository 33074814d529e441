from __future__ import annotations

from typing import Any

from voice_emulator.openapi.parts import Components, error_entry, examples_of, push_operation
from voice_emulator.providers.provider import ErrorCode
from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet

PROVIDERS = discover()
SCHEMAS = SchemaSet.load(PROVIDERS)


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for member in value.values() for found in references(member)]
    return [found for member in value for found in references(member)] if isinstance(value, list) else []


def test_components_hold_each_schema_once_with_its_references_turned_to_its_new_place():
    components = Components()
    documents = [
        SCHEMAS.get(name)
        for provider in PROVIDERS.values()
        for operation in provider.operations.values()
        for name in (operation.request, operation.reply)
    ]
    assert any(references(schema.document) for schema in documents), "some schema refers to a part of its own"
    for schema in documents:
        assert components.ref(schema) == components.ref(schema)
    assert len(components.schemas) == len({schema.name for schema in documents})
    for name, component in components.schemas.items():
        assert "$id" not in component
        assert "$schema" not in component
        for reference in references(component):
            assert reference.startswith(f"#/components/schemas/{name}")


def test_examples_are_numbered_by_schema_and_left_out_where_there_are_none():
    schema = SCHEMAS.get(PROVIDERS["nxcloud"].operations["gpsend"].request)
    shown = examples_of([schema])["examples"]
    assert [each["value"] for each in shown.values()] == list(schema.examples)
    assert len(shown) == len(schema.examples) > 0
    assert examples_of([]) == {}


def test_push_operation_shows_a_body_only_for_encodings_that_have_one():
    for provider in PROVIDERS.values():
        for kind in provider.receipts.values():
            push = push_operation(kind, SCHEMAS, Components())
            assert push["x-encodings"] == list(kind.encodings)
            media = push.get("requestBody", {"content": {}})["content"]
            assert len(media) == len({"json", "form"} & set(kind.encodings))


def test_error_entry_sorts_its_operations():
    entry = error_entry(ErrorCode("busy", "7", "busy", operations=frozenset("cab"), how="call often"))
    assert (entry["operations"], entry["how"], entry["provenance"]) == (
        ["a", "b", "c"],
        "call often",
        "documented",
    )
