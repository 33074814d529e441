"""action.yml: its steps run as the runner of GitHub runs them, with real processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.cli.process import environment, get
from tests.container.dockerfile import CHECKOUT
from tests.container.published import documents
from tests.patience import PATIENCE

(ACTION,) = documents((CHECKOUT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}


@dataclass
class Runner:
    """What a composite action meets: expressions, and files for outputs, environment, path and summary."""

    temp: Path
    workspace: Path
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    printed: str = ""

    def __post_init__(self) -> None:
        # The step Install would put the package there; tests/test_packaging.py installs it for real.
        program = self.temp / "voice-emulator" / "venv" / "bin" / "voice-emulator"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m voice_emulator "$@"\n')
        program.chmod(0o755)
        for name in ("ENV", "PATH", "STEP_SUMMARY"):
            (self.temp / name).touch()

    def use(self, job_status: str = "success", **given: str) -> int:
        """Run the action once; its exit status. Names with hyphens are written with underscores."""
        inputs = {
            name: self._text(about.get("default", ""), {"job.status": job_status})
            for name, about in ACTION["inputs"].items()
        }
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        assert set(inputs) == set(ACTION["inputs"])
        self.outputs.clear()
        for name, step in STEPS.items():
            known = {f"inputs.{key}": value for key, value in inputs.items()}
            known |= {
                "runner.temp": str(self.temp),
                "github.action_path": str(CHECKOUT),
                "job.status": job_status,
            }
            if "if" in step and not self._value(step["if"], known):
                continue
            if name != "Install" and "run" in step:
                status = self._run(step, known)
                if status:
                    return status
            elif "uses" in step:
                self.outputs[name] = {key: self._text(value, known) for key, value in step["with"].items()}
        return 0

    def _run(self, step: Mapping[str, Any], known: Mapping[str, str]) -> int:
        files = {
            "GITHUB_OUTPUT": self.temp / "OUTPUT", "GITHUB_ENV": self.temp / "ENV", "GITHUB_PATH": self.temp / "PATH",
            "GITHUB_STEP_SUMMARY": self.temp / "STEP_SUMMARY",
        }  # fmt: skip
        files["GITHUB_OUTPUT"].write_text("")
        variables = {name: self._text(value, known) for name, value in step.get("env", {}).items()}
        assert step["shell"] == "bash"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env=environment(
                **variables, GITHUB_WORKSPACE=str(self.workspace),
                **{name: str(path) for name, path in files.items()},
            ),
            cwd=self.workspace, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        self.printed += done.stdout + done.stderr
        if "id" in step:
            lines = files["GITHUB_OUTPUT"].read_text().splitlines()
            self.outputs[step["id"]] = dict(line.split("=", 1) for line in lines)
        return done.returncode

    def _text(self, template: str, known: Mapping[str, str]) -> str:
        return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(self._value(found[1], known)), template)

    def _value(self, expression: str, known: Mapping[str, str]) -> Any:
        """GitHub's expressions, as far as they are used: names, texts, == != && ||."""

        def value(found: re.Match[str]) -> str:
            name = found[0]
            if name.startswith("steps."):
                _, step, _, output = name.split(".")
                return repr(self.outputs.get(step, {}).get(output, ""))
            return repr(known[name])

        parts = re.split(r"('[^']*')", expression.strip())
        python = "".join(
            part if part.startswith("'") else re.sub(r"[a-z]+(?:\.[a-z_-]+)+", value, part) for part in parts
        )
        return eval(python.replace("&&", " and ").replace("||", " or "), {})

    def artifact(self) -> set[str]:
        """The names of the files that were attached."""
        attached = self.outputs.get("Attach the report")
        return set() if attached is None else {path.name for path in Path(attached["path"]).iterdir()}


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return Runner(tmp_path / "temp", workspace)


def alive(runner: Runner) -> bool:
    pid = runner.temp / "voice-emulator" / "pid"
    try:
        os.kill(int(pid.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


FREE = {"port": "0", "control_port": "0"}


def test_start_serves_and_tells_where_and_stop_ends_it_and_attaches_the_report_of_a_failed_job(
    runner: Runner,
):
    (runner.workspace / "mine.yaml").write_text("name: of-the-workspace\n")
    given = {"scenario": "mine.yaml", "arguments": "--seed 7 --allow-host 'ci.example'", **FREE}
    assert runner.use(**given) == 0, runner.printed
    try:
        outputs = runner.outputs["start"]
        assert get(f"{outputs['control']}/v1/tenants/default")["seed"] == 7
        assert get(f"{outputs['control']}/health")["scenario"] == "of-the-workspace"
        told = dict(line.split("=", 1) for line in (runner.temp / "ENV").read_text().splitlines())
        assert told == {"VOICE_EMULATOR_URL": outputs["url"], "VOICE_EMULATOR_CONTROL": outputs["control"]}
        assert (runner.temp / "PATH").read_text().strip() == str(
            runner.temp / "voice-emulator" / "venv" / "bin"
        )
        assert alive(runner)
        urlopen(f"{outputs['url']}/api/voiceSms/gpsend", b"phone=nonsense", timeout=PATIENCE).close()
    finally:
        status = runner.use(command="stop", job_status="failure")
    assert status == 0, runner.printed
    assert not alive(runner)
    with pytest.raises(URLError):
        get(f"{outputs['control']}/health")
    assert runner.artifact() == {"report.json", "junit.xml", "report.html", "report.md", "emulator.log"}
    assert (runner.temp / "STEP_SUMMARY").read_text() == (
        runner.temp / "voice-emulator" / "report" / "report.md"
    ).read_text()


@pytest.mark.parametrize(
    ("attach", "status", "attached"),
    [
        ("on-failure", "success", False),
        ("on-failure", "cancelled", True),
        ("always", "success", True),
        ("never", "failure", False),
    ],
)
def test_when_the_report_is_attached(runner: Runner, attach: str, status: str, attached: bool):
    assert runner.use(arguments="", **FREE) == 0, runner.printed
    assert runner.use(command="stop", attach=attach, job_status=status) == 0, runner.printed
    assert bool(runner.artifact()) is attached
    assert not alive(runner)


def test_an_emulator_that_cannot_start_fails_the_step_with_its_last_words(runner: Runner):
    assert runner.use(scenario="happy-pat", **FREE) == 1
    assert "::error::voice-emulator did not start: " in runner.printed
    assert "did you mean 'happy-path'?" in runner.printed
    assert runner.use(command="stop", job_status="failure") == 0, runner.printed


def test_arguments_are_words_and_never_run(runner: Runner):
    proof = runner.workspace / "proof"
    assert runner.use(arguments=f"--seed 7; touch {proof}", **FREE) == 1
    assert runner.use(arguments=f"--control-token $(touch {proof})", **FREE) == 1
    assert not proof.exists()


def test_over_tls_too(runner: Runner):
    assert runner.use(arguments="--tls-self-signed", **FREE) == 0, runner.printed
    assert runner.outputs["start"]["url"].startswith("https://")
    assert runner.use(command="stop", attach="always") == 0, runner.printed
    assert "report.html" in runner.artifact()


def test_stop_without_start_says_so_and_is_fine(runner: Runner):
    assert runner.use(command="stop") == 0
    assert "No emulator was started." in runner.printed


def test_another_command_is_refused(runner: Runner):
    assert runner.use(command="restart") == 1
    assert "the command is start or stop, not restart" in runner.printed


def test_nothing_that_a_caller_gives_is_pasted_into_a_script():
    """Expressions inside `run` would let a branch name or an input run commands."""
    for step in STEPS.values():
        assert "${{" not in step.get("run", "")


def test_the_package_comes_from_the_action_itself_unless_said_otherwise():
    assert STEPS["Install"]["env"]["SOURCE"] == "${{ inputs.source || github.action_path }}"
    assert 'install --quiet --disable-pip-version-check "$SOURCE"' in STEPS["Install"]["run"]
