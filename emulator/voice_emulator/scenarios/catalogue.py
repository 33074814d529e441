"""The providers as the readers of scenario files see them: which names exist, and what one rule can match."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from voice_emulator.core.scenario import RETRIES, Retry
from voice_emulator.core.values import plain_value
from voice_emulator.providers.provider import Provider, ReceiptKind
from voice_emulator.providers.request import Operation
from voice_emulator.schemas.validate import SchemaSet


class Catalogue:
    """Every provider by id, with the fields of its requests and receipts: the top-level properties of their schemas."""

    def __init__(self, providers: Mapping[str, Provider], schemas: SchemaSet) -> None:
        """Raises SchemaError when a schema is missing."""
        self.providers = providers
        names = {
            name
            for provider in providers.values()
            for name in (
                *(operation.request for operation in provider.operations.values()),
                *(kind.schema for kind in provider.receipts.values()),
            )
        }
        self._schemas = {name: schemas.get(name) for name in names}
        #: By name and keyword: most scenarios name few fields.
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def fields(self, schema: str) -> frozenset[str]:
        """The fields that a request or receipt of this schema may have."""
        return self._names(schema, "properties")

    def required(self, schema: str) -> frozenset[str]:
        """The fields that this schema, or a branch of it, requires."""
        return self._names(schema, "required")

    def _names(self, schema: str, keyword: str) -> frozenset[str]:
        known = self._known.get((schema, keyword))
        if known is None:
            known = frozenset(property_names(self._schemas[schema].document, keyword))
            self._known[schema, keyword] = known
        return known


@plain_value
class Scope:
    """The providers and operations that one rule can match; names are judged against it.

    A name known to one of them is valid, and applies only there.
    """

    catalogue: Catalogue
    providers: tuple[Provider, ...]
    operations: frozenset[str] | None = None

    def each_operation(self) -> list[tuple[Provider, Operation]]:
        """All operations the rule can match, with their providers."""
        return [
            (provider, operation)
            for provider in self.providers
            for name, operation in provider.operations.items()
            if self.operations is None or name in self.operations
        ]

    @property
    def places_calls(self) -> bool:
        """Whether any of the operations dials numbers."""
        return any(operation.places_calls for _, operation in self.each_operation())

    @property
    def request_fields(self) -> set[str]:
        """Fields of the requests."""
        return {
            name
            for _, operation in self.each_operation()
            for name in self.catalogue.fields(operation.request)
        }

    @property
    def error_names(self) -> dict[str, None]:
        """Symbolic names, then wire codes, of the errors the operations may answer with."""
        reachable = {(provider.id, operation.name) for provider, operation in self.each_operation()}
        errors = [
            error
            for provider in self.providers
            for error in provider.errors
            if not error.operations or any((provider.id, name) in reachable for name in error.operations)
        ]
        return dict.fromkeys([error.name for error in errors] + [error.code for error in errors])

    @property
    def causes(self) -> set[str]:
        """Cause names and codes of the providers."""
        return {cause for provider in self.providers for cause in provider.causes}

    @property
    def retries(self) -> dict[str, Retry]:
        """The words for ``retry``: those for every provider, and those of one."""
        own = {
            name: replace(retry, provider=provider.id)
            for provider in self.providers
            for name, retry in provider.retries.items()
        }
        return {**RETRIES, **own}

    @property
    def receipts(self) -> list[ReceiptKind]:
        """Receipts that report the calls of the operations."""
        found = {
            (provider.id, kind): provider.receipts[kind]
            for provider, operation in self.each_operation()
            if operation.places_calls
            for kind in operation.receipts
            if kind in provider.receipts
        }
        return list(found.values())

    @property
    def receipt_fields(self) -> set[str]:
        """Fields of those receipts."""
        return {name for kind in self.receipts for name in self.catalogue.fields(kind.schema)}


def url_settings(provider: Provider) -> list[str]:
    """The names a scenario gives receivers by: ``callback_url`` for the provider's own key, ``cdr_callback_url``
    for ``<provider>_cdr``, and so on.
    """
    families = [key.removeprefix(provider.id).lstrip("_") for key in provider.url_keys]
    return [f"{family}_callback_url" if family else "callback_url" for family in families]


def property_names(schema: Mapping[str, Any], keyword: str = "properties") -> set[str]:
    """The names of an object's own members, also where branches of the schema declare them.

    ``keyword`` ``required`` gives those that are required there.
    """
    return set(_names(schema, schema, keyword, 0))


def _names(schema: Any, root: Mapping[str, Any], keyword: str, depth: int) -> Iterator[str]:
    # The bound ends a schema whose references run in a circle.
    if not isinstance(schema, Mapping) or depth > 8:
        return
    yield from schema.get(keyword, ())
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        target: Any = root
        for part in reference[2:].split("/"):
            target = target.get(part, {}) if isinstance(target, Mapping) else {}
        yield from _names(target, root, keyword, depth + 1)
    for branching in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(branching, ()):
            yield from _names(branch, root, keyword, depth + 1)
    for branching in ("if", "then", "else"):
        yield from _names(schema.get(branching), root, keyword, depth + 1)
