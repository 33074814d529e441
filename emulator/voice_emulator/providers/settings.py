"""Account settings: declared once, read strictly, documented from the declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from voice_emulator.core.billing import Tariff
from voice_emulator.core.integers import LARGEST
from voice_emulator.core.words import nearest

Provenance = Literal["documented", "inferred", "choice"]
Kind = Literal["boolean", "integer", "decimal", "text", "choice", "texts", "mapping", "tariff", "tariffs"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a provider's account.

    ``default`` is a JSON value; ``choices`` the allowed words of a ``choice``; ``minimum`` bounds
    integers and decimals from below; ``optional`` admits null; ``check`` raises ValueError for a
    value of the right type that still will not do.
    """

    name: str
    kind: Kind
    default: Any
    description: str
    provenance: Provenance = "choice"
    choices: tuple[str, ...] = ()
    minimum: int | None = None
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
        if self.kind == "choice" and parsed not in self.choices:
            raise ValueError(
                f"{parsed!r} is not one of {', '.join(self.choices)}{nearest(parsed, self.choices)}"
            )
        if self.minimum is not None and parsed < self.minimum:
            raise ValueError(f"must be at least {self.minimum}, not {parsed}")
        if self.check is not None:
            self.check(parsed)
        return parsed


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


def _boolean(value: Any) -> bool:
    # Scenario files give every value as text.
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "yes", "on", "false", "no", "off"):
        return value.lower() in ("true", "yes", "on")
    raise ValueError(f"must be true or false, not {value!r}")


def _integer(value: Any) -> int:
    number = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif (
        isinstance(value, str)
        and value.lstrip("-").isascii()
        and value.lstrip("-").isdigit()
        and len(value) < 20
    ):
        number = int(value)
    if number is None:
        raise ValueError(f"must be a whole number, not {value!r}")
    if number > LARGEST:
        # Many are sent in replies and receipts.
        raise ValueError(f"must be at most {LARGEST}, not {value!r}")
    return number


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise ValueError(f"must be a decimal number, not {value!r}")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"must be a decimal number, not {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"must be finite, not {value!r}")
    return number


def _text(value: Any) -> str:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"must be text, not {value!r}")


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
    "choice": _text,
    "texts": _texts,
    "mapping": _mapping,
    "tariff": _tariff,
    "tariffs": _tariffs,
}
