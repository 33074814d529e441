"""Whose request it is: by a credential, an issued id or an address."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from voice_emulator.core.accounts import ISSUED, Key
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Authorise
from voice_emulator.providers.request import Operation, Request

Identify = Callable[[Request], Iterable[Key]]


def by_field(field: str, kind: str = "") -> Identify:
    """Attribution by a credential in a field; ``kind`` is what ``Provider.keys`` calls it (default: ``field``)."""
    return lambda request: _keys(request.provider, kind or field, request.text(field))


def by_header(header: str, kind: str) -> Identify:
    """Attribution by a credential in a header, whose name is given in lower case."""
    return lambda request: _keys(request.provider, kind, request.headers.get(header))


def by_issued(field: str, space: str) -> Identify:
    """Attribution by a token or an id that the emulator issued under ``space``."""
    return lambda request: _keys(ISSUED, space, request.text(field))


def _keys(scope: str, kind: str, value: str | None) -> tuple[Key, ...]:
    return ((scope, kind, value),) if value else ()


def issued_to(request: Request, space: str, value: str) -> Tenant | None:
    """The tenant that ``value`` was issued to: for downloads, which carry no credentials."""
    return request.tenant.directory.owner((ISSUED, space, value))


def same_secret(given: str, expected: str) -> bool:
    """Whether two secrets are equal; an unset one equals nothing. Takes the same time for every wrong one."""
    return bool(expected) and hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def in_networks(peer: str, networks: Iterable[str]) -> bool:
    """Whether an address is in one of the networks. An IPv4 address inside an IPv6 one counts as IPv4."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in _parsed(tuple(networks)))


@lru_cache(maxsize=256)
def _parsed(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(network, strict=False) for network in networks)


def credentials_in(provider: str, *fields: str) -> Authorise:
    """``Provider.authorise`` for credentials in fields of the same names."""

    def authorise(
        tenant: Tenant, operation: Operation, example: Mapping[str, Any], wall: int
    ) -> tuple[dict[str, Any], dict[str, str]]:
        return {**example, **{name: tenant.credentials[provider][name] for name in fields}}, {}

    return authorise
