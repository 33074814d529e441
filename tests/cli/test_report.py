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
    gpsend(server, country_code="")
    files = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "html", "markdown")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    done = command("report", "--control", server.ready["control"], *options)
    assert done.returncode == 1, done.stderr
    assert "schema-violation (nxcloud 1)" in done.stdout
    assert "how to fix it: " in done.stdout
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
    assert "connection refused by 127.0.0.1:9; is an emulator running there?" in absent.stderr
    assert "Errno" not in absent.stderr


@pytest.mark.parametrize(
    ("name", "why"),
    [("verdict.pdf", "must end in .json"), ("verdict", "must end in"), ("no/verdict.json", "cannot write")],
)
def test_serve_refuses_a_report_file_it_cannot_write_before_it_starts(tmp_path, name, why):
    done = command("serve", "--port", "0", "--control-port", "0", "--report-on-exit", tmp_path / name)
    assert done.returncode == 2
    assert why in done.stderr
    assert "ready" not in done.stdout


def cases(path) -> dict[str, list[object]]:
    """JUnit results by case, as ``suite/name``."""
    suites = junitparser.JUnitXml.fromfile(str(path))
    return {f"{suite.name}/{case.name}": case.result for suite in suites for case in suite}


def test_a_run_in_which_nothing_was_judged_is_no_pass(tmp_path):
    junit, summary = tmp_path / "empty.xml", tmp_path / "summary.md"
    with serving() as running:
        at = ("report", "--control", running.ready["control"], "--junit", junit)
        empty = command(*at, "--annotations", env={"GITHUB_STEP_SUMMARY": str(summary)})
        found = cases(junit)
        allowed = command(*at, "--allow-empty", "--fail-on", "warning")
        skipped = cases(junit)
    assert empty.returncode == 1
    assert "No request was judged" in empty.stdout
    assert "::error title=judged::No request was judged" in empty.stdout
    assert "No request was judged" in summary.read_text(encoding="utf-8")
    assert isinstance(found["run/judged"][0], junitparser.Failure)
    assert all(found.values()), "no case passed"
    assert allowed.returncode == 0
    assert all(isinstance(result[0], junitparser.Skipped) for result in skipped.values())


def test_warnings_fail_only_where_that_is_asked_for(tmp_path):
    junit = tmp_path / "warnings.xml"
    with serving("--clock", "manual") as running:
        # No receiver is configured: the call ends as an orphan, which is a warning then.
        gpsend(running)
        control = running.ready["control"]
        post(
            f"{control}/v1/tenants/default/clock/advance",
            b'{"to": "idle"}',
            **{"Content-Type": "application/json"},
        )
        at = ("report", "--control", control, "--junit", junit)
        plain = command(*at)
        passed = cases(junit)
        strict = command(*at, "--fail-on", "warning")
        failed = cases(junit)
        never = command(*at, "--fail-on", "never")
    assert (plain.returncode, strict.returncode, never.returncode) == (0, 1, 0)
    assert "No violation of the contract, 1 warning." in plain.stdout
    assert "1 number accepted: 1 orphan" in plain.stdout
    assert passed["nxcloud/orphaned-call"] == []
    assert isinstance(failed["nxcloud/orphaned-call"][0], junitparser.Failure)
    # What was touched passes, what was not is skipped.
    assert passed["nxcloud/schema-violation"] == []
    for untouched in ("huawei_cec/schema-violation", "nxcloud/push-timed-out", "nxcloud/repeated-submission"):
        assert isinstance(passed[untouched][0], junitparser.Skipped), untouched


def test_findings_become_annotations_and_a_job_summary(server, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    gpsend(server, country_code="")
    done = command(
        "report",
        "--control",
        server.ready["control"],
        "--annotations",
        "--json",
        "-",
        env={"GITHUB_STEP_SUMMARY": str(summary)},
    )
    assert json.loads(done.stdout)["tenant"] == "default", "standard output is the report alone"
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("::error title=schema-violation")]
    assert "%0AHow to fix it" in line
    assert summary.read_text(encoding="utf-8").startswith("before\n## Voice contract report: default")


def test_all_tenants_are_one_report(server, tmp_path):
    control = server.ready["control"]
    kind = {"Content-Type": "application/json"}
    other = json.loads(post(f"{control}/v1/tenants", b'{"id": "other", "seed": 5}', **kind)[1])
    keys = other["credentials"]["nxcloud"]
    gpsend(server, country_code="")
    gpsend(server, country_code="", appkey=keys["appkey"], secretkey=keys["secretkey"])
    done = command("report", "--control", control, "--tenant", "all", "--json", tmp_path / "all.json")
    assert done.returncode == 1
    document = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    (group,) = [each for each in document["findings"] if each["rule"] == "schema-violation"]
    assert {each["tenant"] for each in group["examples"]} == {"default", "other"}
    assert group["count"] == document["summary"]["errors"]


def test_serve_writes_the_report_when_it_is_told_to_stop(tmp_path):
    path = tmp_path / "verdict.json"
    with serving("--report-on-exit", path) as running:
        gpsend(running, country_code="")
        assert running.stop(signal.SIGTERM) == 0
    document = json.loads(path.read_text(encoding="utf-8"))
    assert [found["rule"] for found in document["violations"]] == ["schema-violation"]


def test_a_report_that_cannot_be_written_does_not_keep_serve_from_stopping(tmp_path):
    folder = tmp_path / "soon gone"
    folder.mkdir()
    with serving("--report-on-exit", folder / "verdict.json") as running:
        assert not list(folder.iterdir()), "nothing is left by the look whether it can be written"
        folder.rmdir()
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
