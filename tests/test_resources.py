from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from voice_emulator import resources
from voice_emulator.resources import ResourceNotFoundError, data_path

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A small tree of data files instead of the real one."""
    (tmp_path / "schemas" / "nxcloud").mkdir(parents=True)
    (tmp_path / "schemas" / "nxcloud" / "gpsend.request.json").write_text("{}")
    (tmp_path / "schemas" / "nxcloud" / "gpsend.reply.json").write_text("{}")
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "secret.txt").write_text("outside the shipped folders")
    monkeypatch.setattr(resources, "_root", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize("folder", resources.FOLDERS)
def test_a_checkout_is_read_from_its_top_level(folder):
    assert data_path(folder) == CHECKOUT / folder
    assert any(data_path(folder).iterdir())


def test_an_installed_package_is_read_from_its_own_folder(tmp_path, monkeypatch):
    """Even where the folder around it, site-packages, has a `schemas` that belongs to somebody else."""
    package = tmp_path / "voice_emulator"
    (package / "_data" / "schemas").mkdir(parents=True)
    (tmp_path / "schemas").mkdir()
    monkeypatch.setattr(resources, "__file__", str(package / "resources.py"))
    resources._root.cache_clear()
    try:
        assert data_path("schemas") == package / "_data" / "schemas"
    finally:
        resources._root.cache_clear()


def test_a_file_is_found_by_its_names(shipped):
    assert data_path("schemas", "nxcloud", "gpsend.reply.json").read_text() == "{}"
    assert data_path("schemas", "nxcloud") == shipped / "schemas" / "nxcloud"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("schemes",), "there is no 'schemes' in the shipped data; did you mean 'schemas'?"),
        (("schemas", "nxclod"), "there is no 'nxclod' in schemas; did you mean 'nxcloud'?"),
        (
            ("schemas", "nxcloud", "gpsend.repli.json"),
            "there is no 'gpsend.repli.json' in schemas/nxcloud; did you mean 'gpsend.reply.json'?",
        ),
        (("schemas", "twilio"), "there is no 'twilio' in schemas; known are nxcloud"),
        (("scenarios", "happy-path.yaml"), "there is no 'happy-path.yaml' in scenarios"),
        (
            ("schemas", "nxcloud", "gpsend.reply.json", "deeper"),
            "there is no 'deeper' in schemas/nxcloud/gpsend.reply.json",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_nearest_name(shipped, names, message):
    with pytest.raises(ResourceNotFoundError) as failure:
        data_path(*names)
    assert str(failure.value) == message


@pytest.mark.parametrize(
    "names",
    [
        ("..",),
        ("schemas", ".."),
        ("scenarios", "../secret.txt"),
        ("schemas", "nxcloud/gpsend.reply.json"),
        ("schemas", ""),
        ("schemas", "."),
        ("schemas", "NXCLOUD"),
        ("/etc",),
        ("secret.txt",),
    ],
)
def test_only_exact_names_below_the_folders_lead_anywhere(shipped, names):
    with pytest.raises(ResourceNotFoundError):
        data_path(*names)


def test_a_folder_that_was_not_shipped_is_missing(shipped):
    (shipped / "scenarios").rmdir()
    with pytest.raises(ResourceNotFoundError, match="there is no 'scenarios' in the shipped data"):
        data_path("scenarios")


def test_importing_the_package_and_the_resolver_loads_nothing_costly():
    costly = {"importlib.metadata", "importlib.resources", "tomllib", "difflib", "aiohttp", "faker", "rich"}
    code = f"import sys, voice_emulator, voice_emulator.resources; print(*{costly} & sys.modules.keys())"
    # -S: without site, whose .pth files may import anything.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=CHECKOUT / "emulator",
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout.split() == []
