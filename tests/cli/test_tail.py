"""tail. That its lines are those of serve is in tests/cli/serve/test_access_log.py."""

from __future__ import annotations

import json
import signal

import pytest
from click.testing import CliRunner

from tests.cli.process import running, serving
from tests.cli.test_report import gpsend
from voice_emulator.cli import commands


@pytest.fixture(scope="module")
def server():
    with serving("--clock", "600x", "--callback-url", "http://127.0.0.1:9/dr") as running_server:
        yield running_server


def test_json_has_a_document_a_line_for_requests_and_pushes_alone(server):
    with running("tail", "--json", "--control", server.ready["control"]) as tail:
        tail.log.wait_for("following")
        gpsend(server, appkey="wrong")
        gpsend(server)
        tail.out.wait_for('"event": "callback"')
        found = [json.loads(line) for line in tail.out.lines]
    assert {document["event"] for document in found} == {"request", "callback"}
    assert found[0]["why"] == ["appkey: no tenant has the appkey 'wrong'"]
    assert found[-1]["outcome"] == "failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_status_0_and_without_a_traceback(server, number):
    with running("tail", "--control", server.ready["control"]) as tail:
        tail.log.wait_for("following")
        assert tail.stop(number) == 0
        assert len(tail.log.end()) == 1


def test_tail_ends_with_the_emulator():
    with serving() as own, running("tail", "--control", own.ready["control"]) as tail:
        tail.log.wait_for("following")
        own.stop(signal.SIGTERM)
        assert "the stream has ended" in tail.log.end()[-1]
        assert tail.process.wait(60) == 0


def test_a_tenant_that_is_not_there_is_a_sentence(server):
    done = CliRunner().invoke(commands, ["tail", "--control", server.ready["control"], "--tenant", "nobody"])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert "nobody" in done.output
