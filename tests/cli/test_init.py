from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from tests.cli.process import command, environment
from tests.cli.test_output import free_ports
from tests.patience import PATIENCE
from voice_emulator.cli import commands
from voice_emulator.cli.init import STARTERS, WHEELS


def test_init_writes_files_to_start_from_and_they_are_valid(tmp_path):
    folder = tmp_path / "new" / "project"
    done = command("init", folder)
    assert done.returncode == 0
    assert {path.name for path in folder.iterdir()} == {*STARTERS, WHEELS}
    assert command("check", folder / "scenario.yaml").stdout == f"{folder / 'scenario.yaml'}: ok\n"
    service = yaml.safe_load((folder / "compose.yaml").read_text())["services"]["voice-emulator"]
    assert service["healthcheck"]["test"] == ["CMD", "voice-emulator", "health"]
    steps = yaml.safe_load((folder / "ci.yaml").read_text())["jobs"]["test"]["steps"]
    assert any("voice-emulator wait-ready" in step.get("run", "") for step in steps)


def test_the_schema_it_writes_is_the_one_that_its_scenario_names(tmp_path):
    command("init", tmp_path)
    first = (tmp_path / "scenario.yaml").read_text(encoding="utf-8").splitlines()[0]
    schema = (tmp_path / first.partition("$schema=")[2]).read_text(encoding="utf-8")
    assert schema == command("scenarios", "schema").stdout
    document = yaml.safe_load((tmp_path / "scenario.yaml").read_text(encoding="utf-8"))
    assert Draft202012Validator(json.loads(schema)).is_valid(document)


def test_the_rules_it_only_proposes_are_valid_too(tmp_path):
    command("init", tmp_path)
    path = tmp_path / "scenario.yaml"
    text = path.read_text()
    for mark in ("  # - ", "  #   "):
        text = text.replace(mark, mark.replace("# ", ""))
    path.write_text(text.replace("# extends", "extends"))
    assert text.count("- name:") == 5
    assert command("check", path).stdout == f"{path}: ok\n"


def test_init_never_overwrites(tmp_path):
    (tmp_path / "compose.yaml").write_text("mine")
    done = command("init", tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "compose.yaml").read_text() == "mine"
    assert "kept   " in done.stdout
    assert (tmp_path / "scenario.yaml").exists()
    before = (tmp_path / "scenario.yaml").read_bytes()
    assert command("init", tmp_path).returncode == 0
    assert (tmp_path / "scenario.yaml").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    done = command("init", tmp_path / "file" / "below")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: cannot write to ")
    assert "Traceback" not in done.stderr


# --- the jobs, run as their runners run them ------------------------------------------------------------


def github(folder: Path) -> list[tuple[str, str]]:
    """(condition, script) of each step of the job."""
    steps = yaml.safe_load((folder / "ci.yaml").read_text(encoding="utf-8"))["jobs"]["test"]["steps"]
    return [(step.get("if", "success()"), step["run"]) for step in steps if "run" in step]


def gitlab(folder: Path) -> list[tuple[str, str]]:
    """before_script and script run as one script; after it the container is gone."""
    job = yaml.safe_load((folder / "gitlab-ci.yaml").read_text(encoding="utf-8"))["voice"]
    assert "after_script" not in job
    return [("success()", "\n".join([*job["before_script"], *job["script"]]))]


@dataclass
class Job:
    """A job in a folder that init has written to. Its container goes with its last step."""

    folder: Path
    printed: str = ""

    def run(self, steps: list[tuple[str, str]], test: str | None = None) -> int:
        """Run the steps; ``test`` replaces the call that stands for the user's tests. The exit status of the job."""
        traffic, control = free_ports(2)
        status = 0
        processes = []
        for condition, script in steps:
            if {"success()": status != 0, "always()": False, "failure()": status == 0}[condition]:
                continue
            text = re.sub(r"^pip install .*$", "", script, flags=re.MULTILINE)
            if test is not None:
                text = re.sub(
                    r"^(?:curl|python) .*?(?=\n|$|\|\|)", test, text, flags=re.MULTILINE | re.DOTALL
                )
            text = text.replace(":4881", f":{control}").replace(":4880", f":{traffic}")
            with tempfile.TemporaryFile() as printed:
                process = subprocess.Popen(
                    ["bash", "-eo", "pipefail", "-c", text],
                    cwd=self.folder, start_new_session=True, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed,
                    env=environment(
                        PATH=f"{self._program()}:{os.environ['PATH']}", VOICE_EMULATOR_PORT=str(traffic),
                        VOICE_EMULATOR_CONTROL_PORT=str(control),
                        GITHUB_STEP_SUMMARY=str(self.folder / "summary.md"),
                    ),
                )  # fmt: skip
                processes.append(process)
                status = process.wait(PATIENCE) or status
                printed.seek(0)
                self.printed += printed.read().decode()
        for process in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return status

    def _program(self) -> Path:
        """A folder with the command, which the wheel would install (that is tested in tests/test_packaging.py)."""
        program = self.folder / "bin" / "voice-emulator"
        if not program.exists():
            program.parent.mkdir()
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m voice_emulator "$@"\n')
            program.chmod(0o755)
        return program.parent


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    assert CliRunner().invoke(commands, ["init", str(folder)]).exit_code == 0
    return folder


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the jobs are for Linux")
@pytest.mark.parametrize("steps_of", [github, gitlab])
@pytest.mark.parametrize(
    ("test", "status", "cause"),
    [
        (None, 0, ""),
        ("false", 1, "No request was judged"),
        ("curl -s -d phone=x http://127.0.0.1:4880/api/voiceSms/gpsend", 1, "country_code"),
    ],
    ids=["as it is", "tests fail", "findings"],
)
def test_a_job_as_init_writes_it_reports_and_has_the_right_status(
    steps_of, test, status, cause, written, tmp_path
):
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    job = Job(tmp_path)
    assert job.run(steps_of(tmp_path), test) == status, job.printed
    (report,) = tmp_path.rglob("report.html")
    assert (report.parent / "junit.xml").exists()
    assert cause in job.printed
    if steps_of is github:
        assert (tmp_path / "summary.md").read_text().startswith("## Voice contract report")
        assert ("::error" in job.printed) is bool(cause)


def test_the_manifest_wants_no_variables_of_services(written):
    _, deployment = yaml.safe_load_all((written / "kubernetes.yaml").read_text(encoding="utf-8"))
    assert deployment["spec"]["template"]["spec"]["enableServiceLinks"] is False
