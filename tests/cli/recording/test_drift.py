"""drift, from a recording to reports and an exit status."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.recording.altered import PLANTED, SCENARIO, recorded
from tests.recording.taped import READER
from voice_emulator.cli import commands
from voice_emulator.recording.bundle import write
from voice_emulator.recording.masking import Masking


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with two differences: a status in Chinese, and an extra header."""
    folder = tmp_path_factory.mktemp("drift")
    planted = tuple(each for each in PLANTED if each.what in ("a status in Chinese", "an extra header"))
    asyncio.run(recorded(SCENARIO, planted, folder))
    return folder / "x.vrec"


@pytest.fixture(autouse=True)
def _logging_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice_emulator.cli.logs.set_up", lambda *options: None)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands, ["drift", *map(str, arguments)])


def test_differences_are_printed_and_exit_1(bundle: Path):
    done = run(bundle)
    assert done.exit_code == 1
    assert (
        "huawei_cec createVoiceNotification retMsg: value: the values differ (recorded '创建成功'"
        in done.stdout
    )
    assert "nxcloud gpsend header x-trace: header" in done.stdout
    assert "contradicted: huawei_cec createVoiceNotification retMsg (choice)" in done.stdout
    assert done.stdout.splitlines()[-1] == "2 differences in 73 exchanges"


def test_reports_say_the_same_in_every_format(bundle: Path, tmp_path: Path):
    names = {kind: tmp_path / f"x.{kind}" for kind in ("json", "junit", "markdown")}
    done = run(
        bundle,
        *(part for kind, path in names.items() for part in (f"--{kind}", path)),
        "--confirm",
        tmp_path / "c",
    )
    assert done.exit_code == 1
    document = json.loads(names["json"].read_text())
    assert [each["field"] for each in document["findings"]] == ["retMsg", "header x-trace"]
    root = ET.parse(names["junit"]).getroot()
    assert (root.get("failures"), len(root.findall(".//failure"))) == ("2", 2)
    assert any(case.get("name") == "no drift" for case in root.iter("testcase"))
    assert "| retMsg | value |" in names["markdown"].read_text()
    confirmed = yaml.safe_load((tmp_path / "c").read_text())
    assert {"provider": "huawei_cec", "operation": "createVoiceNotification", "field": "retMsg", "certainty": "choice",
            "confirmed": False} in confirmed  # fmt: skip
    assert any(each["confirmed"] for each in confirmed)


def test_lock_accepts_what_it_names_and_expired_entries_nothing(bundle: Path, tmp_path: Path):
    lock = tmp_path / "x.lock"
    entries = [
        {
            "provider": "huawei_cec",
            "operation": "createVoiceNotification",
            "field": "retMsg",
            "kind": "value",
        },
        {"provider": "nxcloud", "operation": "gpsend", "field": "header x-trace", "kind": "header"},
    ]
    lock.write_text(yaml.safe_dump([each | {"reason": "known", "until": "2099-12-31"} for each in entries]))
    done = run(bundle, "--accept", lock)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        0,
        "no differences in 73 exchanges, and 2 accepted ones",
    )
    lock.write_text(yaml.safe_dump([each | {"reason": "known", "until": "2001-01-01"} for each in entries]))
    done = run(bundle, "--accept", lock)
    assert done.exit_code == 1
    assert "accepts nothing: expired or unused" in done.stdout


def test_recording_without_exchanges_exits_1(tmp_path: Path):
    write(tmp_path / "x.vrec", [], Masking(READER))
    done = run(tmp_path / "x.vrec", "--junit", tmp_path / "j.xml")
    assert done.exit_code == 1
    assert "nothing was compared" in done.stdout
    assert ET.parse(tmp_path / "j.xml").getroot().get("failures") == "1"


def test_what_cannot_be_read_exits_2(tmp_path: Path):
    assert run(tmp_path / "absent.vrec").exit_code == 2
    write(tmp_path / "x.vrec", [], Masking(READER))
    assert run(tmp_path / "x.vrec", "--accept", tmp_path / "absent.lock").exit_code == 2
    assert run(tmp_path / "x.vrec", "--json", tmp_path / "absent" / "x").exit_code == 2
