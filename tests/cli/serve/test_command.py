from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode

import pytest

from tests.cli.process import COMMAND, Running, command, get, group, post, running, serving, url_of
from tests.patience import PATIENCE
from voice_emulator import __version__
from voice_emulator.app import GRACE, Emulator
from voice_emulator.cli.serve.command import options_of, serve
from voice_emulator.cli.serve.loop import serve_until_stopped, warn_of_receivers
from voice_emulator.core.clock import ClockSpec, parse_rfc3339
from voice_emulator.errors import UsageError
from voice_emulator.settings import Options

GPSEND = urlencode(
    {
        "appkey": "nx-appkey", "secretkey": "nx-secretkey", "phone": "6281200010011", "country_code": "62",
        "show_phone": "123456", "url": "https://nxcloud.com/1963370420.m4a",
    }
).encode()  # fmt: skip
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def scenario(folder: Path, text: str, name: str = "scenario.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# --- the ready line, and the end ------------------------------------------------------------------


def test_one_ready_line_goes_to_standard_output_and_nothing_else():
    with serving("--seed", 3) as server:
        assert set(server.ready) == {"ready", "traffic", "control", "scenario", "version"}
        assert server.ready["ready"] is True
        assert server.ready["scenario"] == "happy-path"
        assert server.ready["version"] == __version__
        for port in ("traffic", "control"):
            assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]*", server.ready[port])
        assert server.ready["traffic"] != server.ready["control"]
        status, body = post(server.ready["traffic"] + "/api/voiceSms/gpsend", GPSEND, **FORM)
        assert (status, json.loads(body)["code"]) == (200, "0")
        assert get(server.ready["control"] + "/health")["status"] == "ok"
        assert server.stop(signal.SIGTERM) == 0
        assert len(server.out.end()) == 1
        assert any("traffic at " in line for line in server.log.end())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_status_0_and_closes_the_ports(number):
    with serving() as server:
        assert server.stop(number) == 0
        with pytest.raises(URLError):
            get(server.ready["control"] + "/health")
        assert "Traceback" not in "\n".join(server.log.end())


def in_flight(server: Running, answers: list[Any]) -> threading.Thread:
    """Send a request from a thread, and return once the emulator has it."""

    def send() -> None:
        try:
            answers.append(post(server.ready["traffic"] + "/api/voiceSms/gpsend", GPSEND, **FORM))
        except OSError as error:
            answers.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not get(server.ready["control"] + "/v1/tenants/default/journal?kind=request")["entries"]:
        assert time.monotonic() < deadline
    return thread


def test_what_is_in_flight_ends_before_the_process_does(tmp_path):
    slow = scenario(tmp_path, "name: slow\nrules:\n  - name: slow\n    fault: {latency: 1s}\n")
    answers: list[Any] = []
    with serving("--scenario", slow) as server:
        thread = in_flight(server, answers)
        assert server.stop(signal.SIGTERM) == 0
        thread.join(PATIENCE)
        status, body = answers[0]
        assert (status, json.loads(body)["code"]) == (200, "0")


def test_what_takes_too_long_is_cut_after_five_seconds(tmp_path):
    assert GRACE == 5
    slow = scenario(tmp_path, "name: slow\nrules:\n  - name: slow\n    fault: {latency: 5m}\n")
    answers: list[Any] = []
    with serving("--scenario", slow) as server:
        thread = in_flight(server, answers)
        begun = time.monotonic()
        assert server.stop(signal.SIGTERM) == 0
        assert time.monotonic() - begun > 4.5, "it waited"
        thread.join(PATIENCE)
        assert isinstance(answers[0], OSError)


#: The command, with a grace that outlasts the patience of the tests.
LENIENT = """
from voice_emulator.app import Emulator
from voice_emulator.cli import main

Emulator.__init__.__kwdefaults__["grace"] = 600.0
main()
"""


def test_a_second_signal_ends_the_wait(tmp_path):
    slow = scenario(tmp_path, "name: slow\nrules:\n  - name: slow\n    fault: {latency: 5m}\n")
    with serving("--scenario", slow, program=(sys.executable, "-c", LENIENT)) as server:
        thread = in_flight(server, [])
        server.process.send_signal(signal.SIGINT)
        server.log.wait_for("stopping")
        # Until it comes late enough not to be the first one, told twice.
        while server.process.poll() is None:
            server.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                server.process.wait(0.05)
        assert server.stop(signal.SIGINT) == 0
        thread.join(PATIENCE)


#: The command, on a loop that tells each signal twice.
ECHOING = """
import asyncio
from voice_emulator.cli import main
from voice_emulator.cli.serve import loop

def on_signals(act, real=loop.on_signals):
    real(lambda: (act(), asyncio.get_running_loop().call_later(0.01, act)))

loop.on_signals = on_signals
main()
"""


def test_a_signal_that_the_loop_tells_twice_is_one(tmp_path):
    slow = scenario(tmp_path, "name: slow\nrules:\n  - name: slow\n    fault: {latency: 1s}\n")
    answers: list[Any] = []
    with serving("--scenario", slow, program=(sys.executable, "-c", ECHOING)) as server:
        thread = in_flight(server, answers)
        assert server.stop(signal.SIGTERM) == 0
        thread.join(PATIENCE)
        assert answers[0][0] == 200


def test_serve_goes_on_when_nobody_reads_standard_output():
    reading, writing = os.pipe()
    os.close(reading)
    with running("serve", "--port", 0, "--control-port", 0, stdout=writing) as server:
        os.close(writing)
        control = group(r"control at (\S+),", server.log.wait_for("control at "))
        server.log.wait_for("still serving")
        assert get(control + "/health")["status"] == "ok"
        assert server.stop(signal.SIGTERM) == 0
        assert "Traceback" not in "\n".join(server.log.end())


def test_standard_output_may_be_closed():
    shell = ("sh", "-c", 'exec "$0" -m voice_emulator "$@" >&-', sys.executable)
    with running("serve", "--port", 0, "--control-port", 0, program=shell) as server:
        control = group(r"control at (\S+),", server.log.wait_for("control at "))
        assert get(control + "/health")["status"] == "ok"
        assert server.stop(signal.SIGTERM) == 0


# --- failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--port", "--control-port"])
def test_a_taken_port_is_a_failure_to_run_that_names_it(option):
    other = {"--port": "--control-port", "--control-port": "--port"}[option]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command("serve", option, port, other, 0, program=COMMAND)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Error: cannot listen on 127.0.0.1 port {port}: address already in use; "
        "--port 0 and --control-port 0 pick free ports\n"
    )


def test_a_broken_scenario_prints_its_findings_and_exits_1(tmp_path):
    path = scenario(tmp_path, "name: x\nsed: 3\n")
    done = command("serve", "--scenario", path, program=COMMAND)
    assert done.returncode == 1
    assert f"{path}:2:1: unknown key 'sed'" in done.stderr
    assert done.stderr.splitlines()[-1] == "Error: the scenario has 1 mistake"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--scenario", "happy-pat"], "did you mean 'happy-path'?"),
        (["--scenario", "./nowhere.yaml"], "there is no file ./nowhere.yaml"),
        (["--clock-start", "2026-01-05T09:00:00+08:00"], "--clock manual"),
        (["--host", "300.1.1.1"], "--host 300.1.1.1: "),
        (["--tls-self-signed", "--tls-cert", "x"], "leave --tls-cert and --tls-key out"),
        (["--tls-fault", "expired"], "needs --tls-self-signed"),
        (["--callback-ca", "/nowhere"], "contains no certificates"),
        (["--control-token", ""], "--control-token is empty"),
        (["--control-token", "  "], "--control-token is empty"),
    ],
)
def test_wrong_usage_is_one_clear_sentence_and_status_2(args, words):
    done = command("serve", "--port", 0, "--control-port", 0, *args, program=COMMAND)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]
    assert "pick free ports" not in done.stderr
    assert done.stdout == ""


def test_a_breach_under_strict_stops_it_with_status_1_and_the_reason():
    program = (
        "import voice_emulator.app as app\n"
        "from voice_emulator.cli import main\n"
        "start = app.Emulator.start\n"
        "async def breaching(self):\n"
        "    await start(self)\n"
        "    self.bug_found('our reply to gpsend breaks its schema')\n"
        "app.Emulator.start = breaching\n"
        "main(['serve', '--port', '0', '--control-port', '0', '--strict'])\n"
    )
    done = command(program=(sys.executable, "-c", program))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Error: stopped by --strict: our reply to gpsend breaks its schema"


async def test_a_breach_ends_the_serving_and_closes_the_ports():
    emulator = Emulator(Options(port=0, control_port=0, strict=True), grace=0.1)
    emulator.bug_found("a receipt of ours")
    assert await asyncio.wait_for(serve_until_stopped(emulator), PATIENCE) == "a receipt of ours"
    assert not emulator.runtime.ready


# --- options --------------------------------------------------------------------------------------

START = "2026-01-05T09:00:00+08:00"
#: Every option of INTERFACE section 2 with a value, and its effect.
GIVEN = [
    ("--scenario", "all.yaml", "scenario", "all.yaml"),
    ("--host", "0.0.0.0", "host", "0.0.0.0"),
    ("--port", "0", "port", 0),
    ("--control-port", "5", "control_port", 5),
    ("--callback-url", "http://127.0.0.1:9/x", "callback_url", "http://127.0.0.1:9/x"),
    ("--seed", "-4", "seed", -4),
    ("--clock", "60x", "clock", ClockSpec("scaled", 60.0)),
    ("--clock", "manual", "clock", ClockSpec("manual")),
    ("--scenario-env", "CALLBACK_URL", "scenario_env", ("CALLBACK_URL",)),
    ("--control-token", "s3cret", "control_token", "s3cret"),
    ("--allow-host", "ci.example.org", "allow_hosts", ("ci.example.org",)),
    ("--callback-timeout", "2.5", "callback_timeout", 2.5),
    ("--callback-timeout", "250ms", "callback_timeout", 0.25),
    ("--calls-limit", "7", "calls_limit", 7),
    ("--journal-limit", "8", "journal_limit", 8),
    ("--log-format", "json", "log_format", "json"),
    ("--allow-callback-host", "*.example.org", "allow_callback_hosts", ("*.example.org",)),
    (
        "--rewrite-callback", "http://localhost=http://host.docker.internal", "rewrites",
        (("http://localhost", "http://host.docker.internal"),),
    ),
    ("--tls-cert", "c.pem", "tls_cert", Path("c.pem")),
    ("--tls-key", "k.pem", "tls_key", Path("k.pem")),
    ("--tls-fault", "wrong-host", "tls_fault", "wrong-host"),
    ("--callback-ca", "ca.pem", "callback_ca", Path("ca.pem")),
    ("--state", "state.db", "state", Path("state.db")),
    ("--report-on-exit", "verdict.html", "report_on_exit", Path("verdict.html")),
    ("--auth", "lenient", "lenient", True),
    ("--auth", "strict", "lenient", False),
]  # fmt: skip
#: Those that need a store which replicas share.
GIVEN_TO_REPLICAS = [
    ("--node-url", "http://10.0.0.3:4881", "node_url", "http://10.0.0.3:4881"),
    ("--node-secret", "hush", "node_secret", "hush"),
    ("--lease", "3s", "lease", 3.0),
]
STORE = "valkey://127.0.0.1:6379/0?prefix=staging"
FLAGS = [
    ("--watch", "watch"),
    ("--strict", "strict"),
    ("--tls-self-signed", "tls_self_signed"),
    ("--access-log", "access_log"),
    ("--quiet", "quiet"),
]


def read(*args: str) -> Options:
    with serve.make_context("serve", list(args)) as context:
        return options_of(context.params)


@pytest.mark.parametrize(("option", "value", "name", "wanted"), GIVEN)
def test_an_option_is_read_from_the_command_line_and_from_the_environment(
    monkeypatch, option, value, name, wanted
):
    assert getattr(read(option, value), name) == wanted
    monkeypatch.setenv("VOICE_EMULATOR_" + option[2:].replace("-", "_").upper(), value)
    assert getattr(read(), name) == wanted


@pytest.mark.parametrize(("option", "value", "name", "wanted"), GIVEN_TO_REPLICAS)
def test_an_option_of_replicas_is_read_likewise(monkeypatch, option, value, name, wanted):
    assert getattr(read("--state", STORE, option, value), name) == wanted
    monkeypatch.setenv("VOICE_EMULATOR_STATE", STORE)
    monkeypatch.setenv("VOICE_EMULATOR_" + option[2:].replace("-", "_").upper(), value)
    assert getattr(read(), name) == wanted


@pytest.mark.parametrize(("option", "name"), FLAGS)
def test_a_flag_is_read_from_the_command_line_and_from_the_environment(monkeypatch, option, name):
    assert getattr(read(), name) is False
    assert getattr(read(option), name) is True
    monkeypatch.setenv("VOICE_EMULATOR_" + option[2:].replace("-", "_").upper(), "1")
    assert getattr(read(), name) is True
    monkeypatch.setenv("VOICE_EMULATOR_" + option[2:].replace("-", "_").upper(), "0")
    assert getattr(read(), name) is False


def test_without_options_everything_is_the_default():
    assert read() == Options()


def test_every_option_is_covered_above():
    assert {parameter.opts[0] for parameter in serve.params} == (
        {option for option, *_ in (*GIVEN, *GIVEN_TO_REPLICAS)}
        | {option for option, _ in FLAGS}
        | {"--clock-start"}
    )


def test_the_command_line_beats_the_environment(monkeypatch):
    monkeypatch.setenv("VOICE_EMULATOR_PORT", "1")
    assert read("--port", "2").port == 2


def test_several_values_in_the_environment_are_separated_by_blanks(monkeypatch):
    monkeypatch.setenv("VOICE_EMULATOR_ALLOW_HOST", "a.example b.example")
    assert read().allow_hosts == ("a.example", "b.example")
    assert read("--allow-host", "c", "--allow-host", "d").allow_hosts == ("c", "d")


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_is_no_token_and_does_not_pass_for_none(value: str):
    done = command(
        "serve",
        "--port",
        0,
        "--control-port",
        0,
        env={"VOICE_EMULATOR_CONTROL_TOKEN": value},
        program=COMMAND,
    )
    assert done.returncode == 2
    assert "--control-token is empty" in done.stderr.splitlines()[-1]


def test_the_start_of_the_clock(monkeypatch):
    monkeypatch.setenv("VOICE_EMULATOR_CLOCK_START", START)
    assert read("--clock", "manual").clock == ClockSpec("manual", start=parse_rfc3339(START))
    with pytest.raises(UsageError, match="real clock"):
        read("--clock", "real")


def test_a_start_alone_goes_with_the_clock_of_the_scenario(tmp_path):
    path = scenario(tmp_path, "name: standing\nclock: manual\n")
    with serving("--scenario", path, "--clock-start", START) as server:
        now = get(server.ready["control"] + "/v1/tenants/default")["now"]
        assert parse_rfc3339(now) == parse_rfc3339(START)


def test_options_reach_the_emulator_by_environment(tmp_path):
    path = scenario(tmp_path, "name: from-environment\n")
    given = {
        "VOICE_EMULATOR_SCENARIO": str(path),
        "VOICE_EMULATOR_PORT": "0",
        "VOICE_EMULATOR_CONTROL_PORT": "0",
        "VOICE_EMULATOR_LOG_FORMAT": "json",
        "VOICE_EMULATOR_SEED": "77",
    }
    with running("serve", env=given) as server:
        ready = json.loads(server.out.wait_for('"ready"'))
        assert ready["scenario"] == "from-environment"
        assert get(ready["control"] + "/v1/tenants/default")["seed"] == 77
        assert server.stop(signal.SIGTERM) == 0
        logged = [json.loads(line) for line in server.log.end()]
        assert {"time", "level", "logger", "message"} <= set(logged[0])


def test_pushes_go_where_the_option_says():
    with running("listen") as receiver:
        url = url_of(receiver)
        with serving("--callback-url", f"{url}/here", "--clock", "1000x") as server:
            post(server.ready["traffic"] + "/api/voiceSms/gpsend", GPSEND, **FORM)
            assert receiver.out.wait_for("POST /here").endswith("nxcloud group  answered 200 success")


@pytest.mark.parametrize(
    ("options", "scenario_url", "warned"),
    [
        (["--callback-url", "http://192.0.2.7/dr"], None, "allow it with --allow-callback-host 192.0.2.7"),
        ([], "http://u:hush@192.0.2.8/dr", "allow it with --allow-callback-host 192.0.2.8"),
        (["--callback-url", "http://192.0.2.7/dr", "--allow-callback-host", "192.0.2.*"], None, None),
        (
            [
                "--callback-url",
                "http://192.0.2.7/a",
                "--rewrite-callback",
                "http://192.0.2.7=http://localhost",
            ],
            None,
            None,
        ),
        (["--callback-url", "http://127.0.0.1:9/dr"], None, None),
        (["--callback-url", "http://name.invalid/dr"], None, None),
    ],
)
async def test_a_receiver_that_no_push_may_go_to_is_a_warning_at_start(
    options, scenario_url, warned, tmp_path, caplog
):
    text = "name: x\n" + (
        f"providers: {{nxcloud: {{callback_url: '{scenario_url}'}}}}\n" if scenario_url else ""
    )
    path = str(scenario(tmp_path, text))
    emulator = Emulator(read("--port", "0", "--control-port", "0", "--scenario", path, *options))
    await emulator.start()
    try:
        await warn_of_receivers(emulator)
    finally:
        await emulator.close()
    found = [record.getMessage() for record in caplog.records if "will be blocked" in record.getMessage()]
    assert len(found) == (1 if warned else 0)
    assert all(warned in line and "hush" not in line for line in found)


def test_serve_warns_of_it_when_it_starts():
    with serving("--callback-url", "http://192.0.2.7/dr") as server:
        line = server.log.wait_for("will be blocked")
    assert "pushes to http://192.0.2.7/dr will be blocked: 192.0.2.7 is neither loopback nor private" in line
