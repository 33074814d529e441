"""The schemas: two validators, one verdict."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.errors import SchemaError
from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import Schema, SchemaSet

SCHEMAS = SchemaSet.load(discover())
ALL = sorted(SCHEMAS, key=lambda schema: schema.name)
names = [schema.name for schema in ALL]


@pytest.mark.parametrize("schema", ALL, ids=names)
def test_every_example_of_a_document_satisfies_its_schema(schema: Schema):
    assert schema.examples, f"{schema.name} has no example"
    for example in schema.examples:
        assert schema.violations(example) == []


def walk(document: Any, pointer: str = ""):
    if isinstance(document, dict):
        yield pointer, document
        for key, value in document.items():
            yield from walk(value, f"{pointer}/{key}")
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from walk(value, f"{pointer}/{index}")


@pytest.mark.parametrize("schema", ALL, ids=names)
def test_every_schema_says_what_it_is_and_where_it_comes_from(schema: Schema):
    document = schema.document
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["title"]
    assert document["description"]
    assert document["$comment"]
    for name, part in document.get("properties", {}).items():
        assert "description" in part or "$ref" in part, f"{schema.name}: {name}"


@pytest.mark.parametrize("schema", ALL, ids=names)
def test_patterns_mean_the_same_to_every_reader(schema: Schema):
    for pointer, part in walk({k: v for k, v in schema.document.items() if k != "examples"}):
        pattern = part.get("pattern")
        if isinstance(pattern, str):
            assert not re.search(r"\\[dDwWsSbBzZA]", pattern), f"{schema.name}{pointer}: {pattern}"
            re.compile(pattern)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["1\n", "12", "", "6212345678", "\n"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@st.composite
def instances(draw: st.DrawFn) -> tuple[Schema, Any]:
    """An example, damaged in up to three places; or anything at all."""
    schema = draw(st.sampled_from(ALL))
    if draw(st.integers(0, 9)) == 0:
        return schema, draw(json_values)
    instance = deepcopy(draw(st.sampled_from(schema.examples)))
    for _ in range(draw(st.integers(0, 3))):
        holders = [part for _, part in walk(instance) if part]
        if not holders:
            break
        holder = draw(st.sampled_from(holders))
        key = draw(st.sampled_from(sorted(holder)))
        what = draw(st.integers(0, 3))
        if what == 0:
            del holder[key]
        elif what == 1:
            holder[key] = draw(json_values)
        elif what == 2 and isinstance(holder[key], str):
            holder[key] = holder[key] + draw(st.sampled_from(["\n", " ", "x", "1" * 60, "€"]))
        else:
            holder[draw(st.text(max_size=6))] = draw(json_values)
    return schema, instance


@given(instances())
def test_the_explaining_validator_agrees_with_the_deciding_one(case: tuple[Schema, Any]):
    schema, instance = case
    assert schema.accepts(instance) == (not list(schema.explain(instance)))


def test_all_problems_are_named_with_their_place():
    schema = Schema(
        "t",
        {
            "type": "object",
            "required": ["a", "b/c"],
            "properties": {"n": {"type": "array", "items": {"maximum": 3}}},
        },
    )
    found = schema.violations({"n": [1, 9], "x": 1})
    assert {(v.pointer, v.keyword) for v in found} == {
        ("/a", "required"),
        ("/b~1c", "required"),
        ("/n/1", "maximum"),
    }
    assert {violation.field for violation in found} == {"a", "b/c", "n"}


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"tpye": "object"}, "tpye"), ({"properties": {"a": {"format": "date"}}}, "format"),
        ({"anyOf": [{"minLenght": 1}]}, "minLenght"), ({"items": {"nullable": True}}, "nullable"),
    ],
)  # fmt: skip
def test_an_unknown_keyword_stops_the_process(document: dict, place: str):
    with pytest.raises(SchemaError, match=f"unknown keyword '{place}'"):
        Schema("t", document)


def test_a_schema_that_is_none_stops_the_process():
    with pytest.raises(SchemaError, match="does not compile"):
        Schema("t", {"type": "text"})


def test_a_misspelt_schema_name_is_named_with_the_nearest():
    with pytest.raises(SchemaError, match=r"did you mean 'nxcloud/gpsend.request'"):
        SCHEMAS.get("nxcloud/gpsent.request")


@pytest.mark.parametrize("instance", [10**400, {"a": 10**400}, float("inf"), object()])
def test_an_instance_the_validator_chokes_on_is_refused(instance: object):
    schema = Schema("t", {"type": "object", "properties": {"a": {"maximum": 5}}})
    assert not schema.accepts(instance)
    assert schema.violations(instance)


def test_secrets_are_known_by_name():
    assert "secretkey" in SCHEMAS.get("nxcloud/gpsend.request").secrets


def test_a_broken_file_is_named(tmp_path):
    from voice_emulator.schemas.validate import load_folder

    (tmp_path / "bad.request.json").write_text("{")
    with pytest.raises(SchemaError, match=r"bad.request is not JSON"):
        list(load_folder(tmp_path))
    (tmp_path / "bad.request.json").unlink()
    (tmp_path / "odd.json").write_text(json.dumps({}))
    with pytest.raises(SchemaError, match=r"a schema is called"):
        list(load_folder(tmp_path))
