from __future__ import annotations

from typing import Any

import pytest

from voice_emulator.wire.control.request import Route
from voice_emulator.wire.control.routing import ControlRoutes


def route(method: str, path: str) -> Route:
    answer: Any = None
    return Route(f"{method} {path}", method, path, "", answer, ())


TABLE = ControlRoutes(
    [
        route("GET", "/"),
        route("GET", "/v1/tenants"),
        route("POST", "/v1/tenants"),
        route("GET", "/v1/tenants/{id}"),
        route("GET", "/v1/tenants/default"),
        route("GET", "/v1/tenants/{id}/calls/{call}"),
    ]
)


@pytest.mark.parametrize(
    ("path", "names", "values"),
    [
        ("/", ["GET /"], ()),
        ("/v1/tenants", ["GET /v1/tenants", "POST /v1/tenants"], ()),
        ("/v1/tenants/a", ["GET /v1/tenants/{id}"], ("a",)),
        ("/v1/tenants/default", ["GET /v1/tenants/default"], ()),  # a fixed segment beats a variable one
        (
            "/v1/tenants/a%2Fb",
            ["GET /v1/tenants/{id}"],
            ("a/b",),
        ),  # a slash within a segment does not separate
        ("/v1/tenants/%C3%A9/calls/1", ["GET /v1/tenants/{id}/calls/{call}"], ("é", "1")),
        ("/v1/tenants/", [], ()),  # an empty segment is not an id
        ("/v1/tenants//calls/1", [], None),
        ("/v1/tenants/a/calls", [], ("a",)),
        ("/v1/nowhere/at/all", [], None),
        ("", [], None),
    ],
)
def test_find_takes_a_path_segment_by_segment(path: str, names: list[str], values: tuple[str, ...] | None):
    methods, found = TABLE.find(path)
    if path:
        assert [each.name for each in methods.values()] == names
    if values is not None:
        assert found == values


def test_explain_names_the_nearest_path():
    assert TABLE.explain("/v1/tenant") == "there is no '/v1/tenant' here; did you mean '/v1/tenants'?"
    assert len(TABLE.explain("/" + "x" * 100_000)) < 1_000


def test_route_knows_the_names_in_its_path():
    assert route("GET", "/v1/tenants/{id}/calls/{call}").in_path == ("id", "call")
    assert route("GET", "/").in_path == ()
