"""An account setting as a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping

from voice_emulator.core.integers import LARGEST, up_to
from voice_emulator.core.json_schema import Json, nullable, only
from voice_emulator.providers.settings import DECIMAL_TEXT, FALSE_WORDS, INTEGER_TEXT, TRUE_WORDS, Setting


def _integer(minimum: int | None = None) -> Json:
    """A whole number, or its text; ``minimum`` is None, 0 or 1."""
    digits = rf"(?=[0-9]{{1,19}}$){up_to(LARGEST)}"
    patterns = {None: f"^({INTEGER_TEXT.replace('-?', '-')}|{digits})$", 0: f"^(-0+|{digits})$"}
    schema: Json = {
        "type": ["integer", "string"], "maximum": LARGEST, "pattern": patterns.get(minimum, f"^(?!0+$){digits}$")
    }  # fmt: skip
    return schema if minimum is None else {**schema, "minimum": minimum}


_NUMBER: Json = {"type": ["number", "string"], "pattern": f"^{DECIMAL_TEXT}$"}
_PRICE: Json = {**_NUMBER, "pattern": f"^(?!-0*[.]?0*[1-9]){DECIMAL_TEXT}$", "minimum": 0}
_WORDS: Json = {"type": ["string", "number"]}
_TARIFF: Json = only(cycle=_integer(1), price=_PRICE, basic_price=_PRICE)
_KINDS: Mapping[str, Json] = {
    "boolean": {"enum": [True, False, *TRUE_WORDS, *FALSE_WORDS]},
    "integer": {},
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
    schema = _integer(setting.minimum) if setting.kind == "integer" else dict(_KINDS[setting.kind])
    if setting.kind == "decimal" and setting.minimum == 0:
        schema = dict(_PRICE)
    if setting.choices:
        numeric = [int(word) for word in setting.choices if word.isdigit() and str(int(word)) == word]
        schema["enum"] = [*setting.choices, *numeric]
    described = nullable(schema)
    return {
        **described,
        "description": setting.description,
        "default": setting.default,
        "x-provenance": setting.provenance,
        **({"x-source": setting.source} if setting.source else {}),
    }
