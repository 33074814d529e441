"""action.yml: its steps run as the runner of GitHub runs them, with real processes."""

from __future__ import annotations

import json
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
from tests.container.dockerfile import CHECKOUT, checkout_with_few
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
        self.outputs = {step["id"]: {} for step in STEPS.values() if "id" in step}
        for name, step in STEPS.items():
            known = {f"inputs.{key}": value for key, value in inputs.items()}
            # Not runner.temp and github.action_path: in a job with `container:` they name folders of the host.
            known |= {"job.status": job_status}
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
        variables = dict(line.split("=", 1) for line in files["GITHUB_ENV"].read_text().splitlines())
        variables |= {name: self._text(value, known) for name, value in step.get("env", {}).items()}
        assert step["shell"] == "bash"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env=environment(
                **variables, GITHUB_WORKSPACE=str(self.workspace), RUNNER_TEMP=str(self.temp),
                GITHUB_ACTION_PATH=str(CHECKOUT),
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
    assert status == 1, "it has findings"
    assert "::error title=voice-emulator" in runner.printed or "::error" in runner.printed
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
    assert runner.use(command="stop", attach=attach, job_status=status, allow_empty="true") == 0, (
        runner.printed
    )
    assert bool(runner.artifact()) is attached
    assert not alive(runner)


@pytest.mark.parametrize(
    ("given", "status"),
    [({}, 1), ({"fail_on": "never"}, 1), ({"allow_empty": "true"}, 0)],
)
def test_a_run_that_nothing_reached_fails_unless_it_may_be_empty(
    runner: Runner, given: dict[str, str], status: int
):
    assert runner.use(arguments="", **FREE) == 0, runner.printed
    assert runner.use(command="stop", **given) == status, runner.printed
    assert bool(runner.artifact()) is (status == 1), "a report that fails is attached"
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
    assert runner.use(command="stop", attach="always", allow_empty="true") == 0, runner.printed
    assert "report.html" in runner.artifact()


def test_stop_without_start_says_so_and_is_fine(runner: Runner):
    assert runner.use(command="stop") == 0
    assert "No emulator was started." in runner.printed


def test_unknown_command_is_refused(runner: Runner):
    assert runner.use(command="restart") == 1
    assert "command must be start or stop, not restart" in runner.printed


def test_inputs_are_never_pasted_into_a_script():
    """Expressions inside `run` would let a branch name or an input run commands."""
    for step in STEPS.values():
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize(
    "timeout",
    [
        "x[$(touch {})]",
        "a[`touch {}`]",
        "$(touch {})",
        "1; touch {}",
        "30 ",
        "-1",
        "0",
        "",
        "08",
        "1e3",
        "30\n1",
        "999999",
    ],
)
def test_a_timeout_is_a_number_and_never_run(runner: Runner, timeout: str):
    """Bash evaluates what it takes for a number: array indices in it, commands in them."""
    proof = runner.workspace / "proof"
    assert runner.use(timeout=timeout.format(proof), **FREE) == 1
    assert "::error::voice-emulator: timeout must be a whole number" in runner.printed
    assert not proof.exists()
    assert not alive(runner)


@pytest.mark.parametrize("name", ["scenario", "callback_url", "port", "control_port", "arguments", "timeout"])
@pytest.mark.parametrize(
    "value", ["x[$(touch {})]", "$(touch {})", "`touch {}`", "; touch {}", "'; touch {} #"]
)
def test_no_input_is_run(runner: Runner, name: str, value: str):
    proof = runner.workspace / "proof"
    assert runner.use(**{**FREE, name: value.format(proof)}) == 1
    assert not proof.exists()


def test_a_quote_left_open_starts_nothing(runner: Runner):
    """Going on without the arguments could be going on without a token."""
    assert runner.use(arguments="--control-token 's3cret", **FREE) == 1
    assert "is a quote missing?" in runner.printed
    assert not alive(runner)


def test_no_variable_that_a_caller_gives_is_a_number_to_bash_unchecked():
    """Between (( )), in $(( )) and as an index a variable is code: only our own counters, and TIMEOUT once checked."""
    for step in STEPS.values():
        script = step.get("run", "")
        for found in re.findall(r"\(\((.*?)\)\)", script, re.DOTALL):
            given = set(re.findall(r"[A-Z_]{2,}", found))
            assert given <= {"TIMEOUT"}, found
            if given:
                assert script.index('[[ "$TIMEOUT" =~ ^[1-9][0-9]{0,4}$ ]]') < script.index(found)


@pytest.mark.parametrize(
    "arguments", ["--control-token s3cret", "--control-token=s3cret", "--seed 7 --control-token 's3cret'"]
)
def test_a_token_in_the_arguments_is_there_for_the_report_and_for_the_tests_and_hidden_in_the_log(
    runner: Runner, arguments: str
):
    assert runner.use(arguments=arguments, **FREE) == 0, runner.printed
    assert "::add-mask::s3cret\n" in runner.printed
    told = dict(line.split("=", 1) for line in (runner.temp / "ENV").read_text().splitlines())
    assert told["VOICE_EMULATOR_CONTROL_TOKEN"] == "s3cret"
    assert runner.use(command="stop", attach="always", allow_empty="true") == 0, runner.printed
    assert runner.artifact() == {"report.json", "junit.xml", "report.html", "report.md", "emulator.log"}
    assert "::warning::" not in runner.printed


def test_an_empty_token_in_the_arguments_starts_nothing(runner: Runner):
    """What a secret that is not set becomes."""
    assert runner.use(arguments="--control-token ''", **FREE) == 1
    assert "--control-token is empty" in runner.printed


def test_a_report_that_cannot_be_had_is_told(runner: Runner):
    assert runner.use(arguments="", **FREE) == 0, runner.printed
    control = runner.temp / "voice-emulator" / "ready.json"
    control.write_text(control.read_text().replace("127.0.0.1", "127.0.0.9"))
    assert runner.use(command="stop", attach="always", allow_empty="true") == 0, runner.printed
    assert "::warning::voice-emulator: could not get the report" in runner.printed
    assert runner.artifact() == {"emulator.log"}


def test_the_log_gives_the_runner_no_commands(runner: Runner):
    (runner.workspace / "s.yaml").write_text(
        "name: x\nrules:\n  - {name: a, call: {outcome: '::error::forged'}}\n"
    )
    assert runner.use(scenario="s.yaml", **FREE) == 1
    begin, end = (
        runner.printed.index("::stop-commands::"),
        runner.printed.rindex("::error::voice-emulator did not"),
    )
    mark = runner.printed[begin:].splitlines()[0].removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", mark)
    assert "forged" in runner.printed[begin:end]
    assert runner.printed[begin:end].rstrip().endswith(f"::{mark}::")


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
def test_action_installs_from_itself_at_the_locked_versions(tmp_path: Path, whole: bool):
    """The step Install for real, with the runner's variables alone."""
    temp = tmp_path / "temp"
    temp.mkdir()
    checkout = CHECKOUT if whole else checkout_with_few(tmp_path / "checkout")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["Install"]["run"]],
        env={**os.environ, "SOURCE": "", "RUNNER_TEMP": str(temp), "GITHUB_ACTION_PATH": str(checkout)}
        | {"PATH": f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"},
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    python = temp / "voice-emulator" / "venv" / "bin" / "python"
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    versions = {each["name"].lower().replace("_", "-"): each["version"] for each in json.loads(listed.stdout)}
    lock = (checkout / "requirements" / "runtime.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9_.-]+)==([^ ;]+)", lock, re.MULTILINE))
    assert "voice-emulator" in versions
    others = {name: version for name, version in versions.items() if name in locked}
    assert others["multidict"] == locked["multidict"]
    assert others == {name: locked[name] for name in others}
    assert set(versions) - set(others) <= {"voice-emulator", "pip", "setuptools"}, (
        "and nothing else came along"
    )


def test_actions_are_pinned_by_commit_and_say_which_version_that_is():
    for path in (
        "action.yml",
        ".github/workflows/ci.yml",
        "emulator/voice_emulator/cli/starters/ci.yaml",
        "docs/ci.md",
    ):
        for line in (CHECKOUT / path).read_text(encoding="utf-8").splitlines():
            if "uses: actions/" in line:
                assert re.search(r"uses: actions/[a-z-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$", line), (
                    path,
                    line,
                )
