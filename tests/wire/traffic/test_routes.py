from __future__ import annotations

from dataclasses import replace

import pytest

from voice_emulator.providers.provider import Route
from voice_emulator.providers.registry import discover
from voice_emulator.wire.traffic.routes import RouteTable

BASE = discover()["nxcloud"]
API, FILES = Route("/api/send"), Route("/files/")
TABLE = RouteTable(
    {"a": replace(BASE, id="a", routes=(API, FILES)), "b": replace(BASE, id="b", routes=(Route("/"),))}
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/send", "a"),
        ("//api///send", "a"),
        ("/api/send/", "a"),
        ("/api/Send", None),
        ("/api/send/more", None),
        ("/files/1.wav", "a"),
        ("/files/", "a"),
        ("/files", None),
        ("/", "b"),
        ("//", "b"),
        ("", None),
    ],
)
def test_find_takes_exact_paths_whatever_their_slashes_and_prefixes(path: str, found: str | None):
    route = TABLE.find(path)
    assert (route[0] if route else None) == found


def test_table_refuses_two_providers_with_one_path():
    with pytest.raises(ValueError, match="b and a both claim /api/send"):
        RouteTable({name: replace(BASE, id=name, routes=(API,)) for name in "ab"})


def test_explain_names_the_nearest_path():
    assert TABLE.explain("/api/sent") == "no provider serves /api/sent; did you mean '/api/send'?"
