from __future__ import annotations

from dataclasses import replace

import pytest

from voice_emulator.providers.provider import Route
from voice_emulator.providers.registry import discover
from voice_emulator.providers.request import Request
from voice_emulator.wire.traffic.routes import RouteTable, claimed

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
    owners = TABLE.find(path)
    assert [provider for provider, _ in owners] == ([found] if found else [])


def test_find_prefers_the_longest_prefix_and_gives_every_owner_of_a_path():
    def says(answer: bool) -> Route:
        return Route("/files/", claims=lambda request: answer)

    table = RouteTable(
        {
            "a": replace(BASE, id="a", routes=(Route("/"), FILES)),
            "b": replace(BASE, id="b", routes=(Route("/files/b/"), says(False))),
            "c": replace(BASE, id="c", routes=(says(True),)),
        }
    )
    assert [provider for provider, _ in table.find("/files/b/1")] == ["b"]
    assert [provider for provider, _ in table.find("/files/1")] == ["a", "b", "c"]
    request = Request("", "GET", "/files/1", {}, {}, b"", "127.0.0.1")
    owners = table.find("/files/1")
    assert claimed(request, owners) == owners[2]
    assert claimed(request, owners[:2]) == owners[0], "the one without claims takes the rest"
    assert claimed(request, owners[1:2]) is None


def test_table_refuses_two_providers_with_one_path():
    with pytest.raises(ValueError, match="a and b both claim /api/send"):
        RouteTable({name: replace(BASE, id=name, routes=(API,)) for name in "ab"})


def test_explain_names_the_nearest_path():
    assert TABLE.explain("/api/sent") == "no provider serves /api/sent; did you mean '/api/send'?"
