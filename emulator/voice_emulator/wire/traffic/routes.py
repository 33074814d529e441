"""Which provider serves a path: a dictionary of exact paths, and a short list of prefixes.

Several providers may have the same path. Then each request is shown to them (:attr:`Route.claims`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from voice_emulator.core.words import nearest
from voice_emulator.providers.provider import Provider, Route
from voice_emulator.providers.request import Request
from voice_emulator.wire.http.agent import NO_PROVIDER

log = logging.getLogger(__name__)

#: The providers of a path, by id, each with its route; one, as a rule.
Owners = tuple[tuple[str, Route], ...]


class RouteTable:
    """All routes of all providers."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        """Collect the routes. Raises ValueError when two providers claim everything at one path."""
        self._exact: dict[str, Owners] = {}
        prefixes: dict[str, Owners] = {}
        for provider in providers.values():
            for route in provider.routes:
                table = prefixes if route.path.endswith("/") and len(route.path) > 1 else self._exact
                table[route.path] = (*table.get(route.path, ()), (provider.id, route))
        #: The longest first: it says most about a path.
        self._prefixes = sorted(prefixes.items(), key=lambda pair: -len(pair[0]))
        for path, owners in (*self._exact.items(), *self._prefixes):
            greedy = [provider for provider, route in owners if route.claims is None]
            if len(greedy) > 1:
                raise ValueError(f"{' and '.join(greedy)} both claim {path}")

    def find(self, path: str) -> Owners:
        """The providers of ``path``, none for an unknown one; double and trailing slashes are ignored."""
        found = self._exact.get(path)
        if found is not None:
            return found
        if "//" in path or (path.endswith("/") and len(path) > 1):
            clean = "/" + "/".join(part for part in path.split("/") if part)
            found = self._exact.get(clean)
            if found is not None:
                return found
        for prefix, owners in self._prefixes:
            if path.startswith(prefix):
                return owners
        return ()

    def explain(self, path: str) -> str:
        """A message about a request that no provider takes: an unknown path, with the nearest known one."""
        owners = self.find(path)
        if owners:
            return f"{' and '.join(provider for provider, _ in owners)} share {path}, and none of them claims this request"
        return f"{NO_PROVIDER} {path}{nearest(path, self._exact)}"


def claimed(request: Request, owners: Owners) -> tuple[str, Route] | None:
    """Which of the providers that share a path takes a decoded request; None when none does."""
    rest = None
    for provider, route in owners:
        if route.claims is None:
            rest = (provider, route)
            continue
        request.provider = provider
        try:
            if route.claims(request):
                return provider, route
        except Exception:
            # The others on this path must not suffer for it.
            log.exception("%s cannot say whether it claims a request to %s", provider, request.path)
    return rest
