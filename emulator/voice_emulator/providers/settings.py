"""Account settings: declared once, read strictly, documented from the declaration."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from decimal import Decimal
from typing import Any, Literal

from voice_emulator.core.billing import Tariff
from voice_emulator.core.integers import LARGEST, up_to
from voice_emulator.core.values import plain_value
from voice_emulator.core.words import nearest

Provenance = Literal["documented", "inferred", "choice"]
Kind = Literal[
    "boolean", "integer", "decimal", "text", "digits", "choice", "texts", "mapping", "words", "entries", "tariff", "tariffs"
]  # fmt: skip


@plain_value
class Setting:
    """One setting of a provider's account.

    ``default`` is a JSON value; ``choices`` are the words of a ``choice``, and of ``texts`` and ``words`` (a mapping to
    texts) where these have any. ``minimum`` and ``maximum`` bound integers and decimals. A ``text`` with a
    ``pattern`` must match it as a whole; ``form`` says so in words. ``members`` are the keys of each of the
    ``entries``, each with its words, or () for any text. ``optional`` admits null. ``check`` raises ValueError for a
    value of the right type that still will not do; the schema does not know it.
    """

    name: str
    kind: Kind
    default: Any
    description: str
    provenance: Provenance = "choice"
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    pattern: str = ""
    form: str = ""
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional: bool = False
    source: str = ""
    check: Callable[[Any], None] | None = None

    def read(self, value: Any) -> Any:
        """``value`` as the provider's code uses it. Raises ValueError with the reason."""
        if value is None:
            if self.optional:
                return None
            raise ValueError("must not be null")
        parsed = _READERS[self.kind](value)
        if self.kind == "choice":
            _one_of("", parsed, self.choices)
        elif self.kind == "texts" and self.choices:
            for item in parsed:
                _one_of("", item, self.choices)
        elif self.kind == "words":
            for name, word in parsed.items():
                _one_of(f"{name}: ", word, self.choices)
        elif self.kind == "entries":
            self._check_entries(parsed)
        if self.pattern and not (isinstance(value, str) and re.fullmatch(self.pattern, value)):
            # Without the value, which may be a secret.
            raise ValueError(f"must be {self.form}")
        if self.minimum is not None and parsed < self.minimum:
            raise ValueError(f"must be at least {self.minimum}, not {parsed}")
        if self.maximum is not None and parsed > self.maximum:
            raise ValueError(f"must be at most {self.maximum}, not {parsed}")
        if self.check is not None:
            self.check(parsed)
        return parsed

    def _check_entries(self, entries: Mapping[str, Any]) -> None:
        for key, entry in entries.items():
            if not isinstance(entry, Mapping):
                raise ValueError(f"{key}: must be a mapping of {', '.join(self.members)}")
            for name, value in entry.items():
                if name not in self.members:
                    raise ValueError(f"{key}: unknown key {name!r}{nearest(str(name), self.members)}")
                _one_of(f"{key}: {name}: ", value, self.members[name])


def _one_of(where: str, value: Any, words: Collection[str]) -> None:
    """One of ``words``, or any text where there are none."""
    if words and _text(value) not in words:
        raise ValueError(f"{where}{value!r} is not one of {', '.join(words)}{nearest(str(value), words)}")
    if not words and not isinstance(value, str):
        raise ValueError(f"{where}must be text, not {value!r}")


class SettingTable:
    """The settings of one provider."""

    def __init__(self, *settings: Setting) -> None:
        """Hold the declarations; every default must read."""
        self.settings = {setting.name: setting for setting in settings}
        for setting in settings:
            setting.read(setting.default)

    def defaults(self) -> dict[str, Any]:
        """Every setting's default, as JSON values."""
        return {name: setting.default for name, setting in self.settings.items()}

    def read(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """All settings as values for use. Raises ValueError naming the setting and what is wrong."""
        parsed: dict[str, Any] = {}
        for name, value in raw.items():
            setting = self.settings.get(name)
            if setting is None:
                raise ValueError(f"unknown setting {name!r}{nearest(name, self.settings)}")
            try:
                parsed[name] = setting.read(value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return parsed


#: Scenario files give every value as text; these are the texts that are read.
TRUE_WORDS = ("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON")
FALSE_WORDS = ("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF")
INTEGER_TEXT = "-?[0-9]{1,19}"
DECIMAL_TEXT = "-?[0-9]{1,15}([.][0-9]{1,15})?"


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in TRUE_WORDS or value in FALSE_WORDS:
        return value in TRUE_WORDS
    raise ValueError(f"must be true or false, not {value!r}")


def _integer(value: Any) -> int:
    # To JSON, 1.0 is an integer.
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    if not whole and not (isinstance(value, str) and re.fullmatch(INTEGER_TEXT, value)):
        raise ValueError(f"must be a whole number, not {value!r}")
    number = int(value)
    if number > LARGEST:
        # Many are sent in replies and receipts.
        raise ValueError(f"must be at most {LARGEST}, not {value!r}")
    return number


def _decimal(value: Any) -> Decimal:
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not number and not (isinstance(value, str) and re.fullmatch(DECIMAL_TEXT, value)):
        raise ValueError(f"must be a decimal number, not {value!r}")
    if not Decimal(str(value)).is_finite():
        raise ValueError(f"must be finite, not {value!r}")
    return Decimal(str(value))


def _text(value: Any) -> str:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(int(value) if isinstance(value, float) and value.is_integer() else value)
    raise ValueError(f"must be text, not {value!r}")


def _digits(value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(f"(?=[0-9]{{1,10}}$){up_to(LARGEST)}", text):
        raise ValueError(f"must be digits, at most {LARGEST}, not {value!r}")
    return text


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (list, tuple)):
        return tuple(_text(item) for item in value)
    raise ValueError(f"must be a list of texts, not {value!r}")


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {str(name): item for name, item in value.items()}
    raise ValueError(f"must be a mapping, not {value!r}")


def _tariff(value: Any) -> Tariff:
    fields = _mapping(value)
    unknown = next((name for name in fields if name not in ("cycle", "price", "basic_price")), None)
    if unknown is not None:
        raise ValueError(f"unknown key {unknown!r}{nearest(unknown, ('cycle', 'price', 'basic_price'))}")
    return Tariff(
        cycle=_integer(fields.get("cycle", 60)),
        price=_decimal(fields.get("price", "0")),
        basic_price=_decimal(fields.get("basic_price", "0")),
    )


def _tariffs(value: Any) -> dict[str, Tariff]:
    return {name: _tariff(item) for name, item in _mapping(value).items()}


_READERS: dict[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "text": _text,
    "digits": _digits,
    "choice": _text,
    "texts": _texts,
    "mapping": _mapping,
    "words": _mapping,
    "entries": _mapping,
    "tariff": _tariff,
    "tariffs": _tariffs,
}
