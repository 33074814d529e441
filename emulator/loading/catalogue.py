"""What the loader must know of the providers, as plain values: names to accept, and how settings read.

``providers/catalogue.py`` makes it from the providers themselves; the loader imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class KnownError:
    """An error a provider may answer with; ``operations`` is empty where it occurs everywhere."""

    name: str
    code: str
    operations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KnownReceipt:
    """A kind of receipt: its fields, its encodings, and the corruptions that have a field to spoil."""

    fields: frozenset[str]
    encodings: tuple[str, ...] = ("query", "form", "json")
    corruptions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KnownOperation:
    """An operation: its request fields, whether it dials numbers, and the receipts that report them."""

    fields: frozenset[str]
    places_calls: bool = False
    receipts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """One provider. ``read_setting`` takes {name: value} and raises ValueError with the reason.

    ``credentials`` has the structure of the default ones, None where a value is unset by default;
    ``url_settings`` are the names a scenario file gives receivers by (``callback_url`` and its like).
    """

    id: str
    operations: Mapping[str, KnownOperation]
    receipts: Mapping[str, KnownReceipt]
    errors: tuple[KnownError, ...]
    causes: frozenset[str]
    settings: tuple[str, ...]
    read_setting: Callable[[Mapping[str, Any]], object]
    credentials: Mapping[str, Any]
    url_settings: tuple[str, ...] = ("callback_url",)
    expires_tokens: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every provider by id."""

    providers: Mapping[str, KnownProvider] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """The providers and operations that one rule can match; names are judged against it.

    A name known to one of them is valid, and applies only there.
    """

    providers: tuple[KnownProvider, ...]
    operations: frozenset[str] | None = None

    def each_operation(self) -> list[tuple[KnownProvider, str, KnownOperation]]:
        """All (provider, name, operation) the rule can match."""
        return [
            (provider, name, operation)
            for provider in self.providers
            for name, operation in provider.operations.items()
            if self.operations is None or name in self.operations
        ]

    @property
    def places_calls(self) -> bool:
        """Whether any of the operations dials numbers."""
        return any(operation.places_calls for _, _, operation in self.each_operation())

    @property
    def request_fields(self) -> set[str]:
        """Fields of the requests."""
        return {name for _, _, operation in self.each_operation() for name in operation.fields}

    @property
    def error_names(self) -> dict[str, None]:
        """Symbolic names, then wire codes, of the errors the operations may answer with."""
        reachable = {(provider.id, name) for provider, name, _ in self.each_operation()}
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
    def receipts(self) -> list[KnownReceipt]:
        """Receipts that report the calls of the operations."""
        found = {
            (provider.id, kind): provider.receipts[kind]
            for provider, _, operation in self.each_operation()
            if operation.places_calls
            for kind in operation.receipts
            if kind in provider.receipts
        }
        return list(found.values())
