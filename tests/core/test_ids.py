from __future__ import annotations

from voice_emulator.core.ids import Ids


def test_unique_tries_until_a_value_is_free():
    taken = {"0", "1"}
    ids = Ids(("scope",), lambda space, value: value not in taken)
    assert ids.unique("space", str) == "2"


def test_increasing_ids_keep_their_millisecond_whatever_is_taken():
    given: set[str] = set()

    def claim(space: str, value: str) -> bool:
        free = value not in given
        given.add(value)
        return free

    ids = Ids(("scope",), claim)
    made = [ids.increasing("serial", 5_000, 2, "key") for _ in range(100)]
    assert len(set(made)) == 100, "all hundred ids of one millisecond are used up"
    assert {int(value) // 100 for value in made} == {5}
    assert int(ids.increasing("serial", 6_000, 2, "key")) > max(map(int, made))


def test_drawn_ids_depend_on_scope_and_key():
    first, second = (Ids((scope,), lambda space, value: True) for scope in "ab")
    assert first.hexadecimal("token", 31, "k") == first.hexadecimal("token", 31, "k")
    assert len(first.hexadecimal("token", 31, "k")) == 31
    assert first.hexadecimal("token", 31, "k") != second.hexadecimal("token", 31, "k")
    assert first.drawn_hexadecimal(8, "a") != first.drawn_hexadecimal(8, "b")
    assert all(0 <= first.drawn_integer(7, number) < 7 for number in range(50))
