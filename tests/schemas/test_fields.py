"""The fields of a schema, and that those of every built-in schema say how they are compared."""

from __future__ import annotations

from voice_emulator.providers.registry import discover
from voice_emulator.schemas.fields import KINDS, fields
from voice_emulator.schemas.validate import SchemaSet


def test_every_field_of_every_built_in_schema_has_a_kind():
    found = {
        f"{schema.name}{one.path}": [each.get("x-kind") for each in one.documents]
        for schema in SchemaSet.load(discover())
        for one in fields(schema.document).values()
    }
    assert [path for path, said in found.items() if None in said] == []
    assert {kind for said in found.values() for kind in said} == set(KINDS)
    assert [path for path, said in found.items() if len(set(said)) > 1] == []
    assert len(found) > 500


def test_missing_kind_counts_as_exact():
    assert fields({"properties": {"a": {"type": "string"}}})["/a"].kind == "exact"


def test_fields_go_through_lists_references_and_alternatives():
    document = {
        "oneOf": [{"$ref": "#/$defs/good"}, {"properties": {"code": {"x-provenance": "choice"}}}],
        "$defs": {
            "good": {
                "properties": {
                    "code": {"type": "integer", "x-kind": "exact"},
                    "rows": {
                        "type": "array",
                        "items": {"properties": {"id": {"type": "integer", "x-kind": "id"}}},
                    },
                    "next": {"$ref": "#/$defs/good"},
                }
            }
        },
    }
    found = fields(document)
    assert sorted(path for path in found if not path.startswith("/next")) == ["/code", "/rows/*/id"]
    assert found["/rows/*/id"].kind == "id"
    assert found["/rows/*/id"].whole_number
    assert found["/code"].provenance == "choice"
    assert not found["/code"].whole_number
