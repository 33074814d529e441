"""What a push carries, as a receiver reads it: its fields, and which kind of receipt it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from voice_emulator.providers.provider import Provider, ReceiptKind
from voice_emulator.scenarios.catalogue import property_names
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.form_data import UnreadableForm, parts_of

#: How much of the fields there are, and of those it requires, a kind of receipt must know to be taken for it.
LIKENESS = 0.5


class Guesser:
    """Tells by a push's fields which kind of receipt it is, whatever provider there is."""

    def __init__(self, providers: Mapping[str, Provider], schemas: SchemaSet) -> None:
        self._kinds = [
            (
                provider.id,
                kind,
                property_names(schema.document),
                frozenset(schema.document.get("required", ())),
                schema,
            )
            for provider in providers.values()
            for kind in provider.receipts.values()
            for schema in (schemas.get(kind.schema),)
        ]

    def guess(self, fields: Mapping[str, Any]) -> tuple[str, ReceiptKind] | None:
        """Provider id and kind of the receipt most like ``fields``, or None when none comes near."""
        given = set(fields)
        best: tuple[float, bool] = (LIKENESS, False)
        found = None
        for provider, kind, known, required, schema in self._kinds:
            every = given | required
            likeness = (len(given & known) / len(every) if every else 0.0, schema.accepts(dict(fields)))
            if likeness > best:
                best, found = likeness, (provider, kind)
        return found


def decode(query: str, content_type: str, body: bytes) -> dict[str, Any]:
    """The fields of a push: those of the query, and over them those of a form or of a JSON object.

    A single field that holds a JSON object is opened, since that is how some records travel.
    """
    fields: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
    text = body.decode("utf-8", "replace")
    opened = _opened(text)
    if opened is not None:
        return fields | opened
    if content_type.lower().startswith("multipart/form-data"):
        fields |= _multipart(content_type, body)
    elif "=" in text:
        fields |= dict(parse_qsl(text, keep_blank_values=True))
    if len(fields) == 1:
        return _opened(str(next(iter(fields.values())))) or fields
    return fields


def in_array(body: bytes) -> tuple[dict[str, Any], ...]:
    """The receipts of a body that is a JSON array of objects; none in any other body."""
    try:
        found = json.loads(body) if body.lstrip()[:1] == b"[" else None
    except (ValueError, RecursionError):
        return ()
    whole = isinstance(found, list) and all(isinstance(each, dict) for each in found)
    return tuple(found) if whole and found else ()


def _opened(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    with suppress(UnreadableForm):  # what could be read is shown
        for part in parts_of(content_type, body):
            fields[part.name or ""] = part.content.decode("utf-8", "replace")
    return fields
