"""JSON Schemas: read at start, deciding fast, explaining in full.

jsonschema-rs decides, jsonschema explains: one body costs the former well under a microsecond and
the latter about a hundred, so the latter runs (and is imported) only when the former refuses.
Neither refuses unknown keywords; the check at start does, and a broken schema stops the process.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

from voice_emulator.core.values import plain_value
from voice_emulator.core.words import nearest
from voice_emulator.errors import SchemaError
from voice_emulator.resources import data_path

log = logging.getLogger(__name__)

_SUBSCHEMA = frozenset(
    {"additionalProperties", "items", "if", "then", "else", "not", "propertyNames", "contains"}
)
_SUBSCHEMA_LISTS = frozenset({"oneOf", "anyOf", "allOf", "prefixItems"})
_SUBSCHEMA_MAPS = frozenset({"properties", "$defs"})
_PLAIN = frozenset(
    {
        "$schema", "$id", "$comment", "$ref", "title", "description", "type", "required", "minItems",
        "maxItems", "minLength", "maxLength", "pattern", "enum", "const", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "examples", "default", "minProperties", "maxProperties",
        "dependentRequired", "uniqueItems",
    }
)  # fmt: skip
#: Our own annotations: a value to hide, how certain a field is (below), and how its value is compared (fields.py).
SECRET = "x-secret"
KIND = "x-kind"
#: A number that was called, or several: a recording hides those of other people.
NUMBER = "x-number"
#: Violations of one instance that are explained: a document may break its schema in tens of thousands of places.
EXPLAINED = 200
#: Characters of a text that a message quotes before it is cut.
QUOTED = 1_000
PROVENANCE = "x-provenance"
#: What to say of a value that does not fit, where the keywords themselves say it badly.
MESSAGE = "x-message"
KEYWORDS = (
    _SUBSCHEMA | _SUBSCHEMA_LISTS | _SUBSCHEMA_MAPS | _PLAIN | {SECRET, KIND, NUMBER, PROVENANCE, MESSAGE}
)


@plain_value
class Violation:
    """One thing wrong with an instance.

    ``pointer`` is a JSON Pointer to the offending or missing member, ``keyword`` the schema keyword
    that refused it, ``value`` its value (None when missing).
    """

    pointer: str
    keyword: str
    message: str
    value: Any = None

    @property
    def field(self) -> str:
        """The first segment of the pointer: the name of the top-level field."""
        return self.pointer[1:].split("/", 1)[0].replace("~1", "/").replace("~0", "~")


class Schema:
    """One compiled schema."""

    def __init__(
        self, name: str, source: Mapping[str, Any] | Callable[[], Mapping[str, Any]], *, later: bool = False
    ) -> None:
        """Compile now, or with ``later`` at first use; a function as ``source`` reads the schema when it is needed.

        Raises SchemaError for an unknown keyword when it is read, and for an invalid schema when it compiles.
        """
        self.name = name
        self._source = source
        if not callable(source):
            _check_keywords(name, source)
        if not later:
            self.compile()

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The schema itself."""
        if not callable(self._source):
            return self._source
        document = self._source()
        _check_keywords(self.name, document)
        return document

    def compile(self) -> None:
        """Make the deciding validator now. Raises SchemaError for an invalid schema."""
        import jsonschema_rs  # 3 MB and 4 ms, which a process needs that judges something

        try:
            self._decide = jsonschema_rs.Draft202012Validator(dict(self.document))
        except (ValueError, jsonschema_rs.ValidationError) as error:
            raise SchemaError(f"schema {self.name} does not compile: {error}") from error

    @cached_property
    def _decide(self) -> Any:
        self.compile()
        return self.__dict__["_decide"]

    def accepts(self, instance: Any) -> bool:
        """Whether ``instance`` is valid; an instance that the validator cannot read is not."""
        try:
            return bool(self._decide.is_valid(instance))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            log.warning("schema %s could not judge an instance: %s", self.name, error)
            return False

    def violations(self, instance: Any) -> list[Violation]:
        """Every problem of ``instance``, outermost first; empty when it is valid."""
        if self.accepts(instance):
            return []
        found = list(self.explain(instance))
        if not found:
            log.warning("schema %s: refused, but the explaining validator finds nothing", self.name)
            found = [Violation("", "schema", "the request does not satisfy its schema")]
        return found

    def explain(self, instance: Any) -> Iterator[Violation]:
        """What the explaining validator finds, whatever the deciding one says."""
        try:
            found = islice(self._explainer.iter_errors(_readable(instance)), EXPLAINED)
            errors = sorted(found, key=lambda e: (len(e.absolute_path), str(e.path)))
        except (RecursionError, OverflowError, TypeError, ValueError):
            yield Violation("", "schema", "the request is nested or sized beyond what can be judged")
            return
        for error in errors:
            yield from _violations(error)

    @cached_property
    def _explainer(self) -> Any:
        from voice_emulator.schemas.explain import explainer

        return explainer(self.document)

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Names of the properties that the schema marks as secret."""
        return frozenset(_marked(self.document, SECRET))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Names of the properties that the schema marks as called numbers."""
        return frozenset(_marked(self.document, NUMBER))

    @property
    def examples(self) -> list[Any]:
        """The examples at the root, taken from the provider's documents."""
        found = self.document.get("examples", [])
        return list(found)


def _violations(error: Any) -> Iterator[Violation]:
    pointer = "".join("/" + _escape(part) for part in error.absolute_path)
    keyword = str(error.validator)
    if keyword == "required":
        present = error.instance if isinstance(error.instance, Mapping) else {}
        missing = [name for name in error.validator_value if name not in present]
        # jsonschema reports one error per missing name; its message names the one it is about.
        name = next((name for name in missing if error.message.startswith(repr(name))), "")
        yield Violation(f"{pointer}/{_escape(name)}", keyword, "is required and missing")
        return
    if keyword == "additionalProperties" and error.validator_value is False:
        known = error.schema.get("properties", {})
        for name in (name for name in error.instance if name not in known):
            message = f"unknown key{nearest(name[:100], known)}"
            yield Violation(f"{pointer}/{_escape(name)}", keyword, message, error.instance[name])
        return
    message = error.schema.get(MESSAGE) or _shorten(error.message)
    yield Violation(pointer, keyword, message, error.instance)


class _Long(str):
    """A text that messages quote the beginning of: a whole one may have megabytes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{str.__repr__(self[:QUOTED])}..."


def _readable(instance: Any) -> Any:
    """``instance`` with long texts quoted in part wherever a message repeats them."""
    if isinstance(instance, str):
        return _Long(instance) if len(instance) > QUOTED else instance
    if isinstance(instance, Mapping):
        return {name: _readable(value) for name, value in instance.items()}
    return [_readable(value) for value in instance] if isinstance(instance, list) else instance


def _shorten(message: str, limit: int = 300) -> str:
    return message if len(message) <= limit else f"{message[: limit // 2]} ... {message[-limit // 2 :]}"


def _escape(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _check_keywords(name: str, document: Mapping[str, Any]) -> None:
    for pointer, keyword in _unknown_keywords(document, ""):
        hint = nearest(keyword, KEYWORDS)
        raise SchemaError(f"schema {name} at {pointer or '/'}: unknown keyword {keyword!r}{hint}")


def _unknown_keywords(schema: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if not isinstance(schema, Mapping):
        return
    for keyword, value in schema.items():
        here = f"{pointer}/{_escape(keyword)}"
        if keyword not in KEYWORDS:
            yield pointer, keyword
        elif keyword in _SUBSCHEMA:
            yield from _unknown_keywords(value, here)
        elif keyword in _SUBSCHEMA_LISTS:
            for index, part in enumerate(value):
                yield from _unknown_keywords(part, f"{here}/{index}")
        elif keyword in _SUBSCHEMA_MAPS:
            for name, part in value.items():
                yield from _unknown_keywords(part, f"{here}/{_escape(name)}")


def _marked(schema: Any, mark: str) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    for keyword, value in schema.items():
        if keyword == "properties":
            for name, part in value.items():
                if isinstance(part, Mapping) and part.get(mark) is True:
                    yield name
                yield from _marked(part, mark)
        elif keyword in _SUBSCHEMA_LISTS:
            for part in value:
                yield from _marked(part, mark)
        elif keyword in _SUBSCHEMA or keyword == "$defs":
            for part in value.values() if keyword == "$defs" else (value,):
                yield from _marked(part, mark)


_NAME = re.compile(r"[A-Za-z0-9_]+/[A-Za-z0-9_]+\.(request|reply|receipt)")


class SchemaSet:
    """All schemas of the providers, by name: ``nxcloud/gpsend.request``."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = dict(schemas)

    def __iter__(self) -> Iterator[Schema]:
        return iter(self._schemas.values())

    def __contains__(self, name: str) -> bool:
        return name in self._schemas

    def get(self, name: str) -> Schema:
        """The schema called ``name``. Raises SchemaError with the nearest name."""
        found = self._schemas.get(name)
        if found is None:
            raise SchemaError(f"there is no schema {name!r}{nearest(name, self._schemas)}")
        return found

    @classmethod
    def load(cls, providers: Mapping[str, Any] | None = None) -> SchemaSet:
        """Read every schema under ``schemas/<provider>/`` (of the given providers, or of all).

        A provider whose attribute ``schemas`` names a folder brings its own.
        """
        root = data_path("schemas")
        if providers is None:
            folders = {path.name: path for path in root.iterdir() if path.is_dir()}
        else:
            folders = {
                name: getattr(provider, "schemas", None) or root / name
                for name, provider in providers.items()
            }
        return cls(
            {
                name: schema
                for provider, folder in sorted(folders.items())
                for name, schema in (
                    _shipped(folder, provider) if folder.parent == root else load_folder(folder, provider)
                )
            }
        )


@cache
def _shipped(folder: Path, provider: str) -> tuple[tuple[str, Schema], ...]:
    """The schemas of a shipped folder: read once by a process, which may start an emulator for each of its tests."""
    return tuple(load_folder(folder, provider, later=True))


def load_folder(
    folder: Path, provider: str | None = None, *, later: bool = False
) -> Iterator[tuple[str, Schema]]:
    """The schemas of one provider's folder, as (name, schema); the folder's name is the provider's, by default.

    With ``later`` they are read and compiled at first use. That is for the shipped ones, which the tests compile: most
    are never used, and all of them are a fifth of the time and an eighth of the memory of a start.

    Raises SchemaError for a missing folder, and for a file that is not a schema or has a wrong name.
    """
    if not folder.is_dir():
        raise SchemaError(f"provider {provider or folder.name!r} has no folder of schemas: {folder}")
    for file in sorted(folder.iterdir(), key=lambda path: path.name):
        if not file.name.endswith(".json"):
            continue
        name = f"{provider or folder.name}/{file.name.removesuffix('.json')}"
        if not _NAME.fullmatch(name):
            raise SchemaError(
                f"{name}: a schema is called <operation>.request.json, .reply.json or .receipt.json"
            )
        yield name, Schema(name, partial(_read, name, file), later=later)


def _read(name: str, file: Path) -> Mapping[str, Any]:
    try:
        document: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SchemaError(f"schema {name} is not JSON: {error}") from error
    return document
