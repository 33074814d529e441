from __future__ import annotations

import pytest

from tests.scenarios.made_up import complaints, load
from voice_emulator.core.clock import ClockSpec


def test_document_keys_at_the_top():
    read = load(
        "name: bad-evening-2\ndescription: Some.\nseed: 0042\nclock: manual\nmagic_numbers: no\nrules: []\n"
    )
    assert (read.name, read.description, read.seed, read.clock) == (
        "bad-evening-2",
        "Some.",
        42,
        ClockSpec("manual"),
    )
    assert read.magic == ()


def test_silence_is_kept_apart_from_defaults():
    read = load("name: x\n")
    assert (read.seed, read.clock, dict(read.providers), read.rules) == (None, None, {}, ())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", ["1:1 the scenario has no name; begin with a line like name: bad-evening"]),
        ("name: ''", ["1:7 name is empty"]),
        ("name:", ["1:6 name is empty"]),
        ("name: [a]", ["1:7 name must be a text, not a list"]),
        (
            "name: Bad",
            ["1:7 a name must be small letters, digits and hyphens (kebab-case), not 'Bad'; write bad"],
        ),
        ("name: ---", ["1:7 a name must be small letters, digits and hyphens (kebab-case), not '---'"]),
        (f"name: {'x' * 65}", ["1:7 a name has at most 64 characters, not 65"]),
        ("name: x\nseed: 1.5", ["2:7 seed must be a whole number, not '1.5'"]),
        ("name: x\nmagic_numbers: some", ["2:16 magic_numbers must be true or false, not 'some'"]),
        ("name: x\nmagic: no", ["2:1 unknown key 'magic' in a scenario; did you mean 'magic_numbers'?"]),
        ("name: x\nextends: [a]", ["2:10 extends must be a text, not a list"]),
        ("just text", ["1:1 a scenario must be a mapping, not 'just text'"]),
        ("", ["1:1 the file is empty; a scenario has at least a name"]),
    ],
)
def test_wrong_documents(text: str, found: list[str]):
    assert complaints(text) == found
