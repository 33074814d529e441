from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from voice_emulator.client import reading
from voice_emulator.client.reading import build, instant, list_of, member, optional, original, reads, whole


@dataclass(frozen=True, slots=True)
class Inner:
    """A part of an object."""

    count: int = member(whole)


@dataclass(frozen=True, slots=True)
class Outer:
    """An object."""

    inner: Inner = member(reads(Inner))
    many: tuple[Inner, ...] = member(list_of(Inner))
    when: datetime | None = member(optional(instant))
    renamed: str = member(reading.text, name="other-name")
    document: Mapping[str, Any] = original()


def test_build_reads_each_member_by_its_function_and_passes_over_the_rest():
    document = {"inner": {"count": 2, "new": 1}, "many": [{"count": 1}], "other-name": "x", "unheard-of": True,
                "when": "2026-01-05T09:00:00+08:00"}  # fmt: skip
    built = build(Outer, document)
    assert (built.inner, built.many, built.renamed) == (Inner(2), (Inner(1),), "x")
    assert built.when is not None
    assert built.when.utcoffset() == timedelta(hours=8)
    assert built.document is document
    assert "unheard-of" not in repr(built)


def test_build_takes_what_is_missing_for_empty():
    built = build(Outer, {})
    assert (built.inner, built.many, built.when, built.renamed) == (Inner(0), (), None, "")


def test_built_values_are_compared_without_the_document_they_came_in():
    assert build(Outer, {"unheard-of": 1}) == build(Outer, {"unheard-of": 2})


@pytest.mark.parametrize(
    ("read", "given", "value"),
    [
        (reading.text, 5, "5"),
        (reading.text, None, ""),
        (reading.texts, None, ()),
        (reading.texts, [1, "a"], ("1", "a")),
        (reading.money, "0.036", Decimal("0.036")),
        (reading.money, None, Decimal(0)),
        (reading.mapping, None, {}),
        (reading.as_is, [1], [1]),
    ],
)
def test_readers_take_null_for_empty(read: Any, given: Any, value: Any):
    assert read(given) == value
