"""An OpenAPI document in the form that generators of clients understand. Its schemas accept exactly what they did.

Generators make one type of each schema. They stumble over an enum or a list of types that mixes them, over a schema
that is true or false, and over rules beside ``type`` (`anyOf: [{required: [a]}, {required: [b]}]` became a union of
nothing). So types are told apart by ``anyOf``, and rules move into ``if: {}, then: ...``, which always applies and
which generators skip. Objects within others become components, so that a person named their types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from voice_emulator.core.json_schema import Json, ref

_SCHEMA_MAPS = ("properties", "patternProperties")
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf")
_RULES = ("anyOf", "oneOf", "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas")
#: The keywords that say something about one type only.
_OF_TYPE = {
    "minLength": "string", "maxLength": "string", "pattern": "string", "format": "string",
    "minimum": "number", "maximum": "number", "exclusiveMinimum": "number", "exclusiveMaximum": "number",
    "multipleOf": "number",
    "items": "array", "minItems": "array", "maxItems": "array", "uniqueItems": "array", "prefixItems": "array",
    "properties": "object", "required": "object", "additionalProperties": "object", "patternProperties": "object",
    "minProperties": "object", "maxProperties": "object", "propertyNames": "object",
}  # fmt: skip
_TYPES: Mapping[type, str] = {
    bool: "boolean", str: "string", int: "integer", float: "number", list: "array", dict: "object", type(None): "null",
}  # fmt: skip
_DEFINITIONS = "$defs"
#: A title that names a type, and not a sentence.
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")


def for_generators(document: Json) -> Json:
    """``document`` with every schema in it in that form."""
    names = _Names(document["components"]["schemas"])
    for name in tuple(names.schemas):
        names.enter(name)
    rest = {key: value for key, value in document.items() if key != "components"}
    components = {
        key: _outside(value, names) for key, value in document["components"].items() if key != "schemas"
    }
    return {**_outside(rest, names), "components": {**components, "schemas": names.result}}


def _outside(value: Any, names: _Names) -> Any:
    """A part of the document that is not a schema itself."""
    if isinstance(value, Mapping):
        return {
            key: names.form(member, "")
            if key == "schema"
            else {name: names.form(each, "") for name, each in member.items()}
            if key == "x-settings"
            else member
            if key == "examples"
            else _outside(member, names)
            for key, member in value.items()
        }
    return [_outside(member, names) for member in value] if isinstance(value, list) else value


class _Names:
    """The components: those there were, those of ``$defs``, and the objects within others."""

    def __init__(self, schemas: Mapping[str, Json]) -> None:
        self.schemas = dict(schemas)
        self.result: dict[str, Json] = {}
        self._moved: dict[str, str] = {}
        for name, schema in schemas.items():
            for inner, definition in schema.get(_DEFINITIONS, {}).items():
                full = f"{name}.{inner}"
                self.schemas[full] = definition
                self._moved[f"#/components/schemas/{name}/{_DEFINITIONS}/{inner}"] = full

    def enter(self, name: str) -> None:
        """Put the component ``name`` into the result."""
        schema = {key: value for key, value in self.schemas[name].items() if key != _DEFINITIONS}
        self.result[name] = self.form(schema, name, named=True)

    def form(self, schema: Any, name: str, *, named: bool = False) -> Json:
        """``schema`` for generators; an object in it without a name gets one that begins with ``name``, if given."""
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        schema = self._refer(schema)
        typed = schema.get("type") is not None or "properties" in schema
        rules = {key: schema[key] for key in _RULES if key in schema}
        if typed and rules and not any("$ref" in each for each in rules.get("allOf", ())):
            schema = {key: value for key, value in schema.items() if key not in rules} | {
                "if": {},
                "then": rules,
            }
        schema = _by_type(schema)
        given = schema.get("title", "")
        prefix = given if name and not named and _TYPE_NAME.fullmatch(given) else name
        schema = {key: self._member(key, value, prefix) for key, value in schema.items()}
        # A title would be taken for the name of the type, and the same title occurs in many schemas.
        title = schema.pop("title", None)
        if schema.get("type") == "array":
            schema.setdefault("items", {})
        if name and "default" in schema:
            # Clients would send it, and what is sent overrides the scenario.
            schema["x-default"] = schema.pop("default")
        if "properties" in schema and prefix and not named:
            return self._component(prefix, schema)
        return schema if title is None or named else {"description": title, **schema}

    def _member(self, key: str, value: Any, name: str) -> Any:
        if key in _SCHEMA_MAPS:
            return {
                inner: self.form(each, name and f"{name}{_pascal(inner)}") for inner, each in value.items()
            }
        if key in _SCHEMA_LISTS:
            objects = [each for each in value if isinstance(each, Mapping) and "properties" in each]
            return _flat(key, [
                self.form(each, name and (f"{name}{number}" if len(objects) > 1 and each in objects else name))
                for number, each in enumerate(value, 1)
            ])  # fmt: skip
        if key == "items" or (key == "additionalProperties" and isinstance(value, Mapping)):
            return self.form(value, name and f"{name}{'Item' if key == 'items' else 'Value'}")
        return value

    def _component(self, name: str, schema: Json) -> Json:
        """A reference to ``schema``, which becomes a component unless there is the same one already."""
        for candidate in (name, *(f"{name}{number}" for number in range(2, 100))):
            known = self.result.get(candidate)
            if known == schema:
                return ref(candidate)
            if known is None and candidate not in self.schemas:
                self.result[candidate] = schema
                return ref(candidate)
        raise AssertionError(f"a hundred different schemas want the name {name}")

    def _refer(self, value: Any) -> Any:
        """``value`` with references to ``$defs`` turned to the components that they became."""
        if isinstance(value, Mapping):
            target = value.get("$ref")
            moved = self._moved.get(target) if isinstance(target, str) else None
            return {key: self._refer(each) for key, each in value.items()} | (ref(moved) if moved else {})
        return [self._refer(each) for each in value] if isinstance(value, list) else value


def _pascal(text: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", text))


def _by_type(schema: Json) -> Json:
    """``schema`` as ``anyOf`` of one branch for each type, if it allows several."""
    if "enum" in schema:
        return _by_type_of_value(schema)
    types = schema.get("type")
    if not isinstance(types, list):
        return schema
    # A list of a scalar and null is what OpenAPI 3.1 calls nullable, and every generator knows it.
    scalar = not {"array", "object"} & set(types)
    if len(types) == 1 or (len(types) == 2 and "null" in types and scalar):
        return schema if len(types) > 1 else {**schema, "type": types[0]}
    own = {key for key in schema if key in _OF_TYPE}
    shared = {key: value for key, value in schema.items() if key not in own and key != "type"}
    branches = [
        {"type": kind, **{k: schema[k] for k in schema if k in own and _fits(_OF_TYPE[k], kind)}}
        for kind in types
    ]
    return {"anyOf": branches, **shared}


def _fits(owner: str, kind: str) -> bool:
    return owner == kind or (owner == "number" and kind == "integer")


def _by_type_of_value(schema: Json) -> Json:
    groups: dict[str, list[Any]] = {}
    for value in schema["enum"]:
        groups.setdefault(_TYPES[type(value)], []).append(value)
    branches = [_values(kind, values) for kind, values in groups.items()]
    rest = {key: value for key, value in schema.items() if key not in ("enum", "type")}
    return {**branches[0], **rest} if len(branches) == 1 else {"anyOf": branches, **rest}


def _values(kind: str, values: list[Any]) -> Json:
    if kind == "null" or (kind == "boolean" and len(values) == 2):
        return {"type": kind}
    if values == [""]:
        return {"type": kind, "maxLength": 0}
    if kind == "string" and len({re.sub(r"[^a-z0-9]", "", word.lower()) for word in values}) < len(values):
        # true, True and TRUE would be three members of one name.
        return {"type": kind, "pattern": f"^({'|'.join(map(re.escape, values))})$"}
    return {"type": kind, "enum": values}


def _flat(key: str, branches: list[Json]) -> list[Json]:
    """``anyOf`` within ``anyOf`` is one ``anyOf``."""
    if key != "anyOf":
        return branches
    return [inner for each in branches for inner in (each["anyOf"] if set(each) == {"anyOf"} else [each])]
