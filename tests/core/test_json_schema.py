from __future__ import annotations

import jsonschema
import pytest

from voice_emulator.core.json_schema import COUNT, TEXT, Json, nullable, only


@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        COUNT,
        {"type": ["integer", "string"]},
        {"enum": ["a"]},
        {"type": "string", "enum": ["a"]},
        {"const": 1},
    ],
)
def test_nullable_admits_null_and_otherwise_changes_nothing(schema: Json):
    plain, made = jsonschema.Draft202012Validator(schema), jsonschema.Draft202012Validator(nullable(schema))
    assert made.is_valid(None)
    assert not plain.is_valid(None)
    for value in ("a", "b", 1, -1, [], {}, True):
        assert made.is_valid(value) == plain.is_valid(value), value


def test_only_admits_its_members_and_no_others():
    made = jsonschema.Draft202012Validator(only(name=TEXT, count=COUNT))
    assert made.is_valid({})
    assert made.is_valid({"name": "a", "count": 0})
    assert not made.is_valid({"name": 1})
    assert not made.is_valid({"nam": "a"})
    assert not made.is_valid([])
