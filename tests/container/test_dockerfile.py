"""The rules that matter for a Dockerfile, and what is sent to the engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.container.dockerfile import CHECKOUT, context, stages, steps
from tests.patience import PATIENCE

DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
STAGES = stages(steps(DOCKERFILE))
LAST = STAGES[-1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def the(word: str) -> str:
    """The argument of the last stage's only ``word``."""
    (found,) = [step.rest for step in LAST if step.word == word]
    return found


def test_dockerfile_has_two_stages_and_the_last_one_only_takes_away():
    assert len(STAGES) == 2
    assert re.match(r"rm -rf /usr/local/[^;&|]*$", the("RUN"))
    assert [step.rest for step in LAST if step.word == "COPY"] == [
        "--from=build /opt/voice-emulator /opt/voice-emulator"
    ]


def test_both_begin_with_the_same_slim_python_by_exact_tag_that_the_project_supports():
    images = {stage[0].rest.split()[0] for stage in STAGES}
    assert len(images) == 1
    version = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-[a-z]+", images.pop())
    assert version is not None
    assert f"Programming Language :: Python :: {version[1]}" in PROJECT["classifiers"]


def test_every_requirement_comes_from_a_lock_file_with_hashes():
    installs = [
        part
        for step in STAGES[0]
        if step.word == "RUN"
        for part in step.rest.split("&&")
        if " install " in part
    ]
    for install in installs:
        assert "--require-hashes" in install or "--no-deps" in install, install
        assert "--no-cache-dir" in install, install
    assert any("requirements/runtime.lock" in install for install in installs)


def test_the_pip_of_the_base_is_taken_away(tmp_path: Path):
    """The step carried out on what the official images have, and on a pip of any version."""
    version = LAST[0].rest.removeprefix("python:").rpartition("-slim")[0].rpartition(".")[0]
    library = tmp_path / "usr/local/lib" / f"python{version}"
    gone = [
        "site-packages/pip/__init__.py", "site-packages/pip-25.0.1.dist-info/METADATA",
        "ensurepip/_bundled/pip-25.0.1-py3-none-any.whl",
    ]  # fmt: skip
    kept = ["site-packages/README.txt", "site-packages/pipe/__init__.py", "json/__init__.py"]
    programs = tmp_path / "usr/local/bin"
    for path in [
        *(library / each for each in gone + kept),
        *(programs / each for each in ("pip", "pip3", "pip3.12", "python3")),
    ]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    subprocess.run(
        ["sh", "-euc", the("RUN").replace("/usr/local", f"{tmp_path}/usr/local")], check=True, timeout=60
    )
    left = {path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_file()}
    assert left == set(kept)
    assert [path.name for path in programs.iterdir()] == ["python3"]


def test_dockerfile_sets_a_numbered_user_that_is_not_root():
    uid, gid = the("USER").split(":")
    assert int(uid) >= 10_000
    assert int(gid) >= 10_000


@pytest.mark.parametrize("word", ["ENTRYPOINT", "CMD"])
def test_the_process_gets_signals_itself(word: str):
    """The exec form: with a shell in between, SIGTERM would end the shell and not the emulator."""
    (step,) = [step for step in LAST if step.word == word]
    assert step.argv == {"ENTRYPOINT": ["voice-emulator"], "CMD": ["serve", "--host", "::"]}[word]


def test_dockerfile_has_a_health_check_ports_and_labels():
    assert the("HEALTHCHECK").endswith('CMD ["voice-emulator", "health"]')
    assert the("EXPOSE") == "4880 4881"
    assert the("STOPSIGNAL") == "SIGTERM"
    labels = the("LABEL")
    for name in ("title", "description", "licenses"):
        assert f"org.opencontainers.image.{name}=" in labels
    assert f'org.opencontainers.image.version="{PROJECT["version"]}"' in labels


def test_what_goes_to_the_engine_is_what_the_wheel_needs_and_no_more():
    sent = context()
    assert {path.partition("/")[0] for path in sent} == {
        "LICENSE", "README.md", "emulator", "pyproject.toml", "requirements", "scenarios", "schemas",
    }  # fmt: skip
    assert "emulator/voice_emulator/cli/__init__.py" in sent
    assert "requirements/runtime.lock" in sent
    assert not [path for path in sent if "__pycache__" in path or path.endswith(".pyc")]


def test_a_secret_that_lies_about_stays_out(tmp_path: Path):
    for name in (
        ".env",
        "id_rsa",
        "emulator/voice_emulator/a.py",
        "emulator/__pycache__/a.pyc",
        "emulator/x/.mypy_cache/y",
        ".git/config",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    shutil.copy(CHECKOUT / ".dockerignore", tmp_path)
    assert context(tmp_path) == ["emulator/voice_emulator/a.py"]


# hadolint has no package for Windows; the rules above apply there too.
if sys.platform != "win32":

    def test_hadolint_has_nothing_to_say():
        linter = Path(sys.executable).with_name("hadolint")
        done = subprocess.run(
            [linter, "--no-color", CHECKOUT / "Dockerfile"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
