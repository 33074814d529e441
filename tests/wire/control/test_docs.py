"""docs/control-api.md says everything that is served."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voice_emulator.core.shapes import SHAPES
from voice_emulator.providers.registry import discover
from voice_emulator.wire.control.calls import CALL_KEYS, CALLBACK_KEYS
from voice_emulator.wire.control.document import request_schemas as control_bodies
from voice_emulator.wire.control.document.response_schemas import COMPONENTS
from voice_emulator.wire.control.event_stream import KINDS
from voice_emulator.wire.control.metrics import COUNTED, PREFIX
from voice_emulator.wire.control.routes import control_routes

PAGE = (Path(__file__).parents[3] / "docs" / "control-api.md").read_text(encoding="utf-8")
ROUTES = control_routes(discover())


def section(route_name: str) -> str:
    """From the line of a route to the next heading."""
    route = next(route for route in ROUTES if route.name == route_name)
    start = PAGE.index(f"`{route.method} {route.path}`")
    end = PAGE.find("\n#", start)
    return PAGE[start : end if end > 0 else None]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_is_documented(route):
    assert f"`{route.method} {route.path}`" in PAGE


@pytest.mark.parametrize("route", [route for route in ROUTES if route.query], ids=lambda route: route.name)
def test_every_parameter_is_documented(route):
    text = section(route.name)
    for parameter in route.query:
        assert re.search(rf"`{parameter.name}[`=]", text), parameter.name


def test_every_member_of_a_body_is_documented():
    for name, document in control_bodies.documents(discover()).items():
        for member in document["properties"]:
            assert f"`{member}`" in section(name), (name, member)


def test_documented_routes_are_served():
    served = {f"{route.method} {route.path}" for route in ROUTES}
    documented = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`?]*)`", PAGE))
    assert documented <= served


@pytest.mark.parametrize("name", [*(shape.__name__ for shape in SHAPES), "Waited"])
def test_every_member_of_a_reply_is_documented(name: str):
    for member in COMPONENTS[name]["properties"]:
        assert f"`{member}`" in PAGE or f'"{member}"' in PAGE, member


def test_kinds_keys_and_metrics_are_documented():
    for kind in KINDS:
        assert f"`{kind}`" in PAGE
    for key in {*CALL_KEYS, *CALLBACK_KEYS}:
        assert f"`{key}`" in PAGE
    for metric, _, _ in COUNTED.values():
        assert f"`{PREFIX}{metric}_total`" in PAGE
