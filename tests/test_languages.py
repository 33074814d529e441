"""The reminder service in five languages: its tests pass, and one fails when the planted bug is switched on.

Go and Java cost more than five seconds of processor time each, so their tests are `long`; `make test-examples` runs all.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import voice_emulator
from tests.languages import LANGUAGES, TWICE, Language
from tests.patience import PATIENCE
from voice_emulator.client import VoiceEmulator

#: Seconds of processor time that the tests of one language may take.
LIMIT = 30
EACH = [
    pytest.param(each, id=each.folder, marks=[pytest.mark.long] if each.dear else []) for each in LANGUAGES
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[VoiceEmulator]:
    with voice_emulator.running() as running:
        yield running


def run(language: Language, emulator: VoiceEmulator, folder: Path, **environment: str) -> tuple[int, str]:
    missing = language.missing()
    if missing:
        pytest.skip(f"examples/{language.folder} was not run: {missing} is not installed")
    done = None
    for command in language.commands(folder):
        done = subprocess.run(
            command, cwd=Path(__file__).parents[1] / "examples" / language.folder, text=True, capture_output=True,
            timeout=PATIENCE * 6, check=False,
            env=os.environ | {"VOICE_EMULATOR_CONTROL": emulator.control_url, "PYTHONDONTWRITEBYTECODE": "1"} | environment,
        )  # fmt: skip
    assert done is not None
    return done.returncode, done.stdout + done.stderr


def spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("language", EACH)
def test_the_example_passes_and_fails_with_its_planted_bug(
    language: Language, emulator: VoiceEmulator, tmp_path: Path
):
    before = spent()
    status, printed = run(language, emulator, tmp_path)
    assert status == 0, printed
    assert spent() - before < LIMIT
    assert len(emulator.client.tenants()) == 1, "each test deleted its tenant"
    status, printed = run(language, emulator, tmp_path, REMINDERS_BUG="1")
    assert status != 0
    assert TWICE.search(printed.replace(" ", "_"))


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.folder)
def test_the_helper_is_short_and_asserts_before_it_deletes(language: Language):
    text = language.text(language.helper)
    assert len(text.splitlines()) <= 150
    assert text.lower().replace("_", "").index("assertnoviolations()") < text.index("DELETE")
