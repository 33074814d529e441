"""Provider plug-ins at the command line: known to every command; those that cannot be used are one line each."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.cli.process import COMMAND, command, environment, get, serving
from tests.plugins import install, write
from voice_emulator.cli import COMMANDS, commands

GOOD = "from small import provider\nPROVIDER = provider('good', ('/good', None))\n"
PLUGINS = {
    "good": GOOD,
    "raises": "raise RuntimeError('no licence')\n",
    "old": "class PROVIDER:\n    api = 0\n",
    "nxcloud": "from small import provider\nPROVIDER = provider('nxcloud')\n",
}
BAD = ("nxcloud", "old", "raises")
SCENARIO = """\
name: with-a-plug-in
providers: {good: {credentials: {key: other}}}
rules: [{match: {provider: good, operation: ask}, reply: {error: auth_failed}}]
"""
#: Of each command, arguments with which it ends by itself.
WALK: dict[str, tuple[str, ...]] = {
    "check": ("FILE",),
    "scenarios": (),
    "scenarios schema": (),
    "errors": ("good",),
    "openapi": ("good",),
    "health": ("--control", "http://127.0.0.1:9"),
    "wait-ready": ("--control", "http://127.0.0.1:9", "--timeout", "0.1"),
    "init": ("DIR",),
    "report": ("--control", "http://127.0.0.1:9"),
    "explain": ("--control", "http://127.0.0.1:9", "1"),
    "reconcile": ("--control", "http://127.0.0.1:9", "--ledger", "FILE"),
    "mutate": ("--provider", "good", "--list"),
    "record": ("--out", "x.vrec"),
    "record import": ("FILE", "--out", "x.vrec"),
    "distil": ("FILE", "-o", "x.yaml"),
    "drift": ("FILE",),
    "swarm": ("--provider", "good", "--", "true"),
    "trigger": ("nxcloud", "--callback-url", "http://127.0.0.1:9/"),
    "verify": ("--callback-url", "http://127.0.0.1:9/", "--provider", "good"),
}
#: These serve until a signal, or the end of standard input; the processes below show two of them.
SERVING = {"serve", "listen", "demo", "tail", "mcp"}


def test_the_walk_leaves_no_command_out():
    assert {name.split()[0] for name in WALK} | SERVING >= set(COMMANDS)


@pytest.fixture(autouse=True)
def _logging_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the log to pytest."""
    monkeypatch.setattr("voice_emulator.cli.logs.set_up", lambda *options: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO)
    return path


def run(name: str, file: Path, *more: str) -> Result:
    places = {"FILE": str(file), "DIR": str(file.parent / "new")}
    arguments = [places.get(each, each) for each in WALK[name]]
    return CliRunner().invoke(commands, [*name.split(), *more, *arguments])


@pytest.mark.parametrize("name", WALK)
def test_every_command_names_each_bad_plugin_once_and_works(
    name: str, tmp_path: Path, file: Path, monkeypatch, caplog
):
    usual = run(name, file).exit_code if name != "init" else 0
    install(monkeypatch, tmp_path / "site", PLUGINS)
    done = run(name, file)
    lines = [line for line in caplog.messages if "plug-in" in line]
    assert [line.split("'")[1] for line in lines] == list(BAD)
    assert "plug-in" not in done.stdout
    wanted = {"check": 0, "errors": 0, "openapi": 0, "verify": 1}  # the last: no check was judged
    assert done.exit_code == wanted.get(name, usual), done.output


@pytest.mark.parametrize("name", WALK)
def test_every_command_can_leave_plugins_out(name: str, tmp_path: Path, file: Path, monkeypatch, caplog):
    install(monkeypatch, tmp_path / "site", PLUGINS)
    done = run(name, file, "--no-provider-plugins")
    assert not [line for line in caplog.messages if "plug-in" in line]
    assert "No such option" not in done.output
    if name in ("check", "errors", "openapi"):
        assert done.exit_code in (1, 2), "the scenario, and the argument, name what is not there"
    if name == "scenarios schema":
        assert "good" not in json.loads(done.stdout)["properties"]["providers"]["properties"]


def test_standard_output_stays_json_and_the_lines_go_to_standard_error(tmp_path: Path):
    path = {"PYTHONPATH": f"{environment()['PYTHONPATH']}:{write(tmp_path, PLUGINS)}"}
    done = command("scenarios", "schema", env=path, program=COMMAND)
    assert done.returncode == 0
    assert "good" in json.loads(done.stdout)["properties"]["providers"]["properties"]
    assert [line.split("'")[1] for line in done.stderr.splitlines()] == list(BAD)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_server_has_the_plugin_and_logs_each_line_once(log_format: str, tmp_path: Path):
    path = {"PYTHONPATH": f"{environment()['PYTHONPATH']}:{write(tmp_path, PLUGINS)}"}
    with serving("--log-format", log_format, env=path) as server:
        schema = get(server.ready["control"] + "/scenario.schema.json")
        assert "good" in schema["properties"]["providers"]["properties"]
        assert set(get(server.ready["control"] + "/openapi/good.json")["paths"]) == {"/good"}
        assert get(server.ready["control"] + "/v1/tenants/default")["credentials"]["good"] == {
            "key": "good-key"
        }
        assert server.stop(signal.SIGTERM) == 0
        logged = server.log.end()
        assert len(server.out.end()) == 1
    assert len([line for line in logged if "is left out" in line]) == len(BAD)
    if log_format == "json":
        assert all(json.loads(line)["level"] for line in logged)
