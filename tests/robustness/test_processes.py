"""The process among others: full disks, closed pipes, neighbours, forks. What serve does with signals and a taken
port is in tests/cli/serve/test_command.py, what a SIGKILL leaves behind in tests/state/test_killed.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import CHECKOUT, COMMAND, command, environment, get, group, post, running, serving
from tests.cli.serve.test_command import FORM, GPSEND
from tests.patience import PATIENCE
from voice_emulator.cli.init import STARTERS

FULL = Path("/dev/full")


# --- full disks -----------------------------------------------------------------------------------


def test_a_report_that_finds_no_room_at_the_end_is_told_and_the_exit_is_clean(tmp_path):
    link = tmp_path / "report.json"
    link.symlink_to(FULL)
    with serving("--report-on-exit", link) as server:
        post(server.ready["traffic"] + "/api/voiceSms/gpsend", GPSEND, **FORM)
        assert server.stop(signal.SIGTERM) == 0
        log = "\n".join(server.log.end())
    assert f"cannot write the report to {link}: No space left on device" in log
    assert "Traceback" not in log


def test_a_report_command_that_finds_no_room_says_so():
    with serving() as server:
        for option in ("--json", "--junit", "--html", "--markdown"):
            done = command("report", "--control", server.ready["control"], option, FULL)
            assert done.returncode == 2
            assert "No space left on device" in done.stderr
            assert "Traceback" not in done.stderr
        assert get(server.ready["control"] + "/health")["status"] == "ok"


def test_a_log_that_finds_no_room_stops_nothing():
    with FULL.open("w") as full:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", "--control-port", "0"],
            stdout=subprocess.PIPE, stderr=full, text=True, env=environment(),
        )  # fmt: skip
    assert process.stdout is not None
    with process, process.stdout:
        ready = json.loads(process.stdout.readline())
        for _ in range(3):
            post(ready["traffic"] + "/api/voiceSms/gpsend", GPSEND.replace(b"nx-appkey", b"nobody"), **FORM)
        assert get(ready["control"] + "/health")["status"] == "ok"
        process.terminate()
        process.wait(PATIENCE)


# --- closed pipes ---------------------------------------------------------------------------------


COMMANDS = [
    ["scenarios"], ["openapi", "control"], ["scenarios", "show", "happy-path"], ["errors"], ["demo"], ["--help"],
    ["check", "scenarios/happy-path.yaml"],
]  # fmt: skip


def into(writing: int, *args: object) -> subprocess.CompletedProcess[str]:
    """Run a command with ``writing`` as its standard output."""
    return subprocess.run(
        [*COMMAND, *map(str, args)], stdout=writing, stderr=subprocess.PIPE, text=True, env=environment(),
        timeout=PATIENCE, check=False, cwd=CHECKOUT,
    )  # fmt: skip


@pytest.fixture
def gone() -> Iterator[int]:
    """The end of a pipe whose other end is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_a_command_whose_reader_has_gone_says_nothing_about_it(gone: int, args: list[str]):
    done = into(gone, *args)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_a_command_whose_output_finds_no_room_says_so_in_a_line(args: list[str]):
    with FULL.open("w") as full:
        done = into(full.fileno(), *args)
    assert (done.returncode, done.stderr) == (
        1, "Error: cannot write to standard output: No space left on device\n"
    )  # fmt: skip


def test_a_report_is_written_though_nobody_reads_its_summary(gone: int, tmp_path):
    with serving() as server:
        post(server.ready["traffic"] + "/api/voiceSms/gpsend", GPSEND, **FORM)
        file = tmp_path / "report.json"
        for target in (file, "-"):
            done = into(gone, "report", "--control", server.ready["control"], "--json", target)
            assert (done.returncode, done.stderr) == (1, "")
        assert json.loads(file.read_text())["summary"]["accepted"] == 1


def test_all_starters_are_written_though_nobody_reads_which(gone: int, tmp_path):
    done = into(gone, "init", tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert {path.name for path in tmp_path.iterdir()} == {*STARTERS, "wheels"}


def test_a_receiver_whose_reader_has_gone_answers_the_push_at_hand_and_ends():
    reading, writing = os.pipe()
    with running("listen", "--port", 0, stdout=writing) as receiver:
        os.close(writing)
        with os.fdopen(reading) as lines:
            url = group(r"listening at (http://[0-9.:]+)", lines.readline())
        assert post(f"{url}/dr", b"messageid=1")[0] == 200
        assert receiver.process.wait(PATIENCE) == 1
        assert receiver.log.end() == []


# --- neighbours -----------------------------------------------------------------------------------


def test_two_emulators_on_one_machine_know_nothing_of_each_other():
    with serving() as one, serving() as other:
        assert len({server.ready[port] for server in (one, other) for port in ("traffic", "control")}) == 4
        ids = set()
        for server in (one, other):
            post(server.ready["traffic"] + "/api/voiceSms/gpsend", GPSEND, **FORM)
            (call,) = get(server.ready["control"] + "/v1/tenants/default/calls")["calls"]
            ids.add(call["provider_id"])
        assert len(ids) == 2
        assert one.stop(signal.SIGKILL) == -signal.SIGKILL
        assert get(other.ready["control"] + "/health")["status"] == "ok"
        # The ports of the one that died are free at once.
        ports = [one.ready[name].rsplit(":", 1)[1] for name in ("traffic", "control")]
        with running("serve", "--port", ports[0], "--control-port", ports[1]) as again:
            assert json.loads(again.out.wait_for('"ready"'))["traffic"] == one.ready["traffic"]


# --- forks ----------------------------------------------------------------------------------------

FORKING = """
import multiprocessing, os
from urllib.request import urlopen
import voice_emulator

def ask(url):
    with urlopen(url + "/health", timeout=60) as reply:
        return reply.status

def in_child(act):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    act()
    os._exit(7)

if __name__ == "__main__":
    with voice_emulator.running() as ve:
        control = ve.control_url
        # A child that uses the emulator of its parent, and is gone without a word.
        assert in_child(lambda: os._exit(0 if ask(control) == 200 else 1)) == 0
        for method in ("fork", "spawn"):
            with multiprocessing.get_context(method).Pool(2) as pool:
                assert pool.map(ask, [control] * 4) == [200] * 4
        assert ask(control) == 200
        assert list(ve.calls()) == []
    child = os.fork()
    if not child:
        # After the emulator: a child has one of its own.
        with voice_emulator.running() as another:
            os._exit(0 if ask(another.control_url) == 200 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    print("fine")
"""
FORKED_WITHIN = """
import os
from urllib.request import urlopen
import voice_emulator

with voice_emulator.running() as ve:
    control = ve.control_url
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        with urlopen(control + "/health", timeout=60) as reply:
            assert reply.status == 200
# The child comes by here too, out of a with block whose emulator is not its own.
print("child" if not child else "parent", flush=True)
if not child:
    # As multiprocessing does; uvloop's thread pool does not survive the C library's own exit in a fork.
    os._exit(0)
"""


def script(text: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "script.py"
    path.write_text(text)
    return subprocess.run(
        [sys.executable, str(path)], env={**environment(), "PYTHONWARNINGS": "ignore"}, capture_output=True,
        text=True, timeout=PATIENCE, cwd=CHECKOUT, check=False,
    )  # fmt: skip


def test_children_of_a_test_use_the_emulator_and_leave_it_alone(tmp_path):
    done = script(FORKING, tmp_path)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


def test_a_child_that_leaves_the_block_of_its_parent_stops_nothing_but_itself(tmp_path):
    done = script(FORKED_WITHIN, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == ["child", "parent"]
