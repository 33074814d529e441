"""The generated files are what the code makes of them, and what they say is true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.generated import CHECKOUT, default_text, files, settings_table
from voice_emulator.providers.registry import discover

PROVIDERS = discover()
#: Lines of schemas/scenario.part.json, the part of the schema that is written by hand.
BY_HAND = 300


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_a_generated_file_is_not_stale(path: Path):
    present = path.read_text(encoding="utf-8")
    assert present == files()[path](present), f"{path.relative_to(CHECKOUT)} is stale: run `make generated`"


def test_a_page_without_its_generated_parts_is_an_error():
    with pytest.raises(ValueError, match="should have"):
        files()[CHECKOUT / "docs" / "options.md"]("# Options")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_default_in_the_table_reads_as_the_default(provider: str):
    settings = PROVIDERS[provider].settings
    rows = [row.split(" | ") for row in settings_table(PROVIDERS[provider]).splitlines()[2:]]
    assert [row[0].strip("|` ") for row in rows] == list(settings.settings)
    for setting, row in zip(settings.settings.values(), rows, strict=True):
        shown = row[1].strip("`")
        value = shown if isinstance(setting.default, str) and shown != '""' else json.loads(shown)
        assert value == setting.default
        assert type(value) is type(setting.default)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (True, "true"),
        (0, "0"),
        (False, "false"),
        (None, "null"),
        ("", '""'),
        ("8", "8"),
        ([], "[]"),
    ],
)
def test_equal_values_of_other_types_are_shown_apart(value: object, text: str):
    assert default_text(value) == text
    assert yaml.safe_load(default_text(value)) == (int(value) if value == "8" else value)


def test_the_part_of_the_schema_that_is_written_by_hand_is_short():
    part = CHECKOUT / "schemas" / "scenario.part.json"
    assert len(part.read_text(encoding="utf-8").splitlines()) <= BY_HAND
