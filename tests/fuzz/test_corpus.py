"""The kept inputs, each of which was interesting once, or broke something (``found-*``)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.inputs import CORPUS, seeds
from tests.fuzz.server import Server
from tests.fuzz.targets import LIVE, PURE, live


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("manual") as server:
        yield server


def test_every_target_has_seeds_and_no_other_has():
    assert sorted(path.name for path in CORPUS.iterdir()) == sorted([*PURE, *LIVE])
    for name in [*PURE, *LIVE]:
        assert seeds(name), name


@pytest.mark.parametrize("target", PURE)
def test_what_is_kept_is_read_or_refused(target: str):
    for name, data in seeds(target).items():
        try:
            PURE[target](data)
        except Exception as error:
            error.add_note(name)
            raise


@pytest.mark.parametrize("target", LIVE)
def test_what_is_kept_leaves_the_server_serving(server: Server, target: str):
    for name, data in seeds(target).items():
        try:
            live(server)[target](data)
        except Exception as error:
            error.add_note(name)
            raise
