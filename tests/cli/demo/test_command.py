from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys

import pytest

from tests.cli.process import COMMAND, command, environment
from tests.patience import PATIENCE
from voice_emulator.cli.demo.calls import DIALLED
from voice_emulator.cli.demo.screen import NEXT_STEPS, Result, Row

NUMBERS = sum(len(numbers) for numbers in DIALLED.values())
ROW = re.compile(r"receipt  (\S+) +(\S+) +(\S+) +(\S+) +(\d+) s  (\S+=\S+)  \((\d+)/(\d+)\)")


def rows_of(output: str) -> list[re.Match[str]]:
    lines = [line for line in output.splitlines() if line.startswith("receipt ")]
    rows = [found for line in lines if (found := ROW.fullmatch(line))]
    assert len(rows) == len(lines), output
    return rows


@pytest.fixture(scope="module")
def plain():
    return command("demo", program=COMMAND)


def test_every_number_of_every_provider_is_reported_once(plain):
    assert plain.returncode == 0, plain.stderr
    assert plain.stderr == ""
    rows = rows_of(plain.stdout)
    assert sorted((row[1], row[2]) for row in rows) == sorted(
        (provider, number) for provider, numbers in DIALLED.items() for number in numbers
    )
    assert [(int(row[7]), int(row[8])) for row in rows] == [(n, NUMBERS) for n in range(1, NUMBERS + 1)]


def test_the_calls_went_as_calls_do(plain):
    rows = rows_of(plain.stdout)
    assert {row[4] for row in rows} == {"answered", "busy", "no_answer"}
    for row in rows:
        assert (int(row[5]) > 0) == (row[4] == "answered")
    says = {(row[1], row[4]): row[6] for row in rows}
    assert says["nxcloud", "busy"] == "hangup_cause=USER_BUSY"
    assert says["huawei_cec", "no_answer"] == "releaseReason=4"
    assert says["infin8linx", "no_answer"] == "hangupcause=10016"


def test_demo_shows_the_requests_and_says_what_to_do_next(plain):
    lines = plain.stdout.splitlines()
    asked = [line.split()[1:3] for line in lines if line.startswith("request ")]
    assert asked[:3] == [["nxcloud", "gpsend"], ["nxcloud", "versend"], ["huawei_cec", "tokenByAkSk"]]
    assert asked[-1] == ["infin8linx", "PlayVoice"]
    assert lines[-3].startswith(f"{NUMBERS} of {NUMBERS} receipts in ")
    assert tuple(lines[-2:]) == NEXT_STEPS


def test_on_a_terminal_it_draws_a_table(tmp_path):
    ours, theirs = pty.openpty()
    drawn = b""
    with (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(
            [*COMMAND, "demo"], env=environment(TERM="xterm-256color", COLUMNS="120", LINES="40"),
            stdin=subprocess.DEVNULL, stdout=theirs, stderr=errors,
        )  # fmt: skip
    os.close(theirs)
    try:
        while select.select([ours], [], [], PATIENCE)[0]:
            try:
                drawn += os.read(ours, 65_536)
            except OSError:  # the other end is closed: it has ended
                break
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(ours)
    assert (tmp_path / "errors").read_text() == ""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.decode())
    table = text[text.rindex("the receipt says") :]
    for provider, numbers in DIALLED.items():
        assert provider in table
        for number in numbers:
            assert number in table
    assert f"{NUMBERS}/{NUMBERS}" in table
    assert NEXT_STEPS[0] in table


def test_receipts_that_never_come_are_named_and_the_status_is_1():
    program = (
        "from voice_emulator.cli import main\n"
        "from voice_emulator.cli.demo import command as demo\n"
        "demo.PATIENCE = 3.0\n"
        "demo.SCENARIO += '''\n"
        "  - name: lost\n"
        "    match: {provider: nxcloud, number: '*0011'}\n"
        "    receipt: {lost: true}\n"
        "'''\n"
        "main(['demo'])\n"
    )
    done = command(program=(sys.executable, "-c", program))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"Error: only {NUMBERS - 2} of {NUMBERS} receipts came within 3 s; "
        "missing: nxcloud 6281200010011, nxcloud 6281311110011"
    )


def test_a_request_that_is_refused_is_one_sentence_and_status_1():
    program = (
        "from voice_emulator.cli import main\n"
        "from voice_emulator.cli.demo import command as demo\n"
        "demo.SCENARIO += '''\n"
        "  - name: no\n"
        "    match: {operation: tokenByAkSk}\n"
        "    reply: {error: auth_failed}\n"
        "'''\n"
        "main(['demo'])\n"
    )
    done = command(program=(sys.executable, "-c", program))
    assert done.returncode == 1
    refusal = "Error: /apigovernance/api/oauth/tokenByAkSk was refused with HTTP 403: "
    assert done.stderr.splitlines()[-1].startswith(refusal)
    assert "Traceback" not in done.stderr


def test_the_result_counts_outcomes_and_providers():
    rows = tuple(
        Row("nxcloud", str(n), "id", outcome, 0, "") for n, outcome in enumerate(("busy", "busy", "answered"))
    )
    assert Result(rows, 4, 1.25).line == "3 of 4 receipts in 1.2 s: 2 busy, 1 answered (nxcloud 3)"
