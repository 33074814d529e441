"""Which provider serves a path: a dictionary of exact paths, and a short list of prefixes."""

from __future__ import annotations

from collections.abc import Mapping

from voice_emulator.core.words import nearest
from voice_emulator.providers.provider import Provider, Route
from voice_emulator.wire.http.agent import NO_PROVIDER


class RouteTable:
    """All routes of all providers."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        """Collect the routes. Raises ValueError when two providers claim one path."""
        self._exact: dict[str, tuple[str, Route]] = {}
        self._prefixes: list[tuple[str, str, Route]] = []
        for provider in providers.values():
            for route in provider.routes:
                if route.path.endswith("/") and len(route.path) > 1:
                    self._prefixes.append((route.path, provider.id, route))
                elif route.path in self._exact:
                    raise ValueError(
                        f"{provider.id} and {self._exact[route.path][0]} both claim {route.path}"
                    )
                else:
                    self._exact[route.path] = (provider.id, route)

    def find(self, path: str) -> tuple[str, Route] | None:
        """Provider id and route of ``path``; double and trailing slashes are ignored."""
        found = self._exact.get(path)
        if found is not None:
            return found
        if "//" in path or (path.endswith("/") and len(path) > 1):
            clean = "/" + "/".join(part for part in path.split("/") if part)
            found = self._exact.get(clean)
            if found is not None:
                return found
        for prefix, provider, route in self._prefixes:
            if path.startswith(prefix):
                return provider, route
        return None

    def explain(self, path: str) -> str:
        """A message about an unknown path, with the nearest known one."""
        return f"{NO_PROVIDER} {path}{nearest(path, self._exact)}"
