"""Routes of the control port as values, read by the server and by its own OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from emulator.core.words import nearest
from emulator.loading.schemas import Schema

if TYPE_CHECKING:
    from aiohttp import web

    from emulator.wire.asking import Asked

JSON = "application/json"
Answer = Callable[["Asked"], Awaitable["web.StreamResponse"]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter. ``schema`` is for the document, ``read`` gives a value or raises ValueError."""

    name: str
    description: str
    schema: Mapping[str, Any]
    read: Callable[[str], Any] = str
    default: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON body: the schema it must satisfy, and other media types the route takes as text.

    A body that is not ``required`` may be left out and counts as ``{}``.
    """

    schema: Schema
    required: bool = True
    texts: tuple[str, ...] = ()
    example: Any = None


@dataclass(frozen=True, slots=True)
class Said:
    """One reply of a route: status, sentence, and the name of the component schema of its body."""

    status: int
    description: str
    schema: str | None = None
    media: str = JSON


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``public`` ones need no token; ``page`` ones are opened by browsers."""

    name: str
    method: str
    path: str
    summary: str
    answer: Answer
    replies: tuple[Said, ...]
    query: tuple[Parameter, ...] = ()
    body: Body | None = None
    public: bool = False
    page: bool = False
    tag: str = "tenants"
    details: str = ""

    @property
    def in_path(self) -> tuple[str, ...]:
        """Names of the path's parameters."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


@dataclass(slots=True)
class _Node:
    routes: dict[str, Route] = field(default_factory=dict)
    fixed: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None


class ControlRoutes:
    """Finds the route of a request, segment by segment; a fixed segment beats a variable one."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Enter all routes."""
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
