from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from voice_emulator import version as module
from voice_emulator.version import version

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


@pytest.fixture(autouse=True)
def asked_anew():
    """A process asks once."""
    version.cache_clear()
    yield
    version.cache_clear()


def nowhere(name: str) -> Any:
    raise metadata.PackageNotFoundError(name)


def test_version_is_that_of_the_installed_distribution():
    assert version() == metadata.version("voice-emulator")


def test_version_of_a_checkout_that_nobody_has_installed_is_read_from_its_project(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(metadata, "version", nowhere)
    assert version() == tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]


def test_version_without_a_project_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(metadata, "version", nowhere)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "a" / "b" / "version.py"))
    assert version() == "0+unknown"
