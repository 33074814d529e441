"""Parts of a provider's OpenAPI document: component schemas, examples, pushes, error table. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from voice_emulator.providers.provider import ErrorCode, ReceiptKind
from voice_emulator.schemas.validate import Schema, SchemaSet

Json = dict[str, Any]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_PUSH_MEDIA = {"json": JSON, "form": FORM}


class Components:
    """Schemas by component name, each with its inner references turned to where it stands now."""

    def __init__(self) -> None:
        self.schemas: dict[str, Json] = {}

    def ref(self, schema: Schema) -> Json:
        """A reference to ``schema``, which becomes a component."""
        name = re.sub(r"[^A-Za-z0-9._-]", ".", schema.name.split("/", 1)[-1])
        if name not in self.schemas:
            here = f"#/components/schemas/{name}"
            moved = _moved({k: v for k, v in schema.document.items() if k not in ("$schema", "$id")}, here)
            self.schemas[name] = moved
        return {"$ref": f"#/components/schemas/{name}"}


def _moved(value: Any, here: str) -> Any:
    if isinstance(value, Mapping):
        return {
            key: here + member[1:]
            if key == "$ref" and isinstance(member, str) and member.startswith("#")
            else _moved(member, here)
            for key, member in value.items()
        }
    return [_moved(member, here) for member in value] if isinstance(value, list) else value


def examples_of(schemas: Sequence[Schema]) -> Json:
    """The ``examples`` of a media type: those the schemas took from the provider's pages."""
    found = {
        f"{schema.name.split('/', 1)[-1].split('.')[0]}{index}": {"value": example}
        for schema in schemas
        for index, example in enumerate(schema.examples, 1)
    }
    return {"examples": found} if found else {}


def push_operation(kind: ReceiptKind, schemas: SchemaSet, components: Components) -> Json:
    """One push as the receiver's operation: what it is sent, and what acknowledges it."""
    schema = schemas.get(kind.schema)
    reference = components.ref(schema)
    content: Json = {
        media: {"schema": {"type": "array", "items": reference, "minItems": 1}}
        if kind.array
        else {"schema": reference, **examples_of([schema])}
        for name, media in _PUSH_MEDIA.items()
        if name in kind.encodings
    }
    push: Json = {
        "summary": kind.title,
        "description": f"Sent to the receiver configured as `{kind.url_key}`.",
        "responses": {
            "200": {
                "description": f"Acknowledged: {kind.acknowledgement}"
                if kind.acknowledgement
                else "Received."
            }
        },
        "x-source": kind.source,
        "x-encodings": list(kind.encodings),
    }
    if content:
        push["requestBody"] = {"required": True, "content": content}
    return push


def error_entry(error: ErrorCode) -> Json:
    """One line of the error table."""
    return {
        "name": error.name,
        "code": error.code,
        "text": error.text,
        "meaning": error.meaning,
        "operations": sorted(error.operations),
        "provenance": error.provenance,
        "how": error.how,
    }
