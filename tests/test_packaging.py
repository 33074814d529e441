"""What users install is the wheel: it is built, installed into an empty environment, and run elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import emulator
from tests.patience import PATIENCE

CHECKOUT = Path(__file__).parents[1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
PROVIDERS = ("nxcloud", "huawei_cec", "infin8linx")


def run(*command: str | Path, cwd: Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command as a stranger's shell would: nothing of this checkout or its environment leaks in."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
        and not name.startswith(("VOICE_EMULATOR_", "COV_"))
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{command} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def data_files() -> set[str]:
    """The schemas and scenarios of the checkout, as `schemas/...` and `scenarios/...`."""
    return {
        path.relative_to(CHECKOUT).as_posix()
        for folder in ("schemas", "scenarios")
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file() and path.suffix in {".json", ".yaml"}
    }


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    """A folder with the source distribution, and the wheel built from it and from nothing else."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CHECKOUT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(dist) -> Path:
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The bin folder of a fresh virtual environment that holds the wheel and what the lock file names."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    install = (
        commands / "python",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "install",
        "--no-compile",
    )
    run(*install, "--require-hashes", "-r", CHECKOUT / "requirements" / "runtime.lock", cwd=folder)
    run(*install, "--no-deps", wheel, cwd=folder)
    run(commands / "python", "-m", "pip", "--disable-pip-version-check", "check", cwd=folder)
    return commands


def test_the_wheel_holds_the_package_its_types_and_its_data_and_no_more(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {f"emulator/_data/{name}" for name in data_files()} <= names
    assert {"emulator/__init__.py", "emulator/__main__.py", "emulator/py.typed"} <= names
    modules = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "emulator").rglob("*.py")}
    assert modules <= names
    assert {name.split("/")[0] for name in names} == {
        "emulator",
        f"voice_emulator-{PROJECT['project']['version']}.dist-info",
    }
    assert not [name for name in names if "__pycache__" in name]


def test_the_source_distribution_holds_all_that_is_needed_to_build_and_test(dist):
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}

    assert data_files() <= names
    assert {
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "Makefile",
        "tests/conftest.py",
    } <= names
    assert {"requirements/dev.lock", "requirements/runtime.lock", "requirements/build.lock"} <= names


def test_the_version_is_the_same_wherever_it_is_asked_for(installed, tmp_path):
    assert emulator.__version__ == PROJECT["project"]["version"]
    asked = run(installed / "python", "-c", "import emulator; print(emulator.__version__)", cwd=tmp_path)
    assert asked.stdout.strip() == PROJECT["project"]["version"]


def test_the_data_is_found_in_an_installation(installed, tmp_path):
    code = (
        "from emulator.resources import data_path\n"
        "for folder in map(data_path, ('schemas', 'scenarios')):\n"
        "    for path in folder.rglob('*.*'):\n"
        "        print(path.relative_to(folder.parent).as_posix())"
    )
    listed = run(installed / "python", "-c", code, cwd=tmp_path)
    assert set(listed.stdout.split()) == data_files()


def test_the_demo_runs_from_an_installation_elsewhere(installed, tmp_path):
    shown = run(installed / "voice-emulator", "demo", cwd=tmp_path, timeout=PATIENCE)
    for provider in PROVIDERS:
        assert re.search(rf"\b{provider}\b", shown.stdout), shown.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lock", sorted(path.name for path in (CHECKOUT / "requirements").glob("*.lock")))
def test_a_lock_file_pins_every_requirement_by_hash_and_names_no_address(lock):
    text = (CHECKOUT / "requirements" / lock).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    requirements = re.split(r"\n(?=\S)", "\n".join(lines))  # what is indented goes on with the one above
    assert "://" not in text
    assert requirements
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9_.-]+==\S+ ", requirement), requirement
        assert re.search(r"\n    --hash=sha256:[0-9a-f]{64}", requirement), requirement


def test_the_runtime_lock_holds_what_the_development_lock_holds():
    """So that the tests run with the very versions that the container and `make demo` use."""

    def pins(name: str) -> dict[str, str]:
        text = (CHECKOUT / "requirements" / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, re.MULTILINE))

    runtime, development = pins("runtime.lock"), pins("dev.lock")
    assert runtime
    assert {name: development.get(name) for name in runtime} == runtime


def test_every_dependency_is_locked():
    text = (CHECKOUT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE))
    wanted = {
        re.split(r"[<>=;!~\[ ]", requirement)[0].lower() for requirement in PROJECT["project"]["dependencies"]
    }
    assert wanted <= locked
