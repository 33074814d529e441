"""Short ways of writing JSON Schemas in Python."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}


def ref(name: str) -> Json:
    """A component of an OpenAPI document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def only(**members: Json) -> Json:
    """An object that may have these members and no others."""
    return {"type": "object", "properties": members, "additionalProperties": False}


def nullable(schema: Json) -> Json:
    """``schema``, or null."""
    types = schema.get("type", [])
    if types and "enum" not in schema and "const" not in schema:
        # Not anyOf: explaining that lists every problem of every branch, however long the value is.
        return {**schema, "type": [*([types] if isinstance(types, str) else types), "null"]}
    return {"anyOf": [schema, {"type": "null"}]}
