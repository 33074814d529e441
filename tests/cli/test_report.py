from __future__ import annotations

import json
import signal
from urllib.parse import urlencode

import junitparser
import pytest

from tests.cli.process import command, post, serving

FORM = {"appkey": "nx-appkey", "secretkey": "nx-secretkey", "phone": "6281234567890", "country_code": "62",
        "show_phone": "123456", "url": "https://x.example/a.mp3"}  # fmt: skip
KIND = {"Content-Type": "application/x-www-form-urlencoded"}


def gpsend(server, **changes: str) -> None:
    post(f"{server.ready['traffic']}/api/voiceSms/gpsend", urlencode({**FORM, **changes}).encode(), **KIND)


@pytest.fixture(scope="module")
def server():
    with serving("--clock", "manual") as running:
        yield running


def test_violations_are_listed_written_and_make_the_exit_status_1(server, tmp_path):
    clean = command("report", "--control", server.ready["control"])
    assert clean.returncode == 0, clean.stderr
    assert "No violation of the contract." in clean.stdout

    gpsend(server, country_code="")
    files = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "html", "markdown")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    done = command("report", "--control", server.ready["control"], *options)
    assert done.returncode == 1, done.stderr
    assert "schema-violation (nxcloud)" in done.stdout
    assert json.loads(files["json"].read_text(encoding="utf-8"))["summary"]["errors"] == 1
    assert sum(suite.failures for suite in junitparser.JUnitXml.fromfile(str(files["junit"]))) == 1
    assert files["html"].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert files["markdown"].read_text(encoding="utf-8").startswith("## Voice contract report")


def test_a_report_goes_to_standard_output_alone(server):
    done = command("report", "--control", server.ready["control"], "--json", "-")
    assert json.loads(done.stdout)["tenant"] == "default"


def test_what_cannot_be_asked_or_written_is_said_in_a_sentence(server, tmp_path):
    unknown = command("report", "--control", server.ready["control"], "--tenant", "nobody")
    assert unknown.returncode == 1
    assert "nobody" in unknown.stderr
    unwritable = command("report", "--control", server.ready["control"], "--html", tmp_path / "no" / "x.html")
    assert unwritable.returncode == 2
    assert "cannot write" in unwritable.stderr
    absent = command("report", "--control", "http://127.0.0.1:9")
    assert absent.returncode == 1


def test_serve_writes_the_report_when_it_is_told_to_stop(tmp_path):
    path = tmp_path / "verdict.json"
    with serving("--report-on-exit", path) as running:
        gpsend(running, country_code="")
        assert running.stop(signal.SIGTERM) == 0
    document = json.loads(path.read_text(encoding="utf-8"))
    assert [found["rule"] for found in document["violations"]] == ["schema-violation"]


def test_a_report_that_cannot_be_written_does_not_keep_serve_from_stopping(tmp_path):
    with serving("--report-on-exit", tmp_path / "no" / "verdict.json") as running:
        assert running.stop(signal.SIGTERM) == 0
        assert any("cannot write the report" in line for line in running.log.end())


def test_an_entry_is_explained(server):
    gpsend(server)
    done = command("explain", "1", "--control", server.ready["control"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Entry 1, request at ")
    assert "No rule acted." in done.stdout
    as_json = command("explain", "1", "--json", "--control", server.ready["control"])
    assert json.loads(as_json.stdout)["entry"] == 1
    unknown = command("explain", "99999", "--control", server.ready["control"])
    assert unknown.returncode == 1
    assert "no entry" in unknown.stderr
