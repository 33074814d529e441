from __future__ import annotations

from voice_emulator.contract.coverage import split


def test_split_counts_names_it_did_not_know_of_too():
    assert split(["a", "b"], {"b": 2, "z": 1, "y": 0}) == {
        "exercised": {"b": 2, "z": 1},
        "never": ["a", "y"],
        "of": 4,
    }
