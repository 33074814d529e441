"""Hiding secrets in what is shown: journal, page, HAR, logs.

A secret is known by its name (a field or header that a schema marks ``x-secret``) and, once
decoded, by its value, which is then hidden wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
#: Shorter values are not searched for: hiding every "1" would hide the message with the secret.
_SHORTEST = 4


class Masker:
    """Hides the values of secret names in text, mappings and header lists."""

    __slots__ = ("_names", "_patterns")

    def __init__(self, names: Iterable[str]) -> None:
        """Take the names, in any case, of fields and headers whose values are secret."""
        self._names = frozenset(name.lower() for name in names)
        self._patterns: tuple[re.Pattern[str], ...] = ()
        if self._names:
            either = "|".join(map(re.escape, sorted(self._names)))
            self._patterns = (
                # name=value of forms and query strings
                re.compile(rf"(?i)((?:^|[?&;\s])(?:{either})=)([^&\s]+)"),
                # "name": "value" of JSON, complete or cut off
                re.compile(rf'(?i)("(?:{either})"\s*:\s*")((?:[^"\\]|\\.)*)'),
                # a part of a multipart body
                re.compile(rf'(?i)(name="?(?:{either})"?[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n)([^\r\n]*)'),
            )

    def is_secret(self, name: str) -> bool:
        """Whether values under this name are hidden."""
        return name.lower() in self._names

    def text(self, text: str, values: Iterable[str] = ()) -> str:
        """``text`` without secrets: by name, then by the given values in plain and encoded form."""
        for pattern in self._patterns:
            text = pattern.sub(lambda found: found.group(1) + MASK, text)
        for value in values:
            if len(value) >= _SHORTEST:
                for form in {value, quote(value, safe=""), quote_plus(value)}:
                    text = text.replace(form, MASK)
        return text

    def mapping(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of ``fields`` with secret values hidden, however deep they lie."""
        return {name: MASK if self.is_secret(name) else self._hidden(value) for name, value in fields.items()}

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self.mapping(value)
        return [self._hidden(item) for item in value] if isinstance(value, list) else value

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[list[str]]:
        """Header pairs with secret values hidden; an Authorization header keeps its scheme."""
        shown = []
        for name, value in headers:
            if self.is_secret(name):
                scheme, space, _ = value.partition(" ")
                value = f"{scheme} {MASK}" if space and scheme.isalpha() else MASK
            shown.append([name, value])
        return shown

    def secret_values(self, fields: Mapping[str, Any]) -> list[str]:
        """The secret values among decoded fields, for :meth:`text`."""
        found = []
        for name, value in fields.items():
            if isinstance(value, str) and self.is_secret(name):
                found.append(value)
            elif isinstance(value, Mapping):
                found += self.secret_values(value)
        return found
