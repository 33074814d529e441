"""The command swarm: what a user starts, with nothing but curl and the variables it sets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.process import CHECKOUT, COMMAND, command, environment, get, serving
from tests.patience import PATIENCE
from voice_emulator.swarm.families import FAMILIES

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl drives the clients")

#: Where the clients of tests/swarm are found.
ENV = {"PYTHONPATH": os.pathsep.join((str(CHECKOUT / "emulator"), str(CHECKOUT)))}
HERE = "http://127.0.0.1:{port}"


def client(name: str, *more: object) -> list[object]:
    """The options for one of the clients of tests/swarm: started once, driven and told the time over HTTP."""
    ask = "curl -sf --noproxy * -X POST"
    return [
        "--app", f"{sys.executable} -m tests.swarm.clients {name} {{port}}", "--app-ready", f"{HERE}/calls",
        "--keep-app", "--reset", f"{HERE}/reset", "--client-clock", f"tick={HERE}/tick", "--check", f"{ask} {HERE}/check",
        "--probe", f"{HERE}/calls", *more,
    ]  # fmt: skip


#: CMD for them. The shell is needed for the variable alone.
DIAL = [
    "--",
    "sh",
    "-c",
    'curl -sf --noproxy "*" "http://127.0.0.1:$0/dial" -d "$VOICE_EMULATOR_NUMBERS"',
    "{port}",
]


def swarm(*args: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return command("swarm", *args, env={**ENV, **(env or {})})


@pytest.fixture(scope="module")
def hunt(tmp_path_factory):
    """A hunt for the bug of one client, with all its files."""
    out = tmp_path_factory.mktemp("swarm")
    files = [part for kind in ("json", "junit", "markdown") for part in (f"--{kind}", out / f"result.{kind}")]
    done = swarm(
        "--seed", 4, "--provider", "huawei_cec", "--numbers", 4, "--out", out, *files,
        *client("huawei-cec-refuses-unknown-ids"), *DIAL,
    )  # fmt: skip
    return done, out


def test_a_bug_is_found_and_exits_with_1(hunt):
    done, out = hunt
    assert done.returncode == 1, done.stdout + done.stderr
    (failure,) = json.loads((out / "result.json").read_text(encoding="utf-8"))["failures"]
    assert (failure["rule"], failure["shrunk"], failure["rules"]) == ("push-answered-with-error", True, 1)
    assert failure["file"] in done.stdout
    assert "seed 4: finding push-answered-with-error" in done.stderr
    assert ET.parse(out / "result.junit").getroot().get("failures") == "1"
    assert "before_reply" in (out / "result.markdown").read_text(encoding="utf-8")


def test_the_result_is_a_scenario_that_check_accepts(hunt):
    (path,) = hunt[1].glob("*.yaml")
    done = command("check", path)
    assert done.returncode == 0, done.stdout
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) <= 15


def test_replay_exits_1_while_it_fails_and_0_for_a_correct_client(hunt):
    (path,) = hunt[1].glob("*.yaml")
    again = swarm("replay", path)
    assert again.returncode == 1, again.stdout + again.stderr
    assert "failed: finding push-answered-with-error" in again.stdout
    repaired = swarm("replay", path, "--app", f"{sys.executable} -m tests.swarm.clients huawei_cec {{port}}")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr


@pytest.mark.parametrize(("name", "status"), [("nxcloud-bills-every-receipt", 1), ("nxcloud", 0)])
def test_a_bill_is_held_against_the_ledger(tmp_path, name, status):
    # One seed in four shows this bug (17 of the first 60).
    done = swarm(
        "--seed", 4, "--provider", "nxcloud", "--numbers", 6, "--out", tmp_path, "--ledger", f"{HERE}/bill",
        *client(name)[:-2], *DIAL,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    assert all(path.stem.startswith("ledger-") for path in tmp_path.glob("*.yaml"))


SUITE = """
from urllib.parse import urlencode
from urllib.request import urlopen


def test_one_call(voice_emulator):
    keys = voice_emulator.credentials.nxcloud
    form = {
        "appkey": keys.appkey, "secretkey": keys.secretkey, "phone": "6281234571171", "country_code": "62",
        "show_phone": "1234567890", "url": "https://files.example.com/hello.mp3",
    }
    urlopen(f"{voice_emulator.url}/api/voiceSms/gpsend", urlencode(form).encode())
    voice_emulator.advance("1h")
    assert [call.state for call in voice_emulator.calls()] == ["ended"]
"""


def test_a_pytest_suite_is_enough(tmp_path):
    """The fixture takes the tenant of the run. Faults are those of another provider: nothing can be found."""
    (tmp_path / "test_suite.py").write_text(SUITE, encoding="utf-8")
    done = swarm(
        "--seed", 1, "--provider", "infin8linx", "--callback-url", "", "--out", tmp_path / "out",
        "--", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path / "test_suite.py",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "found nothing in 2 seeds, 2 runs" in done.stdout


SCRIPT = """#!/bin/sh
# Dials each number, and once more if no id came back: the double-dial trap.
for number in $(echo "$VOICE_EMULATOR_NUMBERS" | tr , ' '); do
    for attempt in 1 2; do
        reply=$(curl -s -m 10 --noproxy '*' "$VOICE_EMULATOR_URL/api/voiceSms/gpsend" \\
            -d "appkey=$VOICE_EMULATOR_NXCLOUD_APPKEY" -d "secretkey=$VOICE_EMULATOR_NXCLOUD_SECRETKEY" \\
            -d "phone=$number" -d country_code=62 -d show_phone=1234567890 \\
            --data-urlencode url=https://files.example.com/hello.mp3)
        case "$reply" in *messageid*) break ;; esac
    done
done
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "dial.sh"
    path.write_text(SCRIPT, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_shell_script_is_enough(script, tmp_path):
    """No app, no receiver: curl and the variables alone."""
    out = tmp_path / "out"
    done = swarm(
        "--seed", 1, "--provider", "nxcloud", "--numbers", 3, "--callback-url", "", "--out", out, "--", script
    )
    assert done.returncode == 1, done.stdout + done.stderr
    names = {path.stem for path in out.glob("*.yaml")}
    assert "dialled-again-nxcloud-gpsend" in names


def test_an_emulator_that_runs_already_is_used_and_its_tenant_kept(script, tmp_path):
    with serving() as server:
        control = server.ready["control"]
        done = swarm(
            "--seed", 1, "--provider", "nxcloud", "--numbers", 2, "--callback-url", "", "--out", tmp_path / "out",
            "--control", control, "--tenant", "default", "--", script,
        )  # fmt: skip
        assert done.returncode == 1, done.stdout + done.stderr
        assert swarm("replay", *(tmp_path / "out").glob("dialled*.yaml")).returncode == 1
        made = swarm(
            "--seed", 5, "--provider", "infin8linx", "--callback-url", "", "--control", control, "--", script
        )
        assert made.returncode == 0, made.stdout + made.stderr
        assert [tenant["id"] for tenant in get(f"{control}/v1/tenants")["tenants"]] == ["default"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "the command that drives your client is missing"),
        (["true"], "unexpected 'true': write the command of your client after --"),
        (["--", "true"], "without any fault, no request reached the tenant"),
        (["--", "sh", "-c", "echo oh no; exit 3"], "without any fault, this already fails: command CMD: CMD ended with "),
        (["--provider", "nxclod", "--", "true"], "did you mean 'nxcloud'"),
        (["--client-clock", "sundial", "--", "true"], "--client-clock is faketime or tick=URL, not 'sundial'"),
        (["--keep-app", "--", "true"], "--keep-app needs --app"),
        (["--map", "m.yaml", "--", "true"], "--map needs --ledger"),
        (["--clock-start", "yesterday", "--", "true"], "--clock-start must be an instant like"),
        (["--", "/nowhere/at-all"], "cannot run CMD /nowhere/at-all"),
        (["--app", "sleep 600", "--app-ready", f"{HERE}/", "--timeout", "0.3", "--", "true"], "--app is not ready"),
        (["--space", "/nowhere.yaml", "--", "true"], "cannot read /nowhere.yaml"),
        (["replay", "/nowhere.yaml"], "cannot read /nowhere.yaml"),
    ],
)  # fmt: skip
def test_what_cannot_work_exits_with_2_and_says_why(args, message):
    from click.testing import CliRunner

    from voice_emulator.cli import commands

    done = CliRunner().invoke(commands, ["swarm", *args])
    assert done.exit_code == 2, done.output
    assert message in done.output


#: A job that puts the date on which it was begun into the record query, and is well if that shows all that it dialled.
DATED = """#!/bin/sh
read day < "$VOICE_EMULATOR_RUN_DIR/day"
reply=$(curl -s -m 10 --noproxy '*' "$VOICE_EMULATOR_URL/api/voiceSms/getVoiceCdr" \\
    -d "appkey=$VOICE_EMULATOR_NXCLOUD_APPKEY" -d "secretkey=$VOICE_EMULATOR_NXCLOUD_SECRETKEY" \\
    --data-urlencode "start_time=$day 00:00:00" --data-urlencode "end_time=$day 23:59:59" \\
    -d page=1 -d page_size=100 -d voiceType=0)
case "$reply" in *'"total":2'*) exit 0 ;; esac
echo "$day: $reply"
exit 1
"""


@pytest.fixture(scope="module")
def libfaketime():
    from voice_emulator.swarm.session import find_faketime
    from voice_emulator.swarm.subject import SetupError

    try:
        return find_faketime()
    except SetupError as error:
        pytest.skip(f"NOT TESTED: {error}")


@pytest.mark.usefixtures("libfaketime")
@pytest.mark.parametrize("clock", [["--client-clock", "faketime"], []])
def test_a_client_with_a_clock_of_its_own_needs_libfaketime(script, tmp_path, clock):
    """``date``, curl and a shell, unchanged: they see the tenant's day, and without it their query finds nothing."""
    check = tmp_path / "check.sh"
    check.write_text(DATED, encoding="utf-8")
    check.chmod(0o755)
    done = swarm(
        "--seed", 1, "--provider", "infin8linx", "--numbers", 2, "--callback-url", "", "--out", tmp_path / "out",
        "--check", check, *clock,
        "--", "sh", "-c", f'TZ=Asia/Shanghai date +%F > "$VOICE_EMULATOR_RUN_DIR/day"; exec {script}',
    )  # fmt: skip
    assert done.returncode == (0 if clock else 2), done.stdout + done.stderr
    if not clock:
        assert "without any fault, this already fails: command --check" in done.stderr


@pytest.mark.usefixtures("libfaketime")
def test_libfaketime_moves_an_app_that_keeps_running(script, tmp_path):
    """An app that started on the first day is told the time of each step, whole days later too."""
    log = tmp_path / "log"
    app = tmp_path / "app.py"
    app.write_text(
        "import sys, time\nwhile True:\n    print(int(time.time()), file=open(sys.argv[1], 'a'), flush=True)\n"
        "    time.sleep(0.01)\n",
        encoding="utf-8",
    )
    space = tmp_path / "space.yaml"
    shares = {family.name: "on" if family.name == "late" else "off" for family in FAMILIES}
    space.write_text(json.dumps({"families": shares}), encoding="utf-8")
    waits = f"sh -c 'n=$(wc -l < {log}); while [ $(wc -l < {log}) -lt $((n + 2)) ]; do :; done'"
    done = swarm(
        "--seed", 1, "--provider", "nxcloud", "--numbers", 2, "--callback-url", "", "--out", tmp_path / "out",
        "--space", space, "--client-clock", "faketime", "--app", f"{sys.executable} {app} {log}", "--anytime", waits, "--", script,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    seen = [int(line) for line in log.read_text(encoding="utf-8").split()]
    begun = datetime(2026, 1, 5, 1, tzinfo=UTC).timestamp()
    assert begun <= seen[0] < begun + 300
    assert max(seen) - seen[0] > 600


def test_a_missing_libfaketime_is_told_with_the_package_to_install(monkeypatch):
    from click.testing import CliRunner

    from voice_emulator.cli import commands
    from voice_emulator.swarm import session

    monkeypatch.setattr(session, "FAKETIME_PLACES", ())
    done = CliRunner().invoke(commands, ["swarm", "--client-clock", "faketime", "--", "true"])
    assert done.exit_code == 2
    assert "install the package faketime" in done.output


def test_an_app_that_ends_early_is_told():
    from click.testing import CliRunner

    from voice_emulator.cli import commands

    done = CliRunner().invoke(
        commands, ["swarm", "--app", "sh -c 'echo out of memory; exit 9'", "--", "true"]
    )
    assert done.exit_code == 2
    assert "--app ended early with exit status 9; its output ends with:\nout of memory" in done.output


def test_ctrl_c_keeps_what_was_found(script, tmp_path):
    out = tmp_path / "out"
    args = [
        "--provider",
        "nxcloud",
        "--numbers",
        "2",
        "--callback-url",
        "",
        "--out",
        out,
        "--seeds",
        "100000",
    ]
    process = subprocess.Popen(
        [*COMMAND, "swarm", *map(str, args), "--json", str(tmp_path / "o.json"), "--", str(script)],
        env=environment(**ENV), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "shrunk: " in line:
            break
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "(interrupted)" in output
    shown = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert shown["ended"] == "interrupted"
    assert len(shown["failures"]) == len(list(Path(out).glob("*.yaml")))
