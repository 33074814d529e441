"""Options that users get wrong: each message is one sentence that says what to write.

What only shows when the emulator is put together is in tests/cli/serve/test_command.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from voice_emulator import running
from voice_emulator.cli import commands
from voice_emulator.errors import UsageError
from voice_emulator.settings import Options

WRONG = {
    "serve --port 99999": "Invalid value for '--port': must be a whole number from 0 to 65535, not '99999'",
    "serve --port http": "Invalid value for '--port': must be a whole number from 0 to 65535, not 'http'",
    "serve --port 4881": "the traffic port and the control port are both 4881; they must differ",
    "serve --seed one": "Invalid value for '--seed': must be a whole number, not 'one'",
    "serve --calls-limit 0": "Invalid value for '--calls-limit': must be a whole number, at least 1, not '0'",
    "serve --callback-url localhost:9000/dr": (
        "Invalid value for '--callback-url': 'localhost:9000/dr' lacks http:// or https://; write http://localhost:9000/dr"
    ),
    "serve --callback-url ftp://h/x": (
        "Invalid value for '--callback-url': 'ftp://h/x' is not a valid URL; write one like http://127.0.0.1:9000/dr"
    ),
    "serve --clock 60": (
        "Invalid value for '--clock': invalid clock '60': write real, manual, or a speed such as 60x; did you mean '60x'?"
    ),
    "serve --clock real --clock-start 2026-01-05T09:00:00+08:00": (
        "a real clock has no start: --clock-start needs --clock manual or a speed such as 60x"
    ),
    "serve --clock manual --clock-start yesterday": (
        "--clock-start: the start of a clock must be like 2026-01-05T09:00:00+08:00, offset included, not 'yesterday'"
    ),
    "serve --node-secret x": (
        "--node-secret is for replicas that share a store: it needs --state valkey://HOST:6379/0"
    ),
    "serve --node-url http://h:1": (
        "--node-url is for replicas that share a store: it needs --state valkey://HOST:6379/0"
    ),
    "serve --state x.db --lease 3s": (
        "--lease is for replicas that share a store: it needs --state valkey://HOST:6379/0"
    ),
    "serve --state valkey://h/0 --lease 200ms": "lease must be at least 1 second, not 0.2",
    "serve --state valkey://h/0 --host 0.0.0.0 --node-secret x": (
        "--host is every address: say with --node-url how other replicas reach the control port of this one, like "
        "http://10.0.0.3:4881"
    ),
    "serve --state valkey://h/0 --host 0.0.0.0 --node-url http://10.0.0.3:4881": (
        "--host can be reached from elsewhere: give all replicas the same --node-secret"
    ),
    "serve --state valkey://h/0 --host db.internal": (
        "--host can be reached from elsewhere: give all replicas the same --node-secret"
    ),
    "serve --state valkey://user:hush@h:port/0": (
        "the address of the store cannot be read; write one like valkey://127.0.0.1:6379/0?prefix=ve"
    ),
    "serve --state mysql://user:hush@h/0": (
        "mysql://h/0 is not the address of a store; write one like valkey://127.0.0.1:6379/0?prefix=ve"
    ),
    "serve --state redis://:hush@h/0?timeout=1": (
        "redis://h/0: a store has no option 'timeout'; write one like valkey://127.0.0.1:6379/0?prefix=ve"
    ),
    "serve --state redis://h/0?prefix=a:b": (
        "redis://h/0: prefix must be 1 to 64 letters, digits, '.', '_' or '-'"
    ),
    "serve --log-format xml": "Invalid value for '--log-format': 'xml' is not one of 'text', 'json'.",
    "serve --callback-timeout 0": (
        "Invalid value for '--callback-timeout': invalid duration '0': write 10, 10s or 250ms"
    ),
    "serve --rewrite-callback localhost": (
        "Invalid value for '--rewrite-callback': 'localhost' is not a pair of URLs; write "
        "http://localhost=http://host.docker.internal"
    ),
    "serve --report-on-exit x.pdf": (
        "Invalid value for '--report-on-exit': 'x.pdf' must end in .json, .xml, .html, .htm, .md"
    ),
    "serve --scenario-env 1X": (
        "Invalid value for '--scenario-env': '1X' is not the name of an environment variable; write one like CALLBACK_URL"
    ),
    "report --control 127.0.0.1:4881": (
        "Invalid value for '--control': '127.0.0.1:4881' lacks http:// or https://; write http://127.0.0.1:4881"
    ),
    "report --fail-on fatal": "Invalid value for '--fail-on': 'fatal' is not one of 'error', 'warning', 'never'.",
    "report --ca /nowhere": "--ca /nowhere holds no certificates in PEM: No such file or directory",
    "explain first": "Invalid value for 'ENTRY_ID': must be a whole number, at least 1, not 'first'",
    "wait-ready --timeout -1": "Invalid value for '--timeout': invalid duration '-1': write 10, 10s or 250ms",
    "listen --status 99": "Invalid value for '--status': must be a whole number from 200 to 599, not '99'",
    "trigger nxclod --callback-url http://127.0.0.1:1": "there is no provider 'nxclod'; did you mean 'nxcloud'?",
    "scenarios show hapy-path": "there is no scenario 'hapy-path'; did you mean 'happy-path'?",
    "srve": "there is no command 'srve'; did you mean 'serve'?",
}


def error_of(output: str) -> str:
    return output.strip().splitlines()[-1].removeprefix("Error: ")


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_option_is_one_sentence(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(commands, line.split())
    assert done.exit_code == 2, done.output
    assert error_of(done.output) == WRONG[line]


def test_an_option_that_does_not_exist_brings_the_nearest_ones():
    """In click's words, which change from version to version."""
    done = CliRunner().invoke(commands, ["serve", "--prot", "1"])
    assert done.exit_code == 2, done.output
    assert re.search("No such option.*--prot.*--port", error_of(done.output))


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PORT", "abc", "must be a whole number from 0 to 65535, not 'abc'"),
        ("CALLBACK_URL", "h:1", "'h:1' lacks http:// or https://; write http://h:1"),
        (
            "CLOCK",
            "fast",
            "invalid clock 'fast': write real, manual, or a speed such as 60x; known are real, manual, 60x",
        ),
    ],
)
def test_a_wrong_value_of_a_variable_names_the_variable(variable: str, value: str, message: str):
    name = f"VOICE_EMULATOR_{variable}"
    done = CliRunner().invoke(commands, ["serve"], env={name: value})
    assert done.exit_code == 2
    assert error_of(done.output) == f"Invalid value for the environment variable {name}: {message}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 99_999}, "port must be a number from 0 to 65535, not 99999"),
        ({"control_port": -1}, "control_port must be a number from 0 to 65535, not -1"),
        ({"port": "4880"}, "port must be a number from 0 to 65535, not '4880'"),
        (
            {"port": 5_000, "control_port": 5_000},
            "the traffic port and the control port are both 5000; they must differ",
        ),
        (
            {"callback_url": "localhost:9000"},
            "callback_url: 'localhost:9000' lacks http:// or https://; write http://localhost:9000",
        ),
        ({"callback_timeout": 0}, "callback_timeout must be more than 0 seconds, not 0"),
        ({"journal_limit": 0}, "journal_limit must be at least 1, not 0"),
    ],
)
def test_an_embedded_emulator_refuses_them_too(options: dict[str, object], message: str):
    with pytest.raises(UsageError, match=re.escape(message)), running(**options):  # type: ignore[arg-type]
        pass


def test_free_ports_may_both_be_0():
    assert Options(port=0, control_port=0).port == 0
