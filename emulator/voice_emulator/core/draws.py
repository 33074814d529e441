"""The only source of chance: every draw depends on a key alone.

A key is (seed, provider, operation, number, which call to that number this is, rule, purpose). So draws depend neither
on the order of arrival nor on wall time, and a change of one rule does not change the draws of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

_SEPARATOR = "\x1f"
_UNIT = 2.0**-53


def digest(*key: object, size: int = 8) -> bytes:
    """``size`` bytes (at most 64) that depend on every part of ``key`` and on nothing else."""
    return blake2b(_SEPARATOR.join(map(str, key)).encode(), digest_size=size).digest()


def scope_text(*scope: object) -> str:
    """The start shared by many keys, joined once: ``digest_within(scope_text(*a), *b)`` is ``digest(*a, *b)``."""
    return "".join(f"{part}{_SEPARATOR}" for part in scope)


def digest_within(scope: str, *key: object, size: int = 8) -> bytes:
    """The digest of a key whose start :func:`scope_text` has joined."""
    return blake2b((scope + _SEPARATOR.join(map(str, key))).encode(), digest_size=size).digest()


def draw(*key: object) -> float:
    """A number in [0, 1), uniform over keys."""
    return (int.from_bytes(digest(*key), "big") >> 11) * _UNIT


def hexadecimal(length: int, *key: object) -> str:
    """``length`` lower-case hex digits (at most 128)."""
    return digest(*key, size=(length + 1) // 2).hex()[:length]


def integer(below: int, *key: object) -> int:
    """An integer in [0, below), uniform to within 2**-64 * below."""
    return int.from_bytes(digest(*key, size=16), "big") % below


def choose_weighted(weights: Sequence[float], unit: float) -> int:
    """The index that ``unit`` in [0, 1) falls on when the line is divided by ``weights``.

    Raises ValueError when no weight is positive.
    """
    total = sum(weights)
    if total <= 0:
        raise ValueError("at least one weight must be positive")
    mark = unit * total
    last = 0
    for index, weight in enumerate(weights):
        if weight > 0:
            last = index
            mark -= weight
            if mark < 0:
                return index
    return last
