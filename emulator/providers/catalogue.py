"""What the loader of scenario files must know of the providers, taken from their own values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.loading.catalogue import Catalogue, KnownError, KnownOperation, KnownProvider, KnownReceipt
from emulator.loading.schemas import SchemaSet
from emulator.providers.base import Provider


def catalogue_of(providers: Mapping[str, Provider], schemas: SchemaSet) -> Catalogue:
    """The catalogue of ``providers``. Raises SchemaError when a schema is missing."""
    return Catalogue({name: known_provider(provider, schemas) for name, provider in providers.items()})


def known_provider(provider: Provider, schemas: SchemaSet) -> KnownProvider:
    """One provider's entry. Field names are the top-level properties of its schemas."""
    return KnownProvider(
        id=provider.id,
        operations={
            name: KnownOperation(
                frozenset(property_names(schemas.get(operation.request).document)),
                operation.places_calls,
                operation.receipts,
            )
            for name, operation in provider.operations.items()
        },
        receipts={
            name: KnownReceipt(
                frozenset(property_names(schemas.get(kind.schema).document)),
                kind.encodings,
                frozenset(kind.corrupt),
            )
            for name, kind in provider.receipts.items()
        },
        errors=tuple(KnownError(error.name, error.code, error.operations) for error in provider.errors),
        causes=provider.causes,
        settings=tuple(provider.settings.settings),
        read_setting=provider.settings.read,
        credentials=provider.default_credentials,
        url_settings=tuple(_url_settings(provider)),
        expires_tokens=provider.token_expired is not None,
    )


def _url_settings(provider: Provider) -> list[str]:
    """``callback_url`` for the provider's own key, ``cdr_callback_url`` for ``<provider>_cdr``, and so on."""
    keys = dict.fromkeys([*provider.url_keys, *(kind.url_key for kind in provider.receipts.values())])
    families = [key.removeprefix(provider.id).lstrip("_") for key in keys]
    return [f"{family}_callback_url" if family else "callback_url" for family in families]


def property_names(schema: Mapping[str, Any]) -> set[str]:
    """The names of an object's own members, also where branches of the schema declare them."""
    return set(_property_names(schema, schema, 0))


def _property_names(schema: Any, root: Mapping[str, Any], depth: int) -> Iterator[str]:
    # The bound ends a schema whose references run in a circle.
    if not isinstance(schema, Mapping) or depth > 8:
        return
    yield from schema.get("properties", ())
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        target: Any = root
        for part in reference[2:].split("/"):
            target = target.get(part, {}) if isinstance(target, Mapping) else {}
        yield from _property_names(target, root, depth + 1)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(keyword, ()):
            yield from _property_names(branch, root, depth + 1)
    for keyword in ("if", "then", "else"):
        yield from _property_names(schema.get(keyword), root, depth + 1)
