"""A customer's account at a provider: what a tenant must know of it, and the credentials it begins with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from voice_emulator.core.draws import hexadecimal

#: (provider id, kind of key, value), for instance ("nxcloud", "appkey", "nx-appkey").
Key = tuple[str, str, str]

#: The provider id that stands in the key of what is issued, whose kind is the space and whose value is unique there.
ISSUED = "id"


class AccountRules(Protocol):
    """What a tenant needs to know of a provider: how its account is configured."""

    @property
    def id(self) -> str:
        """The provider's id."""
        ...

    @property
    def default_credentials(self) -> Mapping[str, Any]:
        """Credentials of the tenant ``default``; None values are unset."""
        ...

    @property
    def secrets(self) -> frozenset[str]:
        """Names of fields, headers and credentials that hold secrets."""
        ...

    def default_settings(self) -> Mapping[str, Any]:
        """Every setting with its default, as JSON values."""
        ...

    def read_settings(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """Settings as values for use. Raises ValueError naming the setting."""
        ...

    def credential_keys(self, credentials: Mapping[str, Any]) -> Iterable[Key]:
        """The directory keys by which requests with these credentials are attributed."""
        ...


def derive_credentials(defaults: Mapping[str, Any], tenant: str, *path: str) -> dict[str, Any]:
    """The default credentials made another tenant's own: the same names, values ending in its mark."""
    derived: dict[str, Any] = {}
    for name, value in defaults.items():
        if isinstance(value, Mapping):
            derived[name] = derive_credentials(value, tenant, *path, name)
        elif isinstance(value, str):
            derived[name] = f"{value}-{hexadecimal(12, tenant, *path, name)}"
        else:
            derived[name] = value
    return derived


def credential_names(credentials: Mapping[str, Any]) -> Iterator[str]:
    """The names of all credentials, however deep."""
    for name, value in credentials.items():
        if isinstance(value, Mapping):
            yield from credential_names(value)
        else:
            yield name
