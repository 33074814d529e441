"""An account setting as a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping

from voice_emulator.providers.settings import Setting
from voice_emulator.schemas.shorthand import Json, nullable, only

#: Scenario files give every value as text, so a setting takes its text form too.
_WHOLE: Json = {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,19}$"}
_NUMBER: Json = {"type": ["number", "string"], "pattern": "^-?[0-9]{1,15}([.][0-9]{1,15})?$"}
_WORDS: Json = {"type": ["string", "number"]}
_TARIFF: Json = only(cycle=_WHOLE, price=_NUMBER, basic_price=_NUMBER)
_KINDS: Mapping[str, Json] = {
    "boolean": {"enum": [True, False, "true", "false", "yes", "no", "on", "off"]},
    "integer": _WHOLE,
    "decimal": _NUMBER,
    "text": _WORDS,
    "choice": {},
    "texts": {"type": ["array", "string"], "items": _WORDS},
    "mapping": {"type": "object", "additionalProperties": True},
    "tariff": _TARIFF,
    "tariffs": {"type": "object", "additionalProperties": _TARIFF},
}


def choice_values(setting: Setting) -> list[str | int | bool]:
    """The words of a ``choice`` in each form that YAML may read them as: ``403`` is a number, ``on`` is true."""
    numeric = [int(word) for word in setting.choices if word.isdigit() and str(int(word)) == word]
    truths = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    return [*setting.choices, *numeric, *{truths[word] for word in setting.choices if word in truths}]


def setting_schema(setting: Setting) -> Json:
    """One account setting as a schema; null resets it to the scenario's value or the default."""
    schema = dict(_KINDS[setting.kind])
    if setting.choices:
        numeric = [int(word) for word in setting.choices if word.isdigit() and str(int(word)) == word]
        schema["enum"] = [*setting.choices, *numeric]
    if setting.minimum is not None and setting.kind == "integer":
        schema["minimum"] = setting.minimum
    described = nullable(schema)
    return {
        **described,
        "description": setting.description,
        "default": setting.default,
        "x-provenance": setting.provenance,
        **({"x-source": setting.source} if setting.source else {}),
    }
