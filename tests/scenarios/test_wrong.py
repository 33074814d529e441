"""Fifty wrong files: each must give exactly the findings that it names in its own comments.

``# expect 3:7 hint`` says line, column and a part of the message; ``# expect base.yaml:3:7 hint`` is about
a file it extends. ``# schema accepts`` marks what the JSON Schema of editors cannot see.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voice_emulator.providers.registry import discover
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.schemas.validate import SchemaSet

FILES = sorted((Path(__file__).parent / "wrong").glob("*.yaml"))
EXPECTATION = re.compile(rb"^# expect (?:([a-z-]+\.yaml):)?([0-9]+):([0-9]+) (.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def loader() -> ScenarioLoader:
    providers = discover()
    return ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {})


def test_wrong_files_are_many():
    assert len(FILES) >= 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_exactly_the_expected_findings(path: Path, loader: ScenarioLoader):
    expected = [
        (file.decode() or path.name, int(line), int(column), hint.decode())
        for file, line, column, hint in EXPECTATION.findall(path.read_bytes())
    ]
    assert expected
    found = loader.check(path)
    assert [(Path(finding.file).name, finding.line, finding.column) for finding in found] == [
        (file, line, column) for file, line, column, _ in expected
    ]
    for finding, (_, _, _, hint) in zip(found, expected, strict=True):
        assert hint in finding.message
