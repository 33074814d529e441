"""Commands under test: always ended, with their children."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from tests.patience import PATIENCE
from voice_emulator.errors import UsageError
from voice_emulator.swarm.processes import Process, free_port, split


def started(*command):
    return Process("CMD", command, {**os.environ, "GREETING": "hello"})


def test_a_command_gets_the_environment_and_its_output_is_kept():
    process = started("/bin/sh", "-c", 'echo "$GREETING"; echo trouble >&2; exit 3')
    assert process.wait(PATIENCE, threading.Event()) == 3
    process.end()
    assert process.output == "hello\ntrouble"


def test_only_the_end_of_long_output_is_kept():
    process = started(sys.executable, "-c", "print('x' * 100_000); print('last')")
    process.wait(PATIENCE, threading.Event())
    process.end()
    assert process.output.endswith("x\nlast")
    assert len(process.output) <= 2_000


def test_a_command_that_does_not_end_is_told_by_none_and_ended():
    process = started("/bin/sh", "-c", "exec sleep 600")
    assert process.wait(0.05, threading.Event()) is None
    process.end()
    assert process.status is not None


def test_a_wait_ends_when_it_is_told_to():
    stopped = threading.Event()
    stopped.set()
    process = started("/bin/sh", "-c", "exec sleep 600")
    assert process.wait(PATIENCE, stopped) is None
    process.end()


@pytest.mark.skipif(os.name != "posix", reason="groups of processes")
@pytest.mark.parametrize("how", ["sleep 600 & echo $!; wait", "sleep 600 & echo $!; exit 0"])
def test_children_are_ended_too(how):
    process = started("/bin/sh", "-c", how)
    while not process.output:
        threading.Event().wait(0.01)
    child = int(process.output)
    process.end()
    for _ in range(500):
        if not alive(child):
            break
        threading.Event().wait(0.01)
    assert not alive(child)


def alive(pid):
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - it may vanish at any time
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_command_that_cannot_be_run_is_a_wrong_usage():
    with pytest.raises(UsageError, match="cannot run CMD /nowhere/at-all: No such file"):
        started("/nowhere/at-all")


def test_a_command_in_one_string_is_split_as_a_shell_does():
    assert split("python -c 'a b' {port}", "--app") == ["python", "-c", "a b", "{port}"]
    with pytest.raises(UsageError, match="--app 'a \"b': No closing quotation"):
        split('a "b', "--app")
    with pytest.raises(UsageError, match="--check is empty"):
        split("  ", "--check")


def test_free_ports_differ():
    ports = {free_port() for _ in range(50)}
    assert len(ports) == 50
