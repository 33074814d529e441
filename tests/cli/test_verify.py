from __future__ import annotations

import json

import jsonschema_rs
import junitparser
import pytest

from tests.cli.process import command, running, url_of
from voice_emulator.resources import data_path

KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def receiver():
    with running("listen") as process:
        yield process


def test_a_receiver_is_graded_in_all_formats(receiver, tmp_path):
    files = {name: tmp_path / f"graded.{name}" for name in ("json", "junit", "html", "markdown")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    done = command(
        "verify", "--callback-url", url_of(receiver), "--provider", "infin8linx", "--seed", 3, *options
    )
    # It acknowledges everything, which is a warning, but nothing that the provider sends is lost on it.
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed  infin8linx/unknown-field" in done.stdout
    assert "warning infin8linx/wrong-type" in done.stdout
    document = json.loads(files["json"].read_text(encoding="utf-8"))
    schema = json.loads(data_path("schemas").joinpath("conformance.schema.json").read_text(encoding="utf-8"))
    assert [str(error) for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(document)] == []
    (suite,) = junitparser.JUnitXml.fromfile(str(files["junit"]))
    assert (suite.tests, suite.failures) == (document["summary"]["checks"], 0)
    assert "<h2>infin8linx</h2>" in files["html"].read_text(encoding="utf-8")
    # The push as it was sent is in every format, with a curl line.
    for text in (done.stdout, *(path.read_text(encoding="utf-8") for path in files.values())):
        assert "curl -i -X POST" in text
        assert "customuuid" in text
    assert "infin8linx/wrong-type" in files["markdown"].read_text(encoding="utf-8")


def test_a_failed_check_makes_the_exit_status_1(receiver):
    done = command(
        "verify",
        "--callback-url",
        url_of(receiver),
        "--provider",
        "huawei_cec",
        "--shared-key",
        KEY,
        "--json",
        "-",
    )
    assert done.returncode == 1
    failed = {each["id"] for each in json.loads(done.stdout)["checks"] if each["verdict"] == "failed"}
    assert failed == {
        f"huawei_cec/{name}"
        for name in ("bad-signature", "missing-signature", "signature-case", "tampered-body")
    }


def test_a_single_check_can_be_run_and_nothing_judged_is_no_pass(receiver, tmp_path):
    common = ["verify", "--callback-url", url_of(receiver)]
    one = command(*common, "--only", "nxcloud/repeat", "--only", "busy", "--json", tmp_path / "one.json")
    assert one.returncode == 0, one.stderr
    checks = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))["checks"]
    assert sorted(each["id"] for each in checks) == sorted(
        ["nxcloud/repeat", "nxcloud/busy", "huawei_cec/busy", "infin8linx/busy"]
    )
    junit = tmp_path / "none.xml"
    none = command(*common, "--only", "bad-signature", "--junit", junit)
    assert none.returncode == 1
    assert "No check was judged" in none.stdout
    results = [case.result for suite in junitparser.JUnitXml.fromfile(str(junit)) for case in suite]
    assert all(results), "no passed case"
    wrong = command(*common, "--only", "unknwon-id")
    assert wrong.returncode == 2
    assert "did you mean 'unknown-id'" in wrong.stderr


def test_the_ids_of_a_run_are_told():
    done = command("verify", "--ids", "--seed", 3, "--provider", "nxcloud")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["nxcloud"]) > 40


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["--provider", "nobody", "--callback-url", "http://127.0.0.1:9/"], "nobody"),
        ([], "--callback-url"),
        (["--ids"], "--seed"),
        (["--callback-url", "http://127.0.0.1:9/", "--shared-key", "short"], "16 characters"),
        (["--callback-url", "http://127.0.0.1:9/", "--known-id", "nobody=1"], "nobody"),
    ],
)
def test_wrong_usage_is_said_in_a_sentence(args, why):
    done = command("verify", *args)
    assert done.returncode == 2
    assert why in done.stderr
