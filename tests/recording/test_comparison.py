"""Comparing values by their kind: what is the same, and what is a difference."""

from __future__ import annotations

from typing import Any

import pytest

from voice_emulator.recording.comparison import Comparison
from voice_emulator.schemas.validate import Schema


def compared(kind: str, pairs: list[tuple[Any, Any]], **schema: Any) -> list[str]:
    comparison = Comparison()
    document = {"properties": {"f": {"x-kind": kind, **schema}}}
    for recorded, here in pairs:
        comparison.values("p", "op", Schema("s", document), {"f": recorded}, {"f": here})
    return sorted({each.kind for each in comparison.close()})


@pytest.mark.parametrize(
    ("kind", "recorded", "here", "found"),
    [
        ("exact", "a", "a", []), ("exact", "a", "b", ["value"]), ("exact", 1, "1", ["type"]), ("exact", None, "", ["type"]),
        ("time", "2026-01-05 09:00:00", "2026-01-05 09:00:02", []),
        ("time", "2026-01-05 09:00:00", "2026-01-05 09:00:03", ["time"]),
        ("time", "2026-01-05 09:00:00", "2026-01-05T09:00:00", ["format"]),
        ("time", "2026-01-05 01:00:00", "2026-01-05 09:00:00", ["time"]),
        ("time", "1767571200", "1767571201", []), ("time", 1767571200, 1767571200000, ["format"]),
        ("time", "", "2026-01-05 09:00:00", ["format"]), ("time", "", "", []),
        ("money", "0.0360", "0.036", []), ("money", "0.037", "0.036", ["money"]), ("money", 0.036, "0.036", ["type"]),
        ("free", "a", "b", []), ("free", "a", 1, ["type"]),
        ("id", "***", "abc", []), ("id", "", "abc", ["value"]), ("id", "0a", "1b", []), ("id", "0a", "1bcd", ["length"]),
        ("id", "0a", "zz", ["alphabet"]),
    ],
)  # fmt: skip
def test_value_is_compared_by_its_kind(kind: str, recorded: Any, here: Any, found: list[str]):
    assert compared(kind, [(recorded, here)]) == found


def test_ids_are_told_apart_by_bijection_and_judged_together():
    assert compared("id", [("00", "11"), ("01", "12"), ("00", "11")]) == []
    assert compared("id", [("00", "11"), ("00", "12")]) == ["id"]
    assert compared("id", [("00", "11"), ("01", "11")]) == ["id"]
    # Lengths may vary, if they do on both sides.
    assert compared("id", [("10", "9"), ("9", "10")]) == []


def test_record_ids_are_whole_numbers_that_fit_32_bits():
    assert compared("id", [(7, 1_000_001)], type="integer") == []
    assert compared("id", [(2**31, 1)], type="integer") == ["id"]


def test_rows_about_calls_are_paired_by_number_and_a_lone_one_is_named_once():
    comparison = Comparison()
    schema = Schema(
        "s", {"properties": {"rows": {"items": {"properties": {"to": {"x-number": True}, "x": {}}}}}}
    )
    recorded = {"rows": [{"to": "1", "x": 1}, {"to": "2", "x": 2}, {"to": "3", "x": 3}]}
    here = {"rows": [{"to": "2", "x": 2}, {"to": "1", "x": 9}]}
    comparison.values("p", "op", schema, recorded, here)
    found = [(each.field, each.kind) for each in comparison.close()]
    assert found == [("rows[]", "row"), ("rows[].x", "value")]


def test_headers_that_belong_to_the_transport_are_not_compared():
    comparison = Comparison()
    comparison.headers("p", "op", (), (("X", "1"),))
    comparison.headers(
        "p", "op", (("Date", "a"), ("Server", "b"), ("Content-Type", "c")), (("content-type", "c"),)
    )
    assert comparison.close() == []
    comparison.headers("p", "op", (("Content-Type", "c"), ("X", "1")), (("Content-Type", "d"),))
    assert [each.field for each in comparison.close()] == ["header content-type", "header x"]
