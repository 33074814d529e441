"""How many examples hypothesis tries: a number of a test's own follows the profile, as the default does."""

from __future__ import annotations

from hypothesis import settings


def examples(count: int) -> int:
    """``count`` in `make test`, and as many times more in `make test-long` as its profile tries by default."""
    return count * settings().max_examples // 100
