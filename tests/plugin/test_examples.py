"""Each example stands alone: copied to a folder of its own, it passes with pytest and the package and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.languages import LANGUAGES
from tests.patience import PATIENCE
from tests.plugin.conftest import INSTALLED

EXAMPLES = Path(__file__).parents[2] / "examples"
#: Those that pytest tests. The service in five languages has tests that need an emulator which runs already
#: (tests/test_languages.py runs them), and the load test has none.
NAMES = sorted(
    {path.relative_to(EXAMPLES).parts[0] for path in EXAMPLES.rglob("test_*.py")}
    - {language.folder for language in LANGUAGES}
)
#: As if they were not installed.
WITHOUT = (
    "cacheprovider",
    "asyncio",
    "aiohttp",
    "anyio",
    "xdist",
    "randomly",
    "schemathesis",
    "faker",
    "pytest_cov",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_copied_folder_passes(name, tmp_path):
    copy = tmp_path / "mine"
    shutil.copytree(EXAMPLES / name, copy, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {
        variable: value
        for variable, value in os.environ.items()
        if not variable.startswith(("VOICE_EMULATOR_", "PYTEST_", "COV_"))
    }
    named = [] if INSTALLED else ["-p", "voice_emulator.pytest_plugin"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "mine", "-q", *named, *(f"-pno:{each}" for each in WITHOUT)],
        cwd=tmp_path, env=environment | {"PYTHONPATH": str(EXAMPLES.parent / "emulator")}, text=True,
        capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert " failed" not in done.stdout
