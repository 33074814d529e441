"""Recordings from logs: archives as browsers, proxies and the emulator's own journal write them, and pushes as lines."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import voice_emulator
from voice_emulator.cli import commands
from voice_emulator.recording.bundle import read

AT = "2026-01-05T09:00:00+08:00"
FORM = "application/x-www-form-urlencoded"
LINE = {
    "at": AT, "provider": "nxcloud", "method": "GET", "url": "http://me.example/dr?phone=6281200000001&hangup_cause=USER_BUSY",
}  # fmt: skip


def entry(**changes: Any) -> dict[str, Any]:
    """As browsers write one: pseudo headers, and a form as its fields."""
    request = {
        "method": "POST", "url": "https://api.example.com/api/voiceSms/gpsend",
        "headers": [{"name": ":authority", "value": "api.example.com"}, {"name": "content-type", "value": FORM}],
        "postData": {"mimeType": FORM, "params": [{"name": "phone", "value": "6281200000001"}, {"name": "secretkey", "value": "s3cret&key"}]},
    }  # fmt: skip
    response = {
        "status": 200,
        "headers": [],
        "content": {"text": b64encode(b'{"code":"0"}').decode(), "encoding": "base64"},
    }
    return {"startedDateTime": AT, "time": 12.5, "request": request, "response": response, **changes}


def run(tmp_path: Path, entries: list[Any], lines: list[Any] | None = None, *options: str) -> Result:
    har, out = tmp_path / "x.har", tmp_path / "x.vrec"
    har.write_text(json.dumps({"log": {"entries": entries}}))
    arguments = ["record", "import", str(har)]
    if lines is not None:
        pushes = tmp_path / "p.jsonl"
        pushes.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines))
        arguments.append(str(pushes))
    return CliRunner().invoke(commands, [*arguments, "--out", str(out), *options])


def test_archive_of_a_browser_and_a_log_of_pushes_become_a_recording(tmp_path: Path):
    other = entry(request={"method": "GET", "url": "https://fonts.example/x.woff", "headers": []})
    reply = {"status": 200, "body": "success"}
    done = run(
        tmp_path,
        [entry(), other],
        [LINE | {"reply": reply, "at": "2026-01-05T09:00:05+08:00"}],
        "--only-numbers",
        "62812*",
    )
    assert done.exit_code == 0, done.output
    assert "1 request, 1 push; 1 secret and 0 numbers replaced" in done.stderr
    assert "1 exchange of" in done.stderr
    request, push = read(tmp_path / "x.vrec").exchanges
    assert (request.provider, request.status, request.reply, request.took) == (
        "nxcloud",
        200,
        b'{"code":"0"}',
        12_500,
    )
    assert request.body.startswith(b"phone=6281200000001&secretkey=")
    assert b"s3cret" not in request.body
    assert [name for name, _ in request.headers] == ["content-type"]
    assert (push.is_push, push.status, push.reply, push.at - request.at) == (True, 200, b"success", 5_000_000)


def test_own_archive_tells_requests_from_pushes_and_masks_stay_masks(tmp_path: Path):
    with voice_emulator.running(clock="manual", callback_url="http://127.0.0.1:9/dr") as ve:
        for provider in ("nxcloud", "huawei_cec", "infin8linx"):
            ve.run(_placed(provider))
        ve.advance("2m")
        entries = ve.run(_har())["log"]["entries"]
    done = run(tmp_path, entries)
    assert done.exit_code == 0, done.output
    found = read(tmp_path / "x.vrec")
    assert found.manifest["providers"] == ["huawei_cec", "infin8linx", "nxcloud"]
    assert (found.manifest["requests"], found.manifest["pushes"]) == (3, 3)
    assert any(b"***" in one.body for one in found.exchanges if not one.is_push)


def _placed(provider: str) -> Any:
    from voice_emulator.client import operations

    return operations.place("default", provider, "6281200000001")


def _har() -> Any:
    from voice_emulator.client import observing

    return observing.har()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], "p.jsonl:1: not a push"),
        ([LINE, {"provider": "nxcloud"}], "p.jsonl:2: not a push: 'at' is missing"),
        ([LINE | {"provider": "nxclud"}], "there is no provider 'nxclud'"),
        ([LINE | {"at": "yesterday"}], "p.jsonl:1: not a push"),
        (["[]"], "p.jsonl:1: not a push"),
    ],
)
def test_line_that_is_no_push_is_named(lines: list[Any], message: str, tmp_path: Path):
    done = run(tmp_path, [entry()], lines)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (tmp_path / "x.vrec").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"log": {"entries": [{}]}}', '{"log": {"entries": 3}}'])
def test_what_is_no_archive_is_wrong_usage(text: str, tmp_path: Path):
    har = tmp_path / "x.har"
    har.write_text(text)
    done = CliRunner().invoke(commands, ["record", "import", str(har), "--out", str(tmp_path / "x.vrec")])
    assert done.exit_code == 2
    assert "is not an HTTP archive" in done.stderr


def test_leak_exits_1_and_leaves_no_file(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("voice_emulator.recording.masking.Masking.mask", lambda self, one: one)
    done = run(tmp_path, [entry()])
    assert done.exit_code == 1
    assert "contains a secret" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.har"]
