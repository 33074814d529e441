"""A customer's account at a provider: what a tenant needs to know of the provider, and the first credentials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from voice_emulator.core.draws import hexadecimal

#: (provider id, kind of key, value), for instance ("nxcloud", "appkey", "nx-appkey").
Key = tuple[str, str, str]

#: In place of the provider id in the key of an issued id or token; the kind is then a space with unique values.
ISSUED = "id"


class AccountRules(Protocol):
    """What a tenant needs to know of a provider to configure an account."""

    @property
    def id(self) -> str:
        """The provider's id."""

    @property
    def default_credentials(self) -> Mapping[str, Any]:
        """Credentials of the tenant ``default``; None values are unset."""

    @property
    def secrets(self) -> frozenset[str]:
        """Names of fields, headers and credentials that hold secrets."""

    def default_settings(self) -> Mapping[str, Any]:
        """Every setting with its default, as JSON values."""

    def read_settings(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parsed settings. Raises ValueError naming the setting."""

    def credential_keys(self, credentials: Mapping[str, Any]) -> Iterable[Key]:
        """The directory keys by which requests with these credentials are attributed."""


def derive_credentials(defaults: Mapping[str, Any], tenant: str, *path: str) -> dict[str, Any]:
    """Credentials of another tenant: the default names, and values that end in a tag of that tenant."""
    derived: dict[str, Any] = {}
    for name, value in defaults.items():
        if isinstance(value, Mapping):
            derived[name] = derive_credentials(value, tenant, *path, name)
        elif isinstance(value, str):
            derived[name] = f"{value}-{hexadecimal(12, tenant, *path, name)}"
        else:
            derived[name] = value
    return derived


def named_values(credentials: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The (name, value) pairs of all credentials, however deep."""
    for name, value in credentials.items():
        if isinstance(value, Mapping):
            yield from named_values(value)
        else:
            yield name, value
