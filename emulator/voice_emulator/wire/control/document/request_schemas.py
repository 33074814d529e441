"""JSON Schemas of what the control API takes. One source for checking bodies and for the document.

The document is exact: it accepts what the server accepts. Where code words an error better than a schema does (the
nearest name, a hint), a part is marked, and code checks it instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import combinations
from typing import Any

from voice_emulator.core.clock import CLOCK_PATTERN, START_PATTERN, TIME_PATTERN
from voice_emulator.core.durations import UNITS, duration_schema
from voice_emulator.core.json_schema import COUNT, TEXT, Json, nullable, only
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import receiver_keys
from voice_emulator.providers.setting_schema import setting_schema
from voice_emulator.scenarios.documents import SEED_LIMIT
from voice_emulator.schemas.validate import MESSAGE, Schema

Providers = Mapping[str, Provider]

TENANT_ID = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
#: Longest single advance of a clock, in its microseconds: ten years.
LONGEST_ADVANCE = 87_600 * UNITS["h"]
#: Longest wait, in real microseconds.
LONGEST_WAIT = UNITS["h"]
#: The members of a verification of which one may be given.
COUNTS = ("exactly", "at_least", "at_most")

_BY_CODE = "x-checked-by-code"
_SCALAR: Json = {"type": ["string", "number", "boolean"]}
_PORT = r"(?:6553[0-5]|655[0-2]\d|65[0-4]\d{2}|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})?"
#: What :func:`voice_emulator.core.urls.url_problem` accepts, and the empty text. It also judges hosts by IDNA.
_URL: Json = {
    "type": ["string", "null"],
    "maxLength": 2_048,
    "pattern": rf"^(?:[Hh][Tt][Tt][Pp][Ss]?://(?:[^/?#@\x00-\x20]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]\x00-\x20]+)"
    rf"(?::{_PORT})?(?:[/?#][^\x00-\x20\x7f-\x9f\u2028\u2029]*)?)?$",
    _BY_CODE: ("pattern",),
    MESSAGE: "must be an http:// or https:// URL of at most 2048 characters",
}
_CREDENTIAL: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": 256,
    "pattern": r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$",
    MESSAGE: "must be a text of 1 to 256 printable characters",
}


def _by_code(schema: Json, *keywords: str) -> Json:
    """``schema``, of which code checks these keywords."""
    return {**schema, _BY_CODE: keywords}


#: Each keyword applies to values of its own type only.
_CLOCK: Json = {
    **only(
        mode=_by_code({"type": "string", "pattern": CLOCK_PATTERN}, "pattern"),
        start=_by_code({"type": "string", "format": "date-time", "pattern": START_PATTERN}, "pattern"),
    ),
    "type": ["string", "object", "null"], "pattern": CLOCK_PATTERN, "required": ["mode"],
    "not": {"type": "object", "properties": {"mode": {"const": "real"}}, "required": ["mode", "start"]},
    "description": "real, manual, a speed such as 60x or 0.5x, or {mode, start}.",
}  # fmt: skip


def _duration(longest: int, default: str) -> Json:
    schema: Json = {
        **duration_schema(longest),
        "type": ["string", "number", "null"], "minimum": 0, "maximum": longest // UNITS["s"],
        "description": "A duration such as 250ms, 5s, 2m or 1h, or a number of seconds.", "default": default,
    }  # fmt: skip
    return _by_code(schema, "maxLength", "pattern", "minimum", "maximum")


def documents(providers: Providers) -> dict[str, Json]:
    """The schema of each route's body, by route name, as documented."""
    account = _account(providers)
    operations = sorted({name for provider in providers.values() for name in provider.operations})
    return {
        "create_tenant": {
            **only(
            id=nullable({"type": "string", "pattern": TENANT_ID}),
            scenario=nullable({"type": "string", "minLength": 1,
            "description": "Name of a shipped scenario."}),
            scenario_yaml=nullable({"type": "string", "minLength": 1, "description": "A whole scenario."}),
            clock=_by_code(_CLOCK, "pattern", "not"), **account,
            ),
            "allOf": [_by_code({"anyOf": [
                {"properties": {"scenario": {"type": "null"}}}, {"properties": {"scenario_yaml": {"type": "null"}}},
            ]}, "anyOf")],
        },
        "change_tenant": only(**account),
        "load_scenario": _by_code({
            "type": "object",
            "description": "The name of a shipped scenario, or a whole scenario (scenario.schema.json).",
            "properties": {"name": {"type": "string", "minLength": 1}},
            "required": ["name"],
        }, "properties", "required"),
        "put_mutant": {
            **only(
                name=nullable({**TEXT, "minLength": 1, "description": "A mutant, null for none."}),
                provider=nullable({"type": "string", "enum": list(providers)}),
            ),
            "required": ["name"],
        },
        "advance": {
            **only(
                seconds={"type": "number", "minimum": 0, "maximum": LONGEST_ADVANCE // UNITS["s"]},
                to=_by_code({
                    "type": "string",
                    "anyOf": [{"enum": ["next", "idle"]}, {"format": "date-time", "pattern": TIME_PATTERN}],
                    "description": "next, idle, or an instant such as 2026-01-05T09:00:00+08:00.",
                }, "anyOf"),
                at_most=_duration(LONGEST_ADVANCE, "24h"),
                wall_limit=_duration(LONGEST_WAIT, "30s"),
            ),
            "oneOf": [{"required": ["seconds"]}, {"required": ["to"]}],
            "allOf": [_by_code({"anyOf": [
                {"properties": {"at_most": False}}, {"properties": {"to": {"const": "idle"}}, "required": ["to"]},
            ]}, "anyOf")],
        },
        "place": {
            **only(
                provider={"type": "string", "enum": list(providers)},
                operation={**TEXT, "minLength": 1, "description": "Without one: the provider's first."},
                number={**TEXT, "maxLength": 200},
                fields={"type": "object", "additionalProperties": True, "description": "Over the example's."},
            ),
            "required": ["provider", "number"],
            "allOf": [_by_code({"anyOf": [
                {"properties": {"provider": {"const": name}, "operation": {"enum": [
                    operation.name for operation in provider.operations.values() if operation.places_calls
                ]}}}
                for name, provider in providers.items()
            ]}, "anyOf")],
        },
        "verify": {
            **only(
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
            **dict.fromkeys(COUNTS, COUNT), within=_duration(LONGEST_WAIT, "0s"),
            ),
            "allOf": [_by_code({"not": {"required": list(pair)}}, "not") for pair in combinations(COUNTS, 2)],
        },
    }  # fmt: skip


def schemas(providers: Providers) -> Mapping[str, Schema]:
    """The same for checking, each compiled when it is first needed."""
    return _schemas(tuple(providers.values()))


@lru_cache(maxsize=8)
def _schemas(providers: tuple[Provider, ...]) -> Mapping[str, Schema]:
    """Made once by a process, which may start an emulator for each of its tests."""
    found = documents({provider.id: provider for provider in providers})
    return {
        name: Schema(f"control/{name}.request", _checked(document), later=True)
        for name, document in found.items()
    }


def plain(document: Any) -> Any:
    """A documented schema without our marks."""
    if isinstance(document, Mapping):
        return {key: plain(value) for key, value in document.items() if key not in (_BY_CODE, MESSAGE)}
    return [plain(item) for item in document] if isinstance(document, list) else document


def _checked(document: Any) -> Any:
    if isinstance(document, Mapping):
        skipped = {"format", _BY_CODE, *document.get(_BY_CODE, ())}
        return {key: _checked(value) for key, value in document.items() if key not in skipped}
    return [_checked(item) for item in document] if isinstance(document, list) else document


def _account(providers: Providers) -> dict[str, Json]:
    """What both POST and PATCH of a tenant take."""
    return {
        "seed": nullable({"type": "integer", "minimum": -SEED_LIMIT, "maximum": SEED_LIMIT}),
        "callback_urls": _named("CallbackUrls", only(**dict.fromkeys(receiver_keys(providers), _URL))),
        "credentials": _by_provider(
            "Credentials", {name: _credentials(p.default_credentials, p) for name, p in providers.items()}
        ),
        "settings": _by_provider("Settings", {name: _settings(p) for name, p in providers.items()}),
    }


def _by_provider(title: str, members: Mapping[str, Json]) -> Json:
    each = {name: _named(f"{_pascal(name)}{title}", schema) for name, schema in members.items()}
    return _named(title, only(**each))


def _named(title: str, schema: Json) -> Json:
    """``schema`` or null, under the name that its type has in generated clients."""
    return {**nullable(schema), "title": title}


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _credentials(defaults: Mapping[str, Any], provider: Provider) -> Json:
    return only(
        **{name: nullable(_credential(name, default, provider)) for name, default in defaults.items()}
    )


def _credential(name: str, default: Any, provider: Provider) -> Json:
    """A credential; one without a default overrides the setting of its name, and must be what that must be."""
    if isinstance(default, Mapping):
        return _credentials(default, provider)
    setting = provider.settings.settings.get(name) if default is None else None
    if setting is None:
        return _CREDENTIAL
    if setting.kind == "texts":
        return {**_CREDENTIAL, "type": ["string", "array"], "items": _CREDENTIAL}
    more = {"allOf": [_by_code({"pattern": f"^({setting.pattern})$"}, "pattern")]} if setting.pattern else {}
    return {**_CREDENTIAL, **more}


def _settings(provider: Provider) -> Json:
    return only(**{
        name: _by_code(schema, *schema)
        for name, schema in ((name, setting_schema(one)) for name, one in provider.settings.settings.items())
    })  # fmt: skip
