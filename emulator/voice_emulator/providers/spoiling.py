"""Changes the fields of a receipt as a scenario's ``receipt`` effect says, before encoding and signing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voice_emulator.core.scenario import ReceiptEffect

#: A value no enumeration of any provider has.
UNKNOWN_VALUE = "SOMETHING_NEW"
BAD_DATE = "0000-13-32 25:61:61"
OVERSIZE = 100_000


def spoil(
    fields: dict[str, Any], effect: ReceiptEffect, corruptible: Mapping[str, str], copy: int = 0
) -> dict[str, Any]:
    """``fields`` with ``set``, ``repeat_set``, ``add``, ``drop`` and ``corrupt`` of ``effect`` applied, in this order.

    ``copy`` counts from 0; ``repeat_set`` skips copy 0. Fields that the receipt does not
    have are ignored but by ``add``, which puts them last: a rule may apply to several providers.
    """
    repeated = effect.repeat_set if copy else ()
    if not (effect.set or repeated or effect.add or effect.drop or effect.corrupt):
        return fields
    spoilt = dict(fields)
    for name, text in (*effect.set, *repeated):
        if name in spoilt:
            spoilt[name] = _typed_like(spoilt[name], text)
    for name, text in effect.add:
        spoilt.setdefault(name, text)
    for name in effect.drop:
        spoilt.pop(name, None)
    if effect.corrupt is not None:
        field = corruptible.get(effect.corrupt)
        if field is not None and field in spoilt:
            spoilt[field] = _CORRUPTIONS[effect.corrupt](spoilt[field])
    return spoilt


def _typed_like(value: Any, text: str) -> Any:
    """``text`` as a JSON number if the value was one and ``text`` is one, else as text."""
    if isinstance(value, int) and not isinstance(value, bool) and text.lstrip("-").isdigit():
        return int(text)
    if isinstance(value, float):
        try:
            return float(text)
        except ValueError:
            return text
    return text


def _wrong_type(value: Any) -> Any:
    if isinstance(value, str):
        return "not-a-number" if value.lstrip("-").replace(".", "", 1).isdigit() else {"unexpected": "object"}
    return str(value) + " units"


def _wrong_id(value: Any) -> Any:
    turned = str(value).translate(str.maketrans("0123456789abcdef", "1234567809bcdefa"))
    return int(turned) if isinstance(value, int) else turned


_CORRUPTIONS: dict[str, Callable[[Any], Any]] = {
    "unknown_enum": lambda value: UNKNOWN_VALUE if isinstance(value, str) else 99_999,
    "wrong_type": _wrong_type,
    "oversize": lambda value: "9" * OVERSIZE if str(value).isdigit() else "x" * OVERSIZE,
    "empty": lambda value: "" if isinstance(value, str) else None,
    "bad_date": lambda value: BAD_DATE,
    "negative": lambda value: "-1" if isinstance(value, str) else -1,
    "wrong_id": _wrong_id,
    "overcharge": lambda value: str(int(value) + 1) if isinstance(value, str) else value + 1,
}
