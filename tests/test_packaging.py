"""What users install is the wheel: it is built, installed into an empty environment, and run elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import voice_emulator
from tests.cli.process import Lines
from tests.container.dockerfile import build
from tests.patience import PATIENCE
from voice_emulator.cli.packing import write_wheel

CHECKOUT = Path(__file__).parents[1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = sorted((CHECKOUT / "requirements").glob("*.lock"))
PROVIDERS = ("nxcloud", "huawei_cec", "infin8linx")

#: A name and perhaps its extras, up to its version.
PINNED = r"([A-Za-z0-9_.-]+)(?:\[[a-z0-9,_-]+\])?=="


def strange(**extra: str) -> dict[str, str]:
    """The environment of a stranger's shell: nothing of this checkout or its environment leaks in."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL"}
        and not name.startswith(("VOICE_EMULATOR_", "PYTEST_"))
    }
    return kept | extra


def run(
    *command: str | Path, cwd: Path, timeout: float = 300, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as a stranger would, and to success."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=strange(**(env or {})),
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
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")

    def pip(command: str, *more: str | Path) -> None:
        """By uv, which takes a twentieth of the time."""
        run(
            sys.executable,
            "-m",
            "uv",
            "--quiet",
            "pip",
            command,
            "--python",
            commands / "python",
            *more,
            cwd=folder,
        )

    pip("install", "--require-hashes", "-r", CHECKOUT / "requirements" / "runtime.lock")
    pip("install", "--no-deps", wheel)
    pip("check")
    return commands


def test_the_wheel_holds_the_package_its_types_and_its_data_and_no_more(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {f"voice_emulator/_data/{name}" for name in data_files()} <= names
    assert {
        "voice_emulator/__init__.py",
        "voice_emulator/__main__.py",
        "voice_emulator/py.typed",
    } <= names
    modules = {
        path.relative_to(CHECKOUT / "emulator").as_posix() for path in (CHECKOUT / "emulator").rglob("*.py")
    }
    assert modules <= names
    assert {name.split("/")[0] for name in names} == {
        "voice_emulator",
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
    assert {path.relative_to(CHECKOUT).as_posix() for path in LOCKS} <= names


def test_the_version_is_the_same_wherever_it_is_asked_for(installed, tmp_path):
    assert voice_emulator.__version__ == PROJECT["project"]["version"]
    asked = run(
        installed / "python", "-c", "import voice_emulator; print(voice_emulator.__version__)", cwd=tmp_path
    )
    assert asked.stdout.strip() == PROJECT["project"]["version"]


def test_the_data_is_found_in_an_installation(installed, tmp_path):
    code = (
        "from voice_emulator.resources import data_path\n"
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


@pytest.mark.parametrize("lock", [path.name for path in LOCKS])
def test_a_lock_file_pins_every_requirement_by_hash_and_names_no_address(lock):
    text = (CHECKOUT / "requirements" / lock).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    requirements = re.split(r"\n(?=\S)", "\n".join(lines))  # what is indented goes on with the one above
    assert "://" not in text
    assert requirements
    for requirement in requirements:
        assert re.match(rf"{PINNED}\S+ ", requirement), requirement
        assert re.search(r"\n    --hash=sha256:[0-9a-f]{64}", requirement), requirement


def test_the_runtime_lock_holds_what_the_development_lock_holds():
    """So that the tests run with the very versions that the container and `make demo` use."""

    def pins(name: str) -> dict[str, str]:
        text = (CHECKOUT / "requirements" / name).read_text(encoding="utf-8")
        return dict(re.findall(rf"^{PINNED}([^\s;\\]+)", text, re.MULTILINE))

    runtime, development = pins("runtime.lock"), pins("dev.lock")
    assert runtime
    assert {name: development.get(name) for name in runtime} == runtime


def test_every_dependency_is_locked():
    """And the extra of replicas: the image has it."""
    text = (CHECKOUT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    locked = set(re.findall(rf"^{PINNED}", text, re.MULTILINE))
    needed = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["valkey"]]
    assert {re.split(r"[<>=;!~\[ ]", requirement)[0].lower() for requirement in needed} <= locked


def unlocked_extras(needs: Mapping[str, Iterable[str]], lock: str) -> list[str]:
    """What asks for an extra that ``lock`` does not pin with it.

    An installer then looks for the newest release that has the extra, and finds no hash for it: it worked on the day
    the lock was written. ``needs`` are the requirements of each locked distribution.
    """
    pinned = {
        canonicalize_name(name): set(filter(None, extras.split(",")))
        for name, extras in re.findall(r"^([A-Za-z0-9_.-]+)(?:\[([^]]*)\])?==", lock, re.MULTILINE)
    }
    found = []
    for name, requirements in needs.items():
        cases = [{"extra": extra} for extra in ("", *pinned[canonicalize_name(name)])]
        for need in map(Requirement, requirements):
            applies = need.marker is None or any(need.marker.evaluate(case) for case in cases)
            if applies and not need.extras <= pinned.get(canonicalize_name(need.name), set()):
                found.append(f"{name} asks for {need}")
    return found


def needs_of(lock: str) -> dict[str, list[str]]:
    """The requirements in the metadata of what ``lock`` names, as far as it is installed here."""
    needs: dict[str, list[str]] = {}
    for name in re.findall(rf"^{PINNED}", lock, re.MULTILINE):
        try:
            needs[canonicalize_name(name)] = distribution(name).requires or []
        except PackageNotFoundError:
            pass  # for another platform, or an environment of its own (sbom)
    return needs


@pytest.mark.parametrize("lock", [path.name for path in LOCKS])
def test_an_extra_that_something_locked_asks_for_is_locked_with_it(lock):
    text = (CHECKOUT / "requirements" / lock).read_text(encoding="utf-8")
    needs = needs_of(text)
    if lock in {"dev.lock", "runtime.lock", "build.lock"}:
        # All but what other platforms need.
        assert len(needs) >= len(re.findall(rf"^{PINNED}[^;]*$", text, re.MULTILINE))
    assert unlocked_extras(needs, text) == []


@pytest.mark.parametrize(
    ("lock", "need", "found"),
    [
        ("a==1 \\\nb==2 \\\n", "b[x]>=1", ["a asks for b[x]>=1"]),
        ("a==1 \\\nb[x]==2 \\\n", "b[x]>=1", []),
        ("a==1 \\\nb[x]==2 \\\n", "B[x,y]", ["a asks for B[x,y]"]),
        ("a==1 \\\nb==2 \\\n", "b[x]; extra == 'more'", []),
        ("a[more]==1 \\\nb==2 \\\n", "b[x]; extra == 'more'", ['a asks for b[x]; extra == "more"']),
        ("a==1 \\\n", "b[x]; python_version < '3'", []),
        ("a==1 \\\nb==2 \\\n", "b", []),
    ],
)
def test_such_an_extra_would_be_found(lock: str, need: str, found: list[str]):
    assert unlocked_extras({"a": [need]}, lock) == found


def test_the_wheel_that_init_writes_is_the_one_that_was_built(wheel, installed, tmp_path):
    """From an installation, and from this checkout."""
    run(installed / "voice-emulator", "init", cwd=tmp_path)
    (tmp_path / "checkout").mkdir()
    for written in (tmp_path / "wheels" / wheel.name, write_wheel(tmp_path / "checkout")):
        assert written.name == wheel.name
        contents = []
        for path in (wheel, written):
            with zipfile.ZipFile(path) as opened:
                assert opened.testzip() is None
                records = [name for name in opened.namelist() if name.endswith("/RECORD")]
                listed = opened.read(records[0]).decode()
                contents.append({
                    name: opened.read(name) for name in opened.namelist() if name not in records
                } | {"lines": sorted(listed.splitlines())})  # fmt: skip
        # An editable installation has the metadata of the day it was made.
        metadata = (
            {name for name in contents[0] if name.endswith("/METADATA")}
            if "checkout" in str(written)
            else set()
        )
        assert contents[0].keys() == contents[1].keys()
        differing = {name for name in contents[0] if contents[0][name] != contents[1][name]}
        assert differing <= metadata | ({"lines"} if metadata else set())


INSTALLS = re.compile(r"pip install ([^\n`|]*)")
TEXTS = sorted(
    path
    for pattern in ("README.md", "action.yml", "docs/**/*.md", "emulator/**/*.*", "examples/**/*.*")
    for path in CHECKOUT.glob(pattern)
    if path.suffix in {".md", ".yml", ".yaml", ".py", ".html", ".js", ".txt", ".toml"}
)


def by_name(text: str) -> list[str]:
    """The commands in ``text`` that would have pip look for this project in an index."""
    return [
        found[0]
        for found in INSTALLS.finditer(text)
        if any(re.match(r"['\"]?voice[-_]emulator(?!\S*(\.whl|/))", word) for word in found[1].split())
    ]


def test_documents_never_install_this_project_by_a_name_that_no_index_has():
    assert {path.name: by_name(path.read_text(encoding="utf-8")) for path in TEXTS} == {
        path.name: [] for path in TEXTS
    }
    assert by_name("run: pip install voice-emulator\n") == ["pip install voice-emulator"]
    assert by_name("(pip install -q 'voice-emulator[tls]')")
    assert by_name("pip install voice_emulator==0.1.0")
    assert not by_name("pip install wheels/voice_emulator-*.whl")
    assert not by_name("pip install git+https://git.example.com/x/voice-emulator.git@main")


# --- with package indexes, as a stranger has them: `make test-long` ------------------------------------------


@pytest.fixture(scope="module")
def own_project(wheel, tmp_path_factory) -> tuple[Path, Path]:
    """A project's folder after `pip install WHEEL` and `voice-emulator init`; and the bin folder of its environment."""
    folder = tmp_path_factory.mktemp("project")
    run(sys.executable, "-m", "venv", ".venv", cwd=folder)
    commands = folder / ".venv" / ("Scripts" if os.name == "nt" else "bin")
    run(commands / "python", "-m", "pip", "install", "--quiet", wheel, cwd=folder, timeout=600)
    told = run(commands / "voice-emulator", "init", cwd=folder).stdout
    assert told.splitlines()[-1] == "Next: voice-emulator serve --scenario scenario.yaml --watch"
    return folder, commands


def two_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.mark.long
def test_what_init_says_comes_next_works(own_project):
    folder, commands = own_project
    process = subprocess.Popen(
        [
            commands / "voice-emulator", "serve", "--scenario", "scenario.yaml", "--watch",
            "--port", "0", "--control-port", "0",
        ],
        cwd=folder, env=strange(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        log = Lines(process.stderr)
        assert json.loads(Lines(process.stdout).wait_for('"ready"'))
        log.wait_for("watching ")
        path = folder / "scenario.yaml"
        path.write_text(
            path.read_text(encoding="utf-8").replace("name: my-scenario", "name: edited"), encoding="utf-8"
        )
        log.wait_for("reloaded scenario.yaml: scenario edited")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def github_job(folder: Path) -> list[str]:
    steps = yaml.safe_load((folder / "ci.yaml").read_text(encoding="utf-8"))["jobs"]["test"]["steps"]
    return [step["run"] for step in steps if "run" in step]


def gitlab_job(folder: Path) -> list[str]:
    job = yaml.safe_load((folder / "gitlab-ci.yaml").read_text(encoding="utf-8"))["voice"]
    return [*job["before_script"], *job["script"]]


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="the jobs are for Linux")
@pytest.mark.parametrize("steps_of", [github_job, gitlab_job])
def test_the_jobs_that_init_writes_run_on_a_machine_that_has_only_the_repository(
    steps_of, own_project, tmp_path
):
    project, _ = own_project
    machine = tmp_path / "machine"
    shutil.copytree(project, machine, ignore=shutil.ignore_patterns(".venv"))
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    traffic, control = two_ports()
    steps = "\n".join(steps_of(machine)).replace(":4881", f":{control}").replace(":4880", f":{traffic}")
    script = f"set -e\ntrap 'kill $(jobs -p)' EXIT\n{steps}\n"
    run(
        "bash", "-c", script, cwd=machine, timeout=600,
        env={
            "PATH": f"{tmp_path / 'venv' / 'bin'}:{os.environ['PATH']}",
            "VOICE_EMULATOR_PORT": str(traffic), "VOICE_EMULATOR_CONTROL_PORT": str(control),
            "VOICE_EMULATOR_CONTROL": f"http://127.0.0.1:{control}",
        },
    )  # fmt: skip
    assert list(machine.rglob("report.html"))


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="the steps are for Linux")
def test_the_image_of_the_compose_file_that_init_writes_holds_the_emulator(own_project, tmp_path):
    project, _ = own_project
    service = yaml.safe_load((project / "compose.yaml").read_text(encoding="utf-8"))["services"][
        "voice-emulator"
    ]
    context = tmp_path / "context"
    shutil.copytree(project / service["build"]["context"], context)
    (context / ".dockerignore").write_text("")
    # The base image's Python is everybody's; here an environment stands for it.
    base = "FROM python:3.12-slim\nRUN python -m venv /base\nENV PATH=/base/bin:$PATH\n"
    text = service["build"]["dockerfile_inline"].replace("FROM python:3.12-slim\n", base)
    (one,) = context.glob("*.whl")
    image = build(text.replace("COPY *.whl ", f"COPY {one.name} "), tmp_path, context)
    assert image.user == "65532:65532"
    run(image.path("/base/bin") / image.entrypoint[0], "check", project / "scenario.yaml", cwd=tmp_path)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
@pytest.mark.parametrize("installer", ["bundled", "newest"])
def test_a_fresh_checkout_sets_itself_up_with_empty_caches(installer: str, dist, tmp_path):
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    (checkout,) = tmp_path.iterdir()
    empty = {
        "PIP_CACHE_DIR": str(tmp_path / "pip"),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "PYTHON": sys.executable,
    }
    if installer == "newest":
        run(sys.executable, "-m", "venv", ".venv", cwd=checkout)
        run(
            checkout / ".venv/bin/python", "-m", "pip", "install", "--upgrade", "pip", cwd=checkout, env=empty
        )
    run("make", "demo", cwd=checkout, timeout=900, env=empty)
    run("make", "check", cwd=checkout, timeout=900, env=empty)
    pinned = re.findall(r"^pip==(\S+)", (CHECKOUT / "requirements/installer.lock").read_text(), re.MULTILINE)
    asked = run(checkout / ".venv/bin/python", "-m", "pip", "--version", cwd=checkout).stdout
    assert asked.split()[1] == pinned[0]
