from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.watchdog import IN_TESTS, watching


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop() -> Iterator[None]:
    """Every test of this folder fails when something keeps the event loop to itself."""
    with watching(IN_TESTS) as blocked:
        yield
    assert blocked == []
