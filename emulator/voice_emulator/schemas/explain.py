"""The explaining validator: jsonschema, made to agree with the deciding one in its corners.

Imported only when something was refused: importing it costs more than most processes ever need.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """``pattern`` with ``$`` meaning the very end, as in ECMA 262; Python's also fits before a newline."""
    translated = []
    escaped = in_class = False
    for character in pattern:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "[":
            in_class = True
        elif character == "]":
            in_class = False
        elif character == "$" and not in_class:
            translated.append(r"\Z")
            continue
        translated.append(character)
    return re.compile("".join(translated))


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _compiled(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Explainer = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]  # untyped there


def explainer(document: Mapping[str, Any]) -> Any:
    """A validator whose ``iter_errors`` names every problem of an instance."""
    return _Explainer(dict(document))
