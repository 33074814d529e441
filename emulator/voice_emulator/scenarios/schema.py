"""The JSON Schema of scenario files: a hand-written part, filled in from the providers and the section readers.

``schemas/scenario.part.json`` is the hand-written part. In it an object with ``properties`` admits no others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from voice_emulator.core.clock import SPEED_PATTERN
from voice_emulator.core.faults import FAULTS, HttpStatus, SlowBody
from voice_emulator.core.integers import LARGEST
from voice_emulator.core.json_schema import Json, only
from voice_emulator.core.scenario import CORRUPTIONS, RETRIES
from voice_emulator.core.vocabulary import CONNECTED, MAY_RING, Outcome
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.setting_schema import choice_values
from voice_emulator.providers.settings import Setting
from voice_emulator.resources import data_path
from voice_emulator.scenarios import call_section, diagnostics, match_section, receipt_section, reply_section
from voice_emulator.scenarios.catalogue import url_settings
from voice_emulator.scenarios.documents import SEED_LIMIT

#: ``${NAME}`` may stand in every value.
_REFERENCE = r"|\$\{"


def scenario_schema(providers: Mapping[str, Provider]) -> Json:
    """The schema of a scenario that may name these providers."""
    document: Json = json.loads(data_path("schemas", "scenario.part.json").read_text(encoding="utf-8"))
    _close(document)
    document["properties"]["providers"] |= only(
        **{name: _account(provider) for name, provider in providers.items()}
    )
    definitions = document["$defs"]
    definitions |= _values(providers) | {"fault": _fault()}
    for name in ("provider", "operation", "number_glob", "count", "text", "value"):
        definitions[f"one_or_more_{name}"] = _one_or_more(_ref(name))
    definitions["choice"]["allOf"] = list(_call_conflicts())
    definitions["receipt"]["allOf"] = list(_receipt_conflicts())
    return document


def _values(providers: Mapping[str, Provider]) -> Json:
    """The definitions of single values."""
    operations = [name for provider in providers.values() for name in provider.operations]
    own_retries = [name for provider in providers.values() for name in provider.retries]
    yes, no = _any_case(diagnostics.TRUE), _any_case(diagnostics.FALSE)
    return {
        "reference": {"description": "A value from the environment.", "type": "string", "pattern": r"\$\{"},
        "integer": _whole(-SEED_LIMIT, SEED_LIMIT),
        "count": _whole(1, match_section.COUNT_LIMIT),
        "copies": _whole(1, receipt_section.COPIES_LIMIT),
        "hold": _whole(1, receipt_section.HOLD_LIMIT),
        "attempts": _whole(1, receipt_section.ATTEMPTS_LIMIT),
        "status": _whole(*reply_section.STATUS_RANGE),
        "piece_size": _whole(1, reply_section.PIECE_LIMIT),
        "boolean": {"anyOf": [{"type": "boolean"}, _text(f"^({yes}|{no})$")]},
        "yes": {"anyOf": [{"const": True}, _text(f"^({yes})$")]},
        "clock_mode": {"anyOf": [{"enum": ["real", "manual"]}, _text(f"^{SPEED_PATTERN}$")]},
        "provider": _word(providers),
        "operation": _word(dict.fromkeys(operations)),
        "outcome": _word(call_section.OUTCOMES),
        "party": _word(call_section.PARTIES),
        "corruption": _word(CORRUPTIONS),
        "retry_schedule": _word(dict.fromkeys([*RETRIES, *own_retries])),
        "encoding": _word(receipt_section.ENCODINGS),
    }


def _account(provider: Provider) -> Json:
    settings = {name: _setting(setting) for name, setting in provider.settings.settings.items()}
    urls = {name: {**_ref("url"), "description": "URL of a receiver."} for name in url_settings(provider)}
    credentials = _credentials(provider.default_credentials)
    credentials["description"] = "Keys of the account, instead of the documented ones."
    account = only(**urls, credentials=credentials, **settings)
    return {"description": provider.title, "anyOf": [account, {"type": "null"}]}


def _credentials(default: Mapping[str, Any]) -> Json:
    members: Json = {}
    for name, value in default.items():
        if isinstance(value, Mapping):
            members[name] = _credentials(value)
        else:
            optional = {"anyOf": [_ref("text"), {"type": "null"}, {"type": "array", "items": _ref("text")}]}
            members[name] = _ref("text") if isinstance(value, str) else optional
    return only(**members)


def _setting(setting: Setting) -> Json:
    word = _word(setting.choices) if setting.choices else _ref("text")
    kinds: dict[str, Json] = {
        "boolean": _ref("boolean"),
        "integer": _ref("integer"),
        "decimal": _ref("number"),
        "text": _text(f"^({setting.pattern})$") if setting.pattern else _ref("text"),
        "digits": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": LARGEST}, _text("^[0-9]{1,10}$")]},
        "choice": {"anyOf": [{"enum": choice_values(setting)}, _ref("reference")]},
        "texts": {"anyOf": [word, {"type": "array", "items": word}]},
        "mapping": {"type": "object"},
        "words": {"type": "object", "additionalProperties": word},
        "entries": {
            "type": "object",
            "additionalProperties": only(**dict.fromkeys(setting.members, _ref("text"))),
        },
        "tariff": _ref("tariff"),
        "tariffs": {"type": "object", "additionalProperties": _ref("tariff")},
    }
    schema = kinds[setting.kind]
    for name, bound in (("minimum", setting.minimum), ("maximum", setting.maximum)):
        if bound is not None:
            schema[name] = bound
    if setting.optional:
        schema = {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "description": setting.description, "default": setting.default}


def _fault() -> Json:
    own = {HttpStatus.name: "status", SlowBody.name: "slow_body"}
    members: Json = {
        "latency": {**_ref("span"), "description": "Wall-clock wait before the reply."},
        **{
            name: {**_ref(own.get(name, "yes")), "description": kind.__doc__} for name, kind in FAULTS.items()
        },
        "placed": {"anyOf": [_ref("placed"), {"enum": [reply_section.PART]}]},
    }
    # One fault at most, which latency may go with; of placed, only "part" is something by itself.
    kinds = [{"required": [name], "properties": _none_of(set(FAULTS) - {name})} for name in FAULTS]
    alone: list[Json] = [
        {"required": ["latency"], "properties": _none_of(FAULTS)},
        {
            "required": ["placed"],
            "properties": {"placed": {"enum": [reply_section.PART]}, **_none_of(FAULTS)},
        },
    ]
    words = [name for name in FAULTS if name != HttpStatus.name]
    return {
        "description": "What the client feels.",
        "anyOf": [{"enum": words}, _ref("reference"), {**only(**members), "anyOf": [*alone, *kinds]}],
    }


def _call_conflicts() -> Iterable[Json]:
    yield _when("outcome", [each for each in Outcome if each not in CONNECTED], ("talk", "hangup", "keys"))
    yield _when("outcome", [each for each in Outcome if each not in MAY_RING], ("ring",))
    yield _when("outcome", [Outcome.TIME_LIMIT], ("hangup",))


def _receipt_conflicts() -> Iterable[Json]:
    lost = set(receipt_section.KEYS) - receipt_section.BESIDE_LOST
    for first, second in [("lost", each) for each in sorted(lost)] + [
        (first, second) for first, second, _ in receipt_section.CONFLICTS
    ]:
        yield _when(first, None, (second,))


def _when(name: str, values: Iterable[str] | None, excluded: Iterable[str]) -> Json:
    """If ``name`` is one of ``values`` (None: is true), the members ``excluded`` are not allowed."""
    wanted: Json = _ref("yes") if values is None else {"enum": [str(value) for value in values]}
    return {
        "if": {"properties": {name: wanted}, "required": [name]},
        "then": {"properties": _none_of(excluded)},
    }


def _none_of(names: Iterable[str]) -> Json:
    return dict.fromkeys(sorted(names), False)


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def _text(pattern: str) -> Json:
    return {"type": "string", "pattern": pattern + _REFERENCE}


def _word(words: Iterable[str]) -> Json:
    return {"anyOf": [{"enum": list(words)}, _ref("reference")]}


def _whole(low: int, high: int) -> Json:
    return {"anyOf": [{"type": "integer", "minimum": low, "maximum": high}, _text("^[+-]?[0-9]{1,18}$")]}


def _one_or_more(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "array", "minItems": 1, "items": schema}]}


def _any_case(words: Iterable[str]) -> str:
    return "|".join("".join(f"[{letter.upper()}{letter}]" for letter in word) for word in sorted(words))


def _close(schema: Any) -> None:
    """Make each object in ``schema`` that declares its members refuse all others."""
    if isinstance(schema, dict):
        members = schema.get("properties")
        # Members that are all false are a condition on an object that is declared elsewhere.
        if isinstance(members, dict) and any(members.values()):
            schema |= {"type": "object", "additionalProperties": False}
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _close(part)
