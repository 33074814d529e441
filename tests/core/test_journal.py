from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.journal import Journal


@dataclass
class Line:
    weight: int = 10

    def shown(self) -> dict[str, Any]:
        return {"weight": self.weight}


def test_entries_are_numbered_and_found_again():
    journal = Journal()
    first = journal.append("request", 5, Line())
    second = journal.append("callback", 6, Line())
    assert (first.id, second.id) == (1, 2)
    assert journal.get(2) is second
    assert journal.get(3) is None
    assert [entry.id for entry in journal.after(0)] == [1, 2]
    assert [entry.id for entry in journal.after(0, "callback")] == [2]
    assert list(journal.after(2)) == []
    assert list(Journal().after(0)) == []
    assert Journal().get(1) is None


@given(st.lists(st.integers(1, 100)), st.integers(1, 20), st.integers(1, 500))
def test_both_bounds_hold_and_the_newest_entry_stays(weights: list[int], limit: int, byte_limit: int):
    journal = Journal(limit, byte_limit)
    for weight in weights:
        newest = journal.append("system", 0, Line(weight))
        kept = list(journal)
        assert kept[-1] is newest
        assert len(kept) <= limit
        assert len(kept) == 1 or sum(entry.record.weight for entry in kept) <= byte_limit
        assert journal.evicted + len(kept) == newest.id
        assert [journal.get(entry.id) for entry in kept] == kept
        assert journal.get(kept[0].id - 1) is None


def test_ids_go_on_after_clearing():
    journal = Journal()
    journal.append("system", 0, Line())
    journal.clear()
    assert len(journal) == 0
    assert journal.append("system", 0, Line()).id == 2


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 200))), st.integers(1, 20), st.integers(1, 500))
def test_what_an_entry_weighs_later_counts_too(weights: list[tuple[int, int]], limit: int, byte_limit: int):
    journal = Journal(limit, byte_limit)
    later = {}
    for weight, more in weights:
        newest = journal.append("system", 0, Line(weight))
        journal.weigh(newest.id, more)
        later[newest.id] = more
        kept = list(journal)
        assert kept[-1] is newest
        assert len(kept) == 1 or sum(entry.record.weight + later[entry.id] for entry in kept) <= byte_limit
    journal.weigh(10_000, 50)
    journal.clear()
    journal.append("system", 0, Line(1))
    assert len(journal) == 1
