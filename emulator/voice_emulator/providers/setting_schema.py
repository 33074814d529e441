"""An account setting as a JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from voice_emulator.core.integers import LARGEST, up_to
from voice_emulator.core.json_schema import Json, nullable, only
from voice_emulator.providers.settings import DECIMAL_TEXT, FALSE_WORDS, TRUE_WORDS, Setting


def _integer(minimum: int | None, maximum: int | None) -> Json:
    """A whole number, or its text."""
    most = LARGEST if maximum is None else maximum
    digits = rf"(?=[0-9]{{1,19}}$){up_to(most)}"
    low = minimum if minimum is not None else -(10**19) + 1
    below = r"-(?=[0-9]{1,19}$)" + up_to(-low) if low < 0 else "-0{1,19}"
    pattern = f"^({below}|{digits})$" if low <= 0 else f"^(?!{up_to(low - 1) if low > 1 else '0+'}$){digits}$"
    bounds: Json = {"maximum": most} | ({} if minimum is None else {"minimum": minimum})
    return {"type": ["integer", "string"], "pattern": pattern, **bounds}


def _decimal(minimum: int | None, maximum: int | None) -> Json:
    """A decimal number, or its text. ``minimum`` is None, 0 or -``maximum``."""
    schema: Json = {"type": ["number", "string"], "pattern": f"^{DECIMAL_TEXT}$"}
    fraction, length = "([.][0-9]{1,15})?", "(?=-?[0-9]{1,15}([.]|$))"
    if maximum is not None:
        schema["pattern"] = f"^{length}-?{up_to(maximum, '([.]0{1,15})?', fraction)}$"
        schema["maximum"] = maximum
    elif minimum == 0:
        schema["pattern"] = f"^(?!-0*[.]?0*[1-9]){DECIMAL_TEXT}$"
    return schema if minimum is None else schema | {"minimum": minimum}


def _word(choices: Collection[str]) -> Json:
    """One of the words, in text or as a number, or any text where there are none."""
    return {"enum": [*choices, *_numeric(choices)]} if choices else {"type": "string"}


def _numeric(choices: Collection[str]) -> list[int]:
    return [int(word) for word in choices if word.isdigit() and str(int(word)) == word]


def _object(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}


_PRICE = _decimal(0, None)
_TEXT: Json = {"type": ["string", "number"]}
_TARIFF: Json = only(cycle=_integer(1, None), price=_PRICE, basic_price=_PRICE)
_KINDS: Mapping[str, Callable[[Setting], Json]] = {
    "boolean": lambda setting: {"enum": [True, False, *TRUE_WORDS, *FALSE_WORDS]},
    "integer": lambda setting: _integer(setting.minimum, setting.maximum),
    "decimal": lambda setting: _decimal(setting.minimum, setting.maximum),
    "text": lambda setting: {"type": "string", "pattern": f"^({setting.pattern})$"} if setting.pattern else _TEXT,
    "digits": lambda setting: {
        "type": ["string", "integer"], "pattern": f"^(?=[0-9]{{1,10}}$){up_to(LARGEST)}$", "minimum": 0, "maximum": LARGEST,
    },
    "choice": lambda setting: _word(setting.choices),
    "texts": lambda setting: {
        "type": ["array", "string"], "items": _word(setting.choices) if setting.choices else _TEXT,
        **({"pattern": f"^({'|'.join(setting.choices)})$"} if setting.choices else {}),
    },
    "mapping": lambda setting: {"type": "object", "additionalProperties": True},
    "words": lambda setting: _object(_word(setting.choices)),
    "entries": lambda setting: _object(only(**{name: _word(words) for name, words in setting.members.items()})),
    "tariff": lambda setting: _TARIFF,
    "tariffs": lambda setting: _object(_TARIFF),
}  # fmt: skip


def choice_values(setting: Setting) -> list[str | int | bool]:
    """The words of a ``choice`` in each form that YAML may read them as: ``403`` is a number, ``on`` is true."""
    truths = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    found = {truths[word] for word in setting.choices if word in truths}
    return [*setting.choices, *_numeric(setting.choices), *found]


def setting_schema(setting: Setting) -> Json:
    """One account setting as a schema; null resets it to the scenario's value or the default."""
    return {
        **nullable(_KINDS[setting.kind](setting)),
        "description": setting.description,
        "default": setting.default,
        "x-provenance": setting.provenance,
        **({"x-source": setting.source} if setting.source else {}),
    }
