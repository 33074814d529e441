"""Which tenant a request belongs to: by its credential, its token, or an id issued earlier."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from voice_emulator.core.accounts import Key, named_values
from voice_emulator.core.secrets import LONGEST
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import DEFAULT_TENANT
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import NUMBERS_LIMIT, Request
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.settings import option

log = logging.getLogger(__name__)

#: Unknown keys that are logged.
LOGGED_LIMIT = 1_000


class Attribution:
    """Finds the tenants of requests."""

    def __init__(self, providers: Mapping[str, Provider], tenancy: Tenancy) -> None:
        self._providers = providers
        self._tenancy = tenancy
        self._logged: set[str] = set()

    def attribute(self, request: Request) -> None:
        """Find the tenant, and record it, its current time and the numbers; nothing is counted yet.

        A request without a known key belongs to ``default``; it has no tenant where another replica owns that.
        """
        operation, found = request.operation, None
        if operation is not None:
            found = self._tenancy.directory.find(operation.identify(request))
            request.attributed = found is not None
        tenant = found or self._tenancy.get(DEFAULT_TENANT)
        request.tenant = tenant  # type: ignore[assignment]
        if tenant is None:
            return
        request.now = tenant.now
        if operation is not None:
            request.numbers = tuple(operation.numbers(request)[:NUMBERS_LIMIT])

    def count(self, request: Request) -> None:
        """Number an attributed request among those to the same operation and first number."""
        if request.operation is not None:
            if not request.attributed:
                for key in request.operation.identify(request):
                    self._log_unknown_key(request, key)
                    break
            first = request.numbers[0] if request.numbers else ""
            ledger = request.tenant.ledger
            request.ordinal = ledger.ordinal(first, request.provider, request.operation.name)

    def _log_unknown_key(self, request: Request, key: Key) -> None:
        """Log an unknown key once: what arrived, what ``default`` has, and what to do."""
        if key[0] == "id" or len(self._logged) > LOGGED_LIMIT:
            return
        hide = self._tenancy.default.secrets.hide
        shown = f"{request.provider} {key[1]} {hide(key[2][:LONGEST])[:80]!r}"
        if shown in self._logged:
            return
        self._logged.add(shown)
        provider = self._providers[request.provider]
        known = dict(provider.keys(self._tenancy.default.credentials[provider.id])).get(key[1])
        log.warning(
            "no tenant has %s; tenant 'default' has %r (%s)",
            shown, known, option(
                "register your own with PATCH /v1/tenants/default, or start with --auth lenient",
                "a test's tenant has its own: voice_emulator.credentials",
            ),
        )  # fmt: skip


def secret_names(providers: Iterable[Provider], schemas: SchemaSet) -> set[str]:
    """The names of all headers and fields that hold a secret, at any provider."""
    names = {"authorization", "proxy-authorization", "cookie"}
    for provider in providers:
        names |= provider.secrets
        for operation in provider.operations.values():
            names |= schemas.get(operation.request).secrets | schemas.get(operation.reply).secrets
            names |= {header.name for header in operation.headers if header.secret}
    return names


def open_names(providers: Iterable[Provider]) -> set[str]:
    """The names of credentials that are not secret: one provider's id may have the name of another's secret."""
    return {
        name
        for provider in providers
        for name, _ in named_values(provider.default_credentials)
        if name not in provider.secrets
    }
