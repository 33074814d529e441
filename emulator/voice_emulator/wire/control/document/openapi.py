"""The OpenAPI 3.1 document of the control API, generated from its route table. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voice_emulator.core.json_schema import Json, ref
from voice_emulator.openapi.generators import for_generators
from voice_emulator.providers.provider import Provider
from voice_emulator.wire.control.document import request_schemas as control_bodies
from voice_emulator.wire.control.document.response_schemas import COMPONENTS
from voice_emulator.wire.control.problems import MEDIA_TYPE
from voice_emulator.wire.control.request import JSON, ResponseSpec, Route

TAGS = {
    "system": "The emulator itself.",
    "scenarios": "What is shipped.",
    "tenants": "Customers: credentials, scenario, clock, settings.",
    "calls": "Calls, and the pushes that report them.",
    "waiting": "Waiting for things without sleeping, and asserting on them.",
    "journal": "What went over the wire, and what was wrong with it.",
}
_PATH_PARAMETERS = {
    "id": "A tenant; `default` always exists.",
    "call_id": "A call.",
    "entry_id": "An entry of the journal.",
    "name": "A shipped scenario.",
    "provider": "A provider's id with `.json` behind it.",
    "file": "A file of the page.",
}
#: Problems that any route can answer with.
_COMMON = {
    400: "The request cannot be read.",
    401: "The control token is missing or wrong.",
    403: "A page of another site may not change anything.",
    404: "Not found.",
    408: "The body did not arrive.",
    413: "The body is too large.",
    421: "Host is not one of this emulator's.",
    422: "Invalid input: `errors` says where.",
}


def control_document(
    routes: Sequence[Route], providers: Mapping[str, Provider], base_url: str, version: str
) -> Json:
    """The document of the control API at ``base_url``."""
    documents = control_bodies.documents(providers)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, providers)
    bodies = {
        _body_name(route): control_bodies.plain(documents[route.name]) for route in routes if route.body
    }
    return for_generators({
        "openapi": "3.1.0",
        "info": {
            "title": "voice-emulator control API",
            "version": version,
            "description": "Tenants, calls, pushes, journal and clock of a running emulator.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_url}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**COMPONENTS, **bodies},
            "responses": {
                f"Problem{status}": {"description": text, "content": {MEDIA_TYPE: {"schema": ref("Problem")}}}
                for status, text in _COMMON.items()
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Needed with `--control-token`."}
            },
        },
    })  # fmt: skip


def _body_name(route: Route) -> str:
    return "".join(word.capitalize() for word in route.name.split("_")) + "Request"


def _operation(route: Route, providers: Mapping[str, Provider]) -> Json:
    operation: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [_path_parameter(name, providers) for name in route.in_path]
        + [
            {"name": each.name, "in": "query", "description": each.description, "schema": each.schema}
            for each in route.query
        ],
        "responses": _responses(route),
    }
    if route.details:
        operation["description"] = route.details
    if route.public:
        operation["security"] = []
    if route.name == "events":
        operation["parameters"].append(
            {"name": "Last-Event-ID", "in": "header", "description": "Resume behind this event.",
             "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"}}
        )  # fmt: skip
    if route.body is not None:
        content: Json = {JSON: {"schema": ref(_body_name(route))}}
        content.update({kind: {"schema": {"type": "string"}} for kind in route.body.texts})
        operation["requestBody"] = {"required": route.body.required, "content": content}
    return operation


def _path_parameter(name: str, providers: Mapping[str, Provider]) -> Json:
    schema: Json = {"type": "string", "minLength": 1}
    if name == "provider":
        schema["enum"] = [f"{provider}.json" for provider in providers]
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": _PATH_PARAMETERS[name],
        "schema": schema,
    }


def _responses(route: Route) -> Json:
    responses = {str(response.status): _response(response) for response in route.replies}
    for status in _COMMON:
        needless = (status in (408, 413) and route.body is None) or (status == 401 and route.public)
        if not needless and not (status == 403 and route.method == "GET"):
            responses.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
    if route.name == "events":
        responses["503"] = _response(ResponseSpec(503, "Too many streams are open.", "Problem"))
    return responses


def _response(response: ResponseSpec) -> Json:
    shown: Json = {"description": response.description}
    if response.schema is not None:
        media = MEDIA_TYPE if response.schema == "Problem" else response.media
        shown["content"] = {media: {"schema": ref(response.schema)}}
    elif response.status != 204:
        shown["content"] = {
            response.media: {"schema": {"type": "string"}} if response.media.startswith("text/") else {}
        }
    if response.status == 201:
        shown["headers"] = {
            "Location": {"description": "Path of what was created.", "schema": {"type": "string"}}
        }
    return shown
