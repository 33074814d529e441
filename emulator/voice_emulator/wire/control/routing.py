"""Finds the route of a request to the control port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from urllib.parse import unquote

from voice_emulator.core.values import plain_record
from voice_emulator.core.words import nearest
from voice_emulator.wire.control.request import Route


@plain_record
class _Node:
    routes: dict[str, Route] = field(default_factory=dict)
    fixed: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None


class ControlRoutes:
    """Finds the route of a request, segment by segment; a fixed segment beats a variable one."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._root = _Node()
        for route in self.routes:
            node = self._root
            for part in route.path.split("/")[1:]:
                if part.startswith("{"):
                    node.variable = node.variable or _Node()
                    node = node.variable
                else:
                    node = node.fixed.setdefault(part, _Node())
            node.routes[route.method] = route

    def find(self, raw_path: str) -> tuple[Mapping[str, Route], tuple[str, ...]]:
        """Routes by method at a path still percent-encoded, and the values of its variable segments."""
        node: _Node | None = self._root
        values = []
        for part in raw_path.split("/")[1:]:
            text = unquote(part)
            if node is None:
                break
            following = node.fixed.get(text)
            if following is None and text:
                following = node.variable
                values.append(text)
            node = following
        return (node.routes if node is not None else {}), tuple(values)

    def explain(self, path: str) -> str:
        """A sentence about a path nobody serves."""
        return f"there is no {path[:200]!r} here{nearest(path[:200], [route.path for route in self.routes])}"
