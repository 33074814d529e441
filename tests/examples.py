"""How many examples hypothesis and schemathesis try: many in `make test-long`, few in `make test`."""

from __future__ import annotations

import pytest
from hypothesis import settings

#: Options of a run of schemathesis. The phase that goes through every bound of every field costs four times what the others do.
RUNS = [
    pytest.param(("--max-examples", "2", "--phases", "examples,fuzzing"), id="few"),
    pytest.param(("--max-examples", "20"), id="many", marks=pytest.mark.long),
]


def examples(count: int) -> int:
    """``count`` in `make test`, and as many times more in `make test-long` as its profile tries by default."""
    return count * settings().max_examples // 100
