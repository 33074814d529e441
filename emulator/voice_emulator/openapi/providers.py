"""The OpenAPI 3.1 document of a provider, generated from its descriptors and schemas. Pure.

What OpenAPI cannot say stands in extensions: ``x-provenance`` (documented, inferred, or our choice),
``x-source`` (the page), ``x-errors`` (the codes, and how to provoke them), ``x-settings``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voice_emulator.openapi.generators import for_generators
from voice_emulator.openapi.parts import (
    FORM,
    JSON,
    Components,
    Json,
    error_entry,
    examples_of,
    push_operation,
)
from voice_emulator.providers.provider import ErrorCode, Provider, Route
from voice_emulator.providers.request import Operation
from voice_emulator.providers.setting_schema import setting_schema
from voice_emulator.schemas.validate import Schema, SchemaSet

_MEDIA = {"json": JSON, "urlencoded": FORM, "multipart": "multipart/form-data"}
#: Headers that OpenAPI keeps for itself: they are described by security schemes and media types.
_RESERVED = frozenset({"authorization", "content-type", "accept"})


def provider_document(provider: Provider, schemas: SchemaSet, base_url: str, version: str) -> Json:
    """The document of ``provider`` as served at ``base_url``."""
    components = Components()
    paths: dict[str, Json] = {}
    used: set[str] = set()
    for route in provider.routes:
        if route.serve is not None:
            paths[route.path.rstrip("/") + "/{file}" if route.path.endswith("/") else route.path] = _download(
                route, used
            )
        elif route.operations:
            paths[route.path] = _path(provider, route, schemas, components, used)
    document: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": f"{provider.title}, emulated",
            "version": version,
            "description": provider.description,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_url}],
        "tags": [
            {"name": name, "description": f"{op.title}. Source: {op.source}"}
            for name, op in provider.operations.items()
        ],
        "paths": paths,
        "webhooks": {
            name: {"post": push_operation(kind, schemas, components)}
            for name, kind in provider.receipts.items()
        },
        "components": {
            "schemas": components.schemas,
            "responses": {
                "Failure": {
                    "description": "A failure of the emulator, or of a gateway that a rule put in front.",
                    "headers": {
                        "Emulator-Error": {"description": "What went wrong.", "schema": {"type": "string"}}
                    },
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                }
            },
        },
        "x-errors": [error_entry(error) for error in provider.errors],
        "x-causes": sorted(provider.causes),
        "x-settings": {name: setting_schema(setting) for name, setting in provider.settings.settings.items()},
        "x-numbering": provider.numbering,
    }
    secured = {
        header.name
        for op in provider.operations.values()
        for header in op.headers
        if header.name.lower() == "authorization"
    }
    if secured:
        document["components"]["securitySchemes"] = {
            "authorization": {"type": "apiKey", "in": "header", "name": "Authorization"}
        }
    return for_generators(document)


def _path(
    provider: Provider, route: Route, schemas: SchemaSet, components: Components, used: set[str]
) -> Json:
    operations = [provider.operations[name] for name in route.operations]
    methods = sorted({method for operation in operations for method in operation.methods})
    item: Json = {}
    for method in methods:
        shared = [operation for operation in operations if method in operation.methods]
        item[method.lower()] = _operation(provider, shared, method, schemas, components, used)
    return item


def _operation(
    provider: Provider,
    operations: Sequence[Operation],
    method: str,
    schemas: SchemaSet,
    components: Components,
    used: set[str],
) -> Json:
    """One operation, or all that share a path and are told apart by a field of the body."""
    first = operations[0]
    requests = [schemas.get(operation.request) for operation in operations]
    name = first.name if len(operations) == 1 else "dispatch"
    operation: Json = {
        "operationId": _unused(name if method == "POST" else f"{name}_{method.lower()}", used),
        "summary": first.title
        if len(operations) == 1
        else "The dispatcher: a field of the form names the operation",
        "tags": [each.name for each in operations],
        "responses": _responses(operations, schemas, components),
        "x-provenance": first.provenance,
        "x-source": [each.source for each in operations],
        "x-errors": [error_entry(error) for error in _errors_of(provider, operations)],
    }
    parameters = _headers(operations)
    if method == "GET":
        parameters += _in_query(
            requests,
            {name for each in operations for name in _required(each, schemas)}
            if len(operations) == 1
            else set(),
        )
    else:
        operation["requestBody"] = {"required": True, "content": _content(operations, requests, components)}
        # Both ways of sending a form are served; a query alone is described by the query parameters of GET.
    if parameters:
        operation["parameters"] = parameters
    needed = [h for each in operations for h in each.headers if h.name.lower() == "authorization"]
    if needed:
        operation["security"] = [{"authorization": []}]
    callbacks = _callbacks(provider, operations, requests, schemas, components)
    if callbacks:
        operation["callbacks"] = callbacks
    return operation


def _unused(name: str, used: set[str]) -> str:
    candidate, number = name, 2
    while candidate in used:
        candidate, number = f"{name}_{number}", number + 1
    used.add(candidate)
    return candidate


def _required(operation: Operation, schemas: SchemaSet) -> list[str]:
    return list(schemas.get(operation.request).document.get("required", []))


def _one_of(schemas: Iterable[Schema], components: Components) -> Json:
    references = [components.ref(schema) for schema in schemas]
    return references[0] if len(references) == 1 else {"oneOf": references}


def _content(operations: Sequence[Operation], requests: Sequence[Schema], components: Components) -> Json:
    """The body in every encoding that the operations accept, the usual one first."""
    schema = _one_of(requests, components)
    accepted = {encoding for operation in operations for encoding in operation.accepts}
    content: Json = {
        media: {"schema": schema, **examples_of(requests)}
        for name, media in _MEDIA.items()
        if name in accepted
    }
    if "text" in accepted:
        content["text/plain"] = {
            "schema": {"type": "string", "description": "The same form fields as k=v pairs joined by &."}
        }
    return content


def _in_query(requests: Sequence[Schema], required: set[str]) -> list[Json]:
    found: dict[str, Json] = {}
    for schema in requests:
        for name, member in schema.document.get("properties", {}).items():
            kept = {k: v for k, v in member.items() if k in ("type", "enum", "minLength", "maxLength")}
            found.setdefault(
                name,
                {"name": name, "in": "query", "required": name in required,
                "description": member.get("description", ""),
                 "schema": kept or {"type": "string"}},
            )  # fmt: skip
    return list(found.values())


def _headers(operations: Sequence[Operation]) -> list[Json]:
    found: dict[str, Json] = {}
    for header in (header for operation in operations for header in operation.headers):
        if header.name.lower() not in _RESERVED:
            parameter: Json = {
                "name": header.name, "in": "header", "required": header.required,
                "description": header.description,
                "schema": {"type": "string"},
            }  # fmt: skip
            if header.example:
                parameter["example"] = header.example
            found.setdefault(header.name, parameter)
    return list(found.values())


def _responses(operations: Sequence[Operation], schemas: SchemaSet, components: Components) -> Json:
    replies = [schemas.get(operation.reply) for operation in operations]
    distinct = list({schema.name: schema for schema in replies}.values())
    references = [components.ref(schema) for schema in distinct]
    # Replies of several operations overlap (a refusal looks the same everywhere), so any of them may fit.
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    body = {JSON: {"schema": schema}}
    return {
        "200": {"description": "The reply, or a refusal: the code in the body tells.", "content": body},
        "default": {
            "description": "A refusal with a status of its own, or a failure (`Emulator-Error`).",
            "headers": {"Emulator-Error": {"schema": {"type": "string"}}},
            "content": {**body, "text/plain": {"schema": {"type": "string"}}},
        },
    }


def _callbacks(
    provider: Provider,
    operations: Sequence[Operation],
    requests: Sequence[Schema],
    schemas: SchemaSet,
    components: Components,
) -> Json:
    """The pushes that follow, at the URL the request names or else at the configured receiver."""
    named = next(
        (
            field
            for schema in requests
            for field in schema.document.get("properties", {})
            if field.lower() == "callbackurl"
        ),
        None,
    )
    found: Json = {}
    for name in dict.fromkeys(name for operation in operations for name in operation.receipts):
        kind = provider.receipts[name]
        address = f"{{$request.body#/{named}}}" if named else f"https://receiver.example/{kind.url_key}"
        found[name] = {address: {"post": push_operation(kind, schemas, components)}}
    return found


def _download(route: Route, used: set[str]) -> Json:
    operation: Json = {
        "operationId": _unused("download", used),
        "summary": "A file named in a reply or receipt",
        "responses": {
            "200": {"description": "The file.", "content": {"*/*": {}}},
            "302": {"description": "Where the file is."},
            "default": {
                "description": "No such file, in the provider's words or the emulator's.",
                "content": {"*/*": {}},
            },
        },
    }
    if route.path.endswith("/"):
        operation["parameters"] = [
            {"name": "file", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        ]
    return {"get": operation}


def _errors_of(provider: Provider, operations: Sequence[Operation]) -> list[ErrorCode]:
    names = {operation.name for operation in operations}
    return [error for error in provider.errors if not error.operations or names & error.operations]
