"""Whose request is it? The tenant that a credential, a token or an issued id leads to."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from voice_emulator.core.accounts import Key, credential_names
from voice_emulator.core.secrets import LONGEST
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Request
from voice_emulator.schemas.validate import SchemaSet

log = logging.getLogger(__name__)

#: Ten times the numbers that any operation takes. What lies beyond is not counted, and not kept in the journal.
NUMBERS_LIMIT = 50_000
#: Keys that nobody has of which the log speaks.
TOLD_LIMIT = 1_000


class Attribution:
    """Finds tenants by what their requests carry."""

    def __init__(self, providers: Mapping[str, Provider], tenancy: Tenancy) -> None:
        """``tenancy`` has the tenants."""
        self._providers = providers
        self._tenancy = tenancy
        self._told: set[str] = set()

    def attribute(self, request: Request) -> Tenant:
        """Find the tenant, and note it, its present instant and the numbers; nothing is counted yet."""
        operation = request.operation
        if operation is None:
            tenant = request.tenant = self._tenancy.default
            request.now = tenant.now
            return tenant
        keys = operation.identify(request)
        if not isinstance(keys, list):
            keys = list(keys)
        found = self._tenancy.directory.find(keys)
        if found is None and keys:
            self._tell_unknown_key(request, keys[0])
        request.attributed = found is not None
        tenant = request.tenant = found or self._tenancy.default
        request.now = tenant.now
        request.numbers = tuple(operation.numbers(request)[:NUMBERS_LIMIT])
        return tenant

    @staticmethod
    def count(request: Request) -> None:
        """Number an attributed request among those to the same operation and first number."""
        if request.operation is not None:
            first = request.numbers[0] if request.numbers else ""
            ledger = request.tenant.ledger
            request.ordinal = ledger.request_ordinal(request.provider, request.operation.name, first)

    def _tell_unknown_key(self, request: Request, key: Key) -> None:
        """One line per unknown key: what came, what ``default`` has, and the way around."""
        if key[0] == "id" or len(self._told) > TOLD_LIMIT:
            return
        hide = self._tenancy.default.secrets.hide
        shown = f"{request.provider} {key[1]} {hide(key[2][:LONGEST])[:80]!r}"
        if shown in self._told:
            return
        self._told.add(shown)
        provider = self._providers[request.provider]
        known = dict(provider.keys(self._tenancy.default.credentials[provider.id])).get(key[1])
        log.warning(
            "nobody has %s; tenant 'default' has %r (register your own with PATCH /v1/tenants/default, "
            "or start with --auth lenient)",
            shown, known,
        )  # fmt: skip


def secret_names(providers: Iterable[Provider], schemas: SchemaSet) -> set[str]:
    """The names of all headers and fields that hold somebody's secret, at any provider."""
    names = {"authorization", "proxy-authorization", "cookie"}
    for provider in providers:
        names |= provider.secrets
        for operation in provider.operations.values():
            names |= schemas.get(operation.request).secrets | schemas.get(operation.reply).secrets
            names |= {header.name for header in operation.headers if header.secret}
    return names


def open_names(providers: Iterable[Provider]) -> set[str]:
    """The names of credentials that are no secret: one provider's id may be called like another's secret."""
    return {
        name
        for provider in providers
        for name in credential_names(provider.default_credentials)
        if name not in provider.secrets
    }
