from __future__ import annotations

from typing import Any

import pytest

from voice_emulator.scenarios.nodes import (
    DEPTH_LIMIT,
    MappingNode,
    Scalar,
    SequenceNode,
    as_value,
    child_pointer,
    from_json,
)


def test_pointers_follow_rfc_6901():
    assert child_pointer("/a", "b/c~d") == "/a/b~1c~0d"


def test_json_values_become_texts_with_pointers():
    node, findings = from_json({"a": [1, True, None, "no", 2.5]}, "label")
    assert findings == []
    assert isinstance(node, MappingNode)
    listing = node.entries["a"]
    assert isinstance(listing, SequenceNode)
    assert as_value(node) == {"a": ["1", "true", None, "no", "2.5"]}
    assert [item.location.pointer for item in listing.items] == [f"/a/{index}" for index in range(5)]


@pytest.mark.parametrize(("plain", "text", "null"), [(True, "", True), (True, "~", True), (False, "", False)])
def test_what_counts_as_no_value(plain: bool, text: str, null: bool):
    assert Scalar(text, None, plain).null is null  # type: ignore[arg-type]  # the place does not matter


def test_json_nested_too_deep_is_a_finding():
    document: Any = "x"
    for _ in range(DEPTH_LIMIT + 1):
        document = [document]
    node, findings = from_json(document, "label")
    assert node is None
    assert f"deeper than {DEPTH_LIMIT}" in findings[0].message


def test_json_over_the_limit_is_a_finding():
    node, findings = from_json(["x"] * 100_001, "label")
    assert node is None
    assert "more than 100000 values" in findings[0].message


def test_a_number_nobody_could_print_does_no_harm():
    node, _ = from_json(10**10_000, "label")
    assert as_value(node) == "a number too long to print"  # type: ignore[arg-type]  # a node came back
