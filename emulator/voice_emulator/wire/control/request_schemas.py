"""JSON Schemas of what the control API takes. One source for judging bodies and for the document.

Where code says better than a schema what is wrong (the nearest name, the place in a clock), a member is
marked; the document shows its schema, and only its type is judged before the code looks at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import receiver_keys
from voice_emulator.providers.setting_schema import setting_schema
from voice_emulator.scenarios.documents import SEED_LIMIT
from voice_emulator.schemas.shorthand import COUNT, TEXT, Json, nullable, only
from voice_emulator.schemas.validate import Schema
from voice_emulator.wire.control.parameters import SPAN_PATTERN

Providers = Mapping[str, Provider]

TENANT_ID = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
#: Longest single advance, in seconds: ten years.
LONGEST_ADVANCE = 315_360_000

_JUDGED_BY_CODE = "x-judged-by-code"
_SCALAR: Json = {"type": ["string", "number", "boolean"]}
_SPAN: Json = {
    "anyOf": [
        {"type": "string", "pattern": SPAN_PATTERN},
        {"type": "number", "minimum": 0},
        {"type": "null"},
    ],
    "description": "A duration such as 250ms, 5s, 2m or 24h, or a number of seconds.",
}


def _by_code(schema: Json) -> Json:
    return {**schema, _JUDGED_BY_CODE: True}


def documents(providers: Providers) -> dict[str, Json]:
    """The schema of each route's body, by route name, as documented."""
    account = _account(providers)
    clock: Json = {
        "anyOf": [
            {"type": "string", "pattern": "^(real|manual|[1-9][0-9]{0,3}x)$"},
            {
                "type": "object",
                "properties": {
                    "mode": {"type": "string", "pattern": "^(manual|[1-9][0-9]{0,3}x)$"},
                    "start": {"type": "string", "format": "date-time"},
                },
                "required": ["mode"], "additionalProperties": False,
            },
            {"type": "null"},
        ],
        "description": "real, manual, a speed such as 60x, or {mode, start}.",
    }  # fmt: skip
    operations = sorted({name for provider in providers.values() for name in provider.operations})
    return {
        "create_tenant": only(
            id=nullable({"type": "string", "pattern": TENANT_ID}),
            scenario=nullable({"type": "string", "minLength": 1,
            "description": "Name of a shipped scenario."}),
            scenario_yaml=nullable({"type": "string", "minLength": 1, "description": "A whole scenario."}),
            clock=_by_code(clock), **account,
        ),
        "change_tenant": only(**account),
        "load_scenario": _by_code({
            "type": "object",
            "description": "The name of a shipped scenario, or a whole scenario (scenario.schema.json).",
            "properties": {"name": {"type": "string", "minLength": 1}},
            "required": ["name"],
        }),
        "advance": {
            **only(
                seconds={"type": "number", "minimum": 0, "maximum": LONGEST_ADVANCE},
                to={"type": "string", "minLength": 1, "maxLength": 40,
                    "description": "next, idle, or an instant such as 2026-01-05T09:00:00+08:00."},
                at_most=_by_code({**_SPAN, "default": "24h"}),
                wall_limit=_by_code({**_SPAN, "default": "30s"}),
            ),
            "oneOf": [{"required": ["seconds"]}, {"required": ["to"]}],
        },
        "place": {
            **only(
                provider={"type": "string", "enum": list(providers)},
                operation={**TEXT, "minLength": 1, "description": "Without one: the provider's first."},
                number={**TEXT, "maxLength": 200},
                fields={"type": "object", "additionalProperties": True, "description": "Over the example's."},
            ),
            "required": ["provider", "number"],
        },
        "verify": only(
            provider={"type": "string", "enum": list(providers)},
            operation={"type": "string", "enum": operations},
            number={**TEXT, "minLength": 1, "maxLength": 200, "description": "A glob over the numbers."},
            fields={
                "type": "object",
                "description": "Request fields by name: a glob, or a list of alternatives.",
                "additionalProperties": {
                    "anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}],
                },
            },
            exactly=COUNT, at_least=COUNT, at_most=COUNT, within=_by_code({**_SPAN, "default": "0s"}),
        ),
    }  # fmt: skip


def schemas(providers: Providers) -> dict[str, Schema]:
    """The same for judging, each compiled when it is first needed."""
    return {
        name: Schema(f"control/{name}.request", _judging(document), later=True)
        for name, document in documents(providers).items()
    }


def plain(document: Any) -> Any:
    """A documented schema without our marks."""
    if isinstance(document, Mapping):
        return {key: plain(value) for key, value in document.items() if key != _JUDGED_BY_CODE}
    return [plain(item) for item in document] if isinstance(document, list) else document


def _judging(document: Any) -> Any:
    if isinstance(document, Mapping):
        if _JUDGED_BY_CODE in document:
            return {"type": document["type"]} if "type" in document else {}
        return {key: _judging(value) for key, value in document.items() if key != "format"}
    return [_judging(item) for item in document] if isinstance(document, list) else document


def _account(providers: Providers) -> dict[str, Json]:
    """What both POST and PATCH of a tenant take."""
    url = nullable({"type": "string", "maxLength": 2048, "pattern": "^[!-~]*$"})
    return {
        "seed": nullable({"type": "integer", "minimum": -SEED_LIMIT, "maximum": SEED_LIMIT}),
        "callback_urls": _by_code(nullable(only(**dict.fromkeys(receiver_keys(providers), url)))),
        "credentials": _by_code(
            nullable(
                only(**{name: nullable(_credentials(p.default_credentials)) for name, p in providers.items()})
            )
        ),
        "settings": _by_code(
            nullable(only(**{name: nullable(_settings(p)) for name, p in providers.items()}))
        ),
    }


def _credentials(defaults: Mapping[str, Any]) -> Json:
    return only(**{name: nullable(_credential(default)) for name, default in defaults.items()})


def _credential(default: Any) -> Json:
    if isinstance(default, Mapping):
        return _credentials(default)
    text: Json = {"type": "string", "minLength": 1, "maxLength": 256}
    return text if isinstance(default, str) else {"anyOf": [text, {"type": "array", "items": text}]}


def _settings(provider: Provider) -> Json:
    return only(**{name: setting_schema(setting) for name, setting in provider.settings.settings.items()})
