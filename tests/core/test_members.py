from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from voice_emulator.core import members
from voice_emulator.core.members import (
    COUNT,
    FLAG,
    FLAG_SET,
    INSTANT,
    MONEY,
    OBJECT,
    TEXT,
    Shape,
    list_of,
    member,
    object_of,
    original,
    words,
)  # fmt: skip
from voice_emulator.core.vocabulary import Party


@dataclass(frozen=True, slots=True)
class Inner(Shape):
    """A part of an object."""

    count: int = member(COUNT)


@dataclass(frozen=True, slots=True)
class Outer(Shape):
    """An object
    of two lines.

    And a remark.
    """

    inner: Inner | None = member(object_of(Inner).or_none)
    many: tuple[Inner, ...] = member(list_of(Inner))
    when: datetime | None = member(INSTANT.or_none, "When.")
    word: str = member(words(Party))
    extra: str = member(TEXT.or_empty, optional=True)
    document: Mapping[str, Any] = original()


SHOWN = {
    "inner": {"count": 2},
    "many": [{"count": 1}],
    "when": "2026-01-05T01:00:00.000000+00:00",
    "word": "callee",
}


def test_shown_renders_each_member_in_the_order_declared():
    instant = datetime(2026, 1, 5, 1, tzinfo=UTC)
    micros = round(instant.timestamp() * 1_000_000)
    shown = Outer.shown(
        word=Party.CALLEE, when=micros, many=(Inner.shown(count=1),), inner=Inner.shown(count=2)
    )
    assert (shown, list(shown)) == (SHOWN, list(SHOWN))
    assert type(shown["word"]) is str
    read = Outer.read(shown)
    assert (read.inner, read.many, read.when, read.word) == (Inner(2), (Inner(1),), instant, "callee")


@pytest.mark.parametrize(("left", "more"), [("many", {}), ("", {"unknown": 1}), ("word", {"wrod": "callee"})])
def test_shown_takes_the_declared_members_only(left: str, more: dict[str, Any]):
    given = {name: value for name, value in SHOWN.items() if name != left} | {"when": None} | more
    with pytest.raises(TypeError, match=left or "unknown"):
        Outer.shown(**given)


def test_schema_admits_what_is_shown_and_nothing_else():
    document = {"components": {"schemas": {"Inner": Inner.schema()}}, **Outer.schema()}
    assert document["description"] == "An object of two lines."
    assert document["properties"]["when"]["description"] == "When."
    assert document["required"] == ["inner", "many", "when", "word"]
    check = jsonschema.Draft202012Validator(document).is_valid
    for change in ({}, {"inner": None, "when": None}, {"extra": "x"}, {"extra": None}):
        assert check(SHOWN | change), change
    wrong: dict[str, Any]
    for wrong in ({"word": "nobody"}, {"many": None}, {"more": 1}, {"inner": {}}, {"many": [{"count": -1}]}):
        assert not check(SHOWN | wrong), wrong


def test_read_ignores_unknown_members_and_keeps_the_document():
    document = {**SHOWN, "unheard-of": True, "when": "2026-01-05T09:00:00+08:00"}
    read = Outer.read(document)
    assert read.when is not None
    assert read.when.utcoffset() == timedelta(hours=8)
    assert read.document is document
    assert "unheard-of" not in repr(read)
    assert read == Outer.read({**document, "unheard-of": False})


def test_read_takes_what_is_missing_for_empty():
    read = Outer.read({})
    assert (read.inner, read.many, read.when, read.word, read.extra) == (None, (), None, "", "")


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        (TEXT, 5, "5"),
        (TEXT, None, ""),
        (TEXT.or_none, None, None),
        (TEXT.or_empty, None, ""),
        (list_of(TEXT), None, ()),
        (list_of(TEXT), ["1", "a"], ("1", "a")),
        (COUNT, None, 0),
        (FLAG, None, False),
        (FLAG_SET, None, True),
        (FLAG_SET, False, False),
        (MONEY, "0.036", Decimal("0.036")),
        (MONEY, None, Decimal(0)),
        (OBJECT, None, {}),
        (members.PAIRS, [["a", "b"]], [["a", "b"]]),
    ],
)
def test_kinds_read_null_as_empty(kind: members.Kind, given: Any, value: Any):
    assert kind.read(given) == value


def test_kinds_show_null_only_where_it_is_allowed():
    assert (TEXT.or_empty.show(None), INSTANT.or_none.show(None), MONEY.show(Decimal("1.50"))) == (
        None,
        None,
        "1.5",
    )
    with pytest.raises(TypeError):
        INSTANT.show(None)
