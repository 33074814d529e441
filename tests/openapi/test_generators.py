"""Every document that is published has the form that generators of clients understand, and means what it meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from voice_emulator.openapi.generators import for_generators
from voice_emulator.openapi.providers import provider_document
from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.control.document import request_schemas
from voice_emulator.wire.control.document.openapi import control_document
from voice_emulator.wire.control.routes import control_routes

PROVIDERS = discover()
SCHEMAS = SchemaSet.load(PROVIDERS)
DOCUMENTS = {
    "control": control_document(control_routes(PROVIDERS), PROVIDERS, "http://127.0.0.1:4881", "1"),
    **{
        name: provider_document(one, SCHEMAS, "http://127.0.0.1:4880", "1") for name, one in PROVIDERS.items()
    },
}
#: Members whose values are not schemas, or rules that generators skip.
SKIPPED = ("examples", "example", "enum", "const", "default", "x-default", "if", "then", "else", "not")
JSON_TYPES = {bool: "boolean", str: "string", int: "integer", float: "number", type(None): "null"}


def schemas_in(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every schema in a document, with its path."""
    if isinstance(value, dict):
        if path.startswith("/components/schemas/") or "/schema" in path or "/x-settings/" in path:
            yield path, value
        for key, member in value.items():
            if key in ("properties", "x-settings", "schemas"):
                for name, each in member.items():
                    yield from schemas_in(each, f"{path}/{key}/{name}")
            elif key not in SKIPPED:
                yield from schemas_in(member, f"{path}/{key}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from schemas_in(member, f"{path}/{number}")
    elif isinstance(value, bool) and path.rpartition("/")[0].endswith(
        ("/properties", "/anyOf", "/oneOf", "/allOf")
    ):
        yield path, value


def troubles(document: Any) -> list[str]:
    """What generators stumble over."""
    found = []
    for path, schema in schemas_in(document):
        if isinstance(schema, bool):
            found.append(f"{path}: a schema that is {schema}")
            continue
        kinds = {JSON_TYPES.get(type(value), "other") for value in schema.get("enum", ())}
        if len(kinds) > 1 or (kinds and kinds != {schema.get("type")}):
            found.append(f"{path}: an enum of {sorted(kinds)} with type {schema.get('type')}")
        words = [str(value).lower() for value in schema.get("enum", ())]
        if len(words) != len(set(words)):
            found.append(f"{path}: members of one name: {words}")
        types = schema.get("type")
        if isinstance(types, list) and (
            len(types) != 2 or "null" not in types or {"array", "object"} & set(types)
        ):
            found.append(f"{path}: type {types}")
        if "properties" in schema and path.count("/") > 3 and "/x-settings/" not in path:
            found.append(f"{path}: an object without a name")
        if isinstance(types, str) and any(key in schema for key in ("anyOf", "oneOf")):
            found.append(f"{path}: a union beside type")
        if schema.get("type") == "array" and "items" not in schema:
            found.append(f"{path}: an array of nothing")
        if path.startswith("/components/schemas/") and "default" in schema:
            found.append(f"{path}: a default that clients would send")
        if "$defs" in schema or "title" in schema:
            found.append(f"{path}: a name that is not the component's")
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_have_nothing_that_generators_stumble_over(name: str):
    assert troubles(DOCUMENTS[name]) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_each_operation_once_and_each_component_once(name: str):
    document = DOCUMENTS[name]
    operations = [each for item in document["paths"].values() for each in item.values()]
    names = [operation["operationId"].replace("_", "").lower() for operation in operations]
    assert len(names) == len(set(names))
    components = [
        "".join(c for c in component if c.isalnum()).lower()
        for component in document["components"]["schemas"]
    ]
    assert len(components) == len(set(components))


def test_documents_components_are_all_used():
    for name, document in DOCUMENTS.items():
        text = str(document)
        unused = [
            each for each in document["components"]["schemas"] if f"'#/components/schemas/{each}'" not in text
        ]
        assert unused == [] or name == "infin8linx", unused


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": [True, "yes"]},
        {"type": ["string", "object"], "properties": {"a": {"type": "string"}}},
        {"type": "object", "properties": {"a": False}},
        {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}},
        {"type": "object", "properties": {}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"enum": ["on", "On"], "type": "string"},
        {"type": "array"},
        {"type": "string", "title": "Name"},
    ],
)
def test_troubles_are_found_in_what_is_not_for_generators_and_gone_afterwards(schema: dict):
    document = {"components": {"schemas": {"Thing": schema}}, "paths": {}}
    inline = {"paths": {"/": {"post": {"requestBody": {"content": {"json": {"schema": schema}}}}}}}
    assert troubles(document) or troubles(inline)
    assert troubles(for_generators(document)) == []


def test_an_objects_name_comes_from_where_it_is_and_the_same_object_has_one_name():
    inner = {"type": "object", "properties": {"b": {"type": "string"}}}
    thing = {"type": "object", "properties": {"first_part": inner, "many": {"type": "array", "items": inner}}}
    other = {"type": "object", "properties": {"x": {"$ref": "#/components/schemas/Thing/$defs/y"}}}
    thing_with_definition = {**thing, "$defs": {"y": {"type": "string"}}}
    document = {"components": {"schemas": {"Thing": thing_with_definition, "Other": other}}, "paths": {}}
    found = for_generators(document)["components"]["schemas"]
    assert set(found) == {"Thing", "ThingFirstPart", "ThingManyItem", "Thing.y", "Other"}
    assert found["Other"]["properties"]["x"] == {"$ref": "#/components/schemas/Thing.y"}
    named = {**inner, "title": "Inner"}
    both = {"A": {"properties": {"p": named}}, "B": {"properties": {"q": named}}}
    assert set(for_generators({"components": {"schemas": both}, "paths": {}})["components"]["schemas"]) == {
        "A", "B", "Inner",
    }  # fmt: skip


#: One value of each kind, and what the schemas look at in particular.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 403, 2.5, "", "x", "true", "TRUE", "403", "0.5", "5s", "manual", "next", "idle",
    [], ["x"], [1], [None], {}, {"x": "y"}, {"mode": "manual"}, {"mode": "real", "start": "2026-01-05T09:00:00Z"},
)  # fmt: skip


def varied(example: Any) -> Iterator[Any]:
    """``example`` with each of its members left out and replaced, at any depth."""
    yield example
    if isinstance(example, dict):
        for key in example:
            yield {name: value for name, value in example.items() if name != key}
            for value in (*VALUES, *varied(example[key])):
                yield {**example, key: value}
        yield {**example, "surprise": 1}
    elif isinstance(example, list) and example:
        for value in (*VALUES, *varied(example[0])):
            yield [value, *example[1:]]


def bodies() -> Iterator[tuple[str, Any, str, list[Any]]]:
    """(document, schema as it was, its component, examples of it)."""
    settings = {
        name: {key: setting.default for key, setting in one.settings.settings.items()}
        for name, one in PROVIDERS.items()
    }
    tenant = {
        "seed": 1,
        "settings": settings,
        "credentials": {n: dict(p.default_credentials) for n, p in PROVIDERS.items()},
    }
    examples = {
        "create_tenant": [{"id": "a", "scenario": "x", "clock": "manual", **tenant}, {"scenario_yaml": "x", "scenario": "y"}],
        "change_tenant": [tenant],
        "load_scenario": [{"name": "x"}],
        "put_mutant": [{"name": None}, {"name": "x", "provider": "nxcloud"}],
        "advance": [{"seconds": 1}, {"to": "idle", "at_most": "1h", "wall_limit": 3}, {"to": "next", "at_most": "1h"}],
        "place": [{"provider": "nxcloud", "number": "1", "operation": "gpsend", "fields": {}}],
        "verify": [{"provider": "nxcloud", "fields": {"a": ["b", 1]}, "exactly": 1}, {"at_least": 1, "at_most": 2}],
    }  # fmt: skip
    for name, body in request_schemas.documents(PROVIDERS).items():
        component = "".join(word.capitalize() for word in name.split("_")) + "Request"
        yield "control", request_schemas.plain(body), component, examples[name]
    for name, provider in PROVIDERS.items():
        for operation in provider.operations.values():
            for wanted in (operation.request, operation.reply):
                schema = SCHEMAS.get(wanted)
                yield name, schema.document, wanted.split("/", 1)[1], list(schema.examples)[:2]


@pytest.mark.parametrize("case", list(bodies()), ids=lambda case: f"{case[0]}-{case[2]}")
def test_schemas_accept_and_refuse_what_they_did(case: tuple[str, Any, str, list[Any]]):
    document, before, component, examples = case
    whole = {"components": DOCUMENTS[document]["components"], "$ref": f"#/components/schemas/{component}"}
    was, is_now = (
        jsonschema_rs.validator_for({k: v for k, v in before.items() if k != "$id"}),
        jsonschema_rs.validator_for(whole),
    )
    verdicts = set()
    for value in (*VALUES, *(each for example in examples for each in varied(example))):
        verdicts.add(was.is_valid(value))
        assert was.is_valid(value) == is_now.is_valid(value), value
    assert False in verdicts
