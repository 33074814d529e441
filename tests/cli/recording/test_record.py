"""record, as a user runs it: a process between a client and a provider, which the emulator plays."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner

import voice_emulator
from tests.cli.process import post, running
from voice_emulator.cli import commands
from voice_emulator.recording.bundle import read


def test_both_directions_are_recorded_until_a_signal(tmp_path: Path):
    out = tmp_path / "night.vrec"
    with (
        voice_emulator.running(clock="manual") as ve,
        running(
            "record", "--upstream", f"nxcloud={ve.url}", "--budget", "1", "--only-numbers", "62812*",
            "--receiver", f"nxcloud={ve.url}/api/common/getBalance", "--out", out,
        ) as proxy,
    ):  # fmt: skip
        ready = json.loads(proxy.out.wait_for("ready"))
        ve.callback_urls["nxcloud"] = f"{ready['traffic']}/_receiver/nxcloud"
        form = {"appkey": "nx-appkey", "secretkey": "nx-secretkey", "phone": "6281200000000", "country_code": "62",
                "show_phone": "1", "url": "http://a/b.mp3"}  # fmt: skip
        url = f"{ready['traffic']}/api/voiceSms/gpsend"
        assert json.loads(post(url, urlencode(form).encode())[1])["code"] == "0"
        ve.advance("2m")
        assert proxy.stop(signal.SIGTERM) == 0
        proxy.log.wait_for("1 request, 1 push; 1 secret and 0 numbers replaced")
    sent, push = read(out).exchanges
    assert (sent.provider, sent.status, push.is_push) == ("nxcloud", 200, True)
    assert b"nx-secretkey" not in out.read_bytes()
    assert b"appkey=nx-appkey" in sent.body


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "--upstream is missing"),
        (["--upstream", "nxcloud=https://x"], "--budget is missing"),
        (["--upstream", "nxcloud=https://x", "--budget", "1"], "--only-numbers is missing"),
        (
            ["--upstream", "nxclud=https://x", "--budget", "1", "--only-numbers", "*"],
            "did you mean 'nxcloud'",
        ),
        (
            ["--upstream", "nxcloud=http://api.example.com", "--budget", "1", "--only-numbers", "*"],
            "in the clear",
        ),
    ],
)
def test_wrong_options_exit_2(more: list[str], message: str, tmp_path: Path):
    done = CliRunner().invoke(commands, ["record", *more, "--out", str(tmp_path / "x.vrec")])
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize("out", ["x.zip", "absent/x.vrec"])
def test_output_that_cannot_be_written_is_refused_at_once(out: str, tmp_path: Path):
    options = [
        "--upstream",
        "nxcloud=https://x",
        "--budget",
        "1",
        "--only-numbers",
        "*",
        "--out",
        str(tmp_path / out),
    ]
    done = CliRunner().invoke(commands, ["record", *options])
    assert done.exit_code == 2
    assert out.rpartition("/")[2] in done.stderr
