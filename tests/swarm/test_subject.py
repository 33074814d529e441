"""The user's commands and URLs: started, told, and asked as the options say."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from voice_emulator.errors import UsageError
from voice_emulator.swarm.subject import (
    Commands,
    CommandSubject,
    SetupError,
    Stage,
    fetch,
    read_calls,
    stage_environment,
)


@contextmanager
def answering(status: int = 200, body: bytes = b"") -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A server of the user's; gives its URL and what was asked of it."""
    asked: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, self.rfile.read(int(self.headers.get("Content-Length") or 0))))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *arguments):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    environment = stage_environment("http://t", "http://c", "swarm-3", ("62", "63"), 9000, tmp_path, {})
    return Stage("http://t", "http://c", "swarm-3", ("62", "63"), 9000, tmp_path, environment)


def subject(*cmd: str, **more: object) -> CommandSubject:
    return CommandSubject(Commands(cmd=cmd, **more))  # type: ignore[arg-type]


def test_variables_are_those_of_the_interface(tmp_path):
    credentials = {"nxcloud": {"appkey": "a", "agent": {"username": "u"}}, "huawei_cec": {"app_key": "b"}}
    assert stage_environment(
        "http://t", "http://c", "default", ("62", "63"), 9000, tmp_path, credentials
    ) == {
        "VOICE_EMULATOR_URL": "http://t",
        "VOICE_EMULATOR_CONTROL": "http://c",
        "VOICE_EMULATOR_TENANT": "default",
        "VOICE_EMULATOR_NUMBERS": "62,63",
        "VOICE_EMULATOR_RECEIVER_PORT": "9000",
        "VOICE_EMULATOR_RUN_DIR": str(tmp_path),
        "VOICE_EMULATOR_NXCLOUD_APPKEY": "a",
        "VOICE_EMULATOR_NXCLOUD_AGENT_USERNAME": "u",
        "VOICE_EMULATOR_HUAWEI_CEC_APP_KEY": "b",
    }


def test_placeholders_stand_in_every_word(stage, tmp_path):
    script = 'echo "$0 $1 $VOICE_EMULATOR_NUMBERS" > "$2"'
    told = subject("sh", "-c", script, "{port}", "x{dir}", "{dir}/told")
    assert list(told.drive(stage)) == []
    assert (tmp_path / "told").read_text(encoding="utf-8").strip() == f"9000 x{tmp_path} 62,63"


@pytest.mark.parametrize(
    ("step", "options", "rule"),
    [
        ("drive", {}, "CMD"), ("check", {"check": "sh -c 'exit 3'"}, "--check"),
        ("stepped", {"anytime": "sh -c 'exit 3'"}, "--anytime"),
    ],
)  # fmt: skip
def test_a_command_that_fails_is_a_failure(stage, step, options, rule):
    failing = subject("sh", "-c", "exit 3", **options)
    arguments = (stage, "2026-01-05T01:00:00+00:00") if step == "stepped" else (stage,)
    (failure,) = getattr(failing, step)(*arguments)
    assert failure.signature == ("command", rule, "", "")
    assert "exit status 3" in failure.message


def test_a_command_past_its_time_is_a_failure(stage):
    (failure,) = subject("sh", "-c", "echo begun; exec sleep 600", timeout=0.3).drive(stage)
    assert failure.rule == "CMD time-out"
    assert failure.message.endswith("begun")


def test_a_tick_tells_the_time(stage):
    with answering() as (url, asked):
        ticked = subject("true", client_clock=f"tick={url}/now")
        assert ticked.steps
        assert list(ticked.stepped(stage, "2026-01-05T01:00:00+00:00")) == []
    assert asked == [("/now", b'{"now": "2026-01-05T01:00:00+00:00"}')]


def test_a_tick_that_fails_is_a_failure(stage):
    with answering(500) as (url, _):
        (failure,) = subject("true", client_clock=f"tick={url}/").stepped(stage, "")
    assert failure.message == f"{url}/ answered HTTP 500"


@pytest.mark.parametrize("status", [200, 204, 500])
def test_a_kept_app_is_reset_between_runs_over_http(stage, status):
    with answering(status) as (url, asked):
        kept = subject("true", app="sleep 600", keep_app=True, reset=f"{url}/reset")
        try:
            assert list(kept.begin(stage)) == []
            assert asked == []  # nothing to reset before the first run
            if status == 500:
                with pytest.raises(SetupError, match="answered HTTP 500"):
                    list(kept.begin(stage))
            else:
                assert list(kept.begin(stage)) == []
            assert [path for path, _ in asked] == ["/reset"]
        finally:
            kept.close()


def test_an_app_is_started_for_each_run_unless_it_is_kept(stage, tmp_path):
    script = "sh -c 'echo begun >> {dir}/log; exec sleep 600'"
    each_time = subject("true", app=script)
    for _ in range(2):
        list(each_time.begin(stage))
        while not (tmp_path / "log").exists():
            threading.Event().wait(0.01)
        assert list(each_time.end(stage)) == []
    assert 1 <= (tmp_path / "log").read_text(encoding="utf-8").count("begun") <= 2


def test_the_probe_is_read_as_verify_reads_it():
    with answering(200, b'{"calls": {"1": {"answered": true}}}') as (url, _):
        assert read_calls(url, 5) == {"1": {"answered": True}}
    for status, body in ((500, b'{"calls": {}}'), (200, b"[]"), (200, b'{"calls": 3}')):
        with (
            answering(status, body) as (url, _),
            pytest.raises(UsageError, match="expected HTTP 200 and JSON like"),
        ):
            read_calls(url, 5)


def test_a_url_that_does_not_answer_has_no_status():
    status, why, _ = fetch("http://127.0.0.1:9/", None, 5)
    assert status == 0
    assert "does not answer" in why
