"""Values and records: dataclasses that share what compares, hashes and shows."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, field, fields, replace

import pytest

from voice_emulator.core.values import plain_record, plain_value


@plain_value
class Point:
    """A point."""

    x: int
    y: int = 0
    tags: tuple[str, ...] = field(default_factory=tuple)


@plain_value
class Other:
    """The same fields."""

    x: int
    y: int = 0
    tags: tuple[str, ...] = ()


@plain_value
class Nothing:
    """No fields."""


@plain_record
class Counter:
    """A number that grows."""

    count: int = 0


@plain_value
class Named:
    """A name, compared in its own way."""

    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and self.name.lower() == other.name.lower()

    def __hash__(self) -> int:
        return hash(self.name.lower())


@dataclass(frozen=True, slots=True)
class Compiled:
    """What :func:`dataclass` makes of a point."""

    x: int
    y: int = 0
    tags: tuple[str, ...] = field(default_factory=tuple)


def test_values_are_equal_by_class_and_fields() -> None:
    assert Point(1, 2) == Point(1, 2)
    assert hash(Point(1, 2)) == hash(Point(1, 2))
    assert Point(1, 2) != Point(1, 3)
    assert Point(1, 2) != Other(1, 2)
    assert Point(1) != (1, 0, ())
    assert {Point(1): "one"}[Point(1)] == "one"
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())


def test_values_show_compare_and_describe_themselves_as_a_dataclass_does() -> None:
    ours, theirs = Point(1, tags=("a",)), Compiled(1, tags=("a",))
    assert repr(ours).removeprefix("Point") == repr(theirs).removeprefix("Compiled")
    assert [each.name for each in fields(Point)] == [each.name for each in fields(Compiled)]
    assert replace(ours, y=5) == Point(1, 5, ("a",))
    assert pickle.loads(pickle.dumps(ours)) == copy.deepcopy(ours) == ours
    assert not hasattr(ours, "__dict__")


def test_values_hide_a_field_that_is_not_to_be_shown() -> None:
    @plain_value
    class Login:
        name: str
        password: str = field(repr=False)

    assert repr(Login("joe", "hunter2")).endswith("Login(name='joe')")


def test_values_keep_a_comparison_of_their_own() -> None:
    assert Named("A") == Named("a")
    assert len({Named("A"), Named("a")}) == 1


def test_records_are_equal_by_fields_and_cannot_be_hashed() -> None:
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1) != Counter(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)
    with pytest.raises(AttributeError):
        counter.total = 1  # type: ignore[attr-defined]
