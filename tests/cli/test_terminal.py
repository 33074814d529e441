"""Foreign text on a terminal: whatever a client, a receiver or a file wrote moves, colours, hides and turns nothing."""

from __future__ import annotations

import ast
import io
import json
import logging
import sys
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import voice_emulator.cli
from tests.cli.process import command, get, running, serving, url_of
from tests.patience import PATIENCE
from voice_emulator.cli.listen import _show
from voice_emulator.cli.logs import JsonLines, TextLines
from voice_emulator.cli.process import guard_output
from voice_emulator.cli.receiver import Arrival
from voice_emulator.cli.terminal import Bold, echo, write
from voice_emulator.client.errors import ControlError, InputError, Unsatisfied
from voice_emulator.core.words import visible

CLEAR, CSI, RTL, OSC = "\x1b[2J", "\x9b31m", "\u202e", "\x1b]0;title\x07"
EVIL = f"a{CLEAR}b{CSI}c{RTL}d{OSC}e\u200bf\x7fg\rh\x08i\u2028j\U000e0041k\ufeffl"
ALLOWED = "\n\t"


def dangerous(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c not in ALLOWED]


@given(st.text())
def test_visible_text_never_controls_a_terminal(text: str):
    assert dangerous(visible(text)) == []


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))))
def test_all_other_text_stays_as_it_is(text: str):
    assert visible(text) == text


@given(
    st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
)
def test_json_stays_the_same_json(value):
    assert json.loads(visible(json.dumps(value, ensure_ascii=False, indent=2))) == value


def test_what_is_ours_is_bold_and_what_is_not_is_escaped(capsys, monkeypatch):
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)
    echo("x", Bold(f"y{CLEAR}"), EVIL)
    out = capsys.readouterr().out
    assert out.startswith(f"x{click.style(f'y{visible(CLEAR)}', bold=True)}")
    assert CLEAR not in out


def test_a_document_on_standard_output_is_escaped_too(capsysbinary):
    write(json.dumps({"x": EVIL}, ensure_ascii=False).encode())
    out = capsysbinary.readouterr().out.decode()
    assert dangerous(out) == []
    assert json.loads(out) == {"x": EVIL}


@pytest.mark.parametrize("formatter", [TextLines(), JsonLines()])
def test_a_log_line_is_one_line_whatever_it_speaks_of(formatter: logging.Formatter):
    try:
        raise ValueError(EVIL)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "seen %s", (EVIL + "\nforged",), sys.exc_info())
    text = formatter.format(record)
    assert dangerous(text) == []
    assert "\nforged" not in text
    record.exc_info = None
    assert "\n" not in formatter.format(record)


def test_what_a_failed_test_shows_is_harmless():
    """pytest prints the messages of these as they are."""
    for error in (
        Unsatisfied(f"a {EVIL}"),
        ControlError(422, "t", EVIL, (InputError(f"/{EVIL}", EVIL),)),
    ):
        assert dangerous(str(error)) == []
        assert "\\u202e" in str(error)


def test_every_command_prints_through_the_one_function():
    """A new command is found here: click.echo, print and the streams are terminal.py's alone."""
    excused = {
        ("serve/loop.py", "print"),  # the ready line: JSON in ASCII
        ("output.py", "sys.stdout"), ("output.py", "sys.stderr"), ("logs.py", "sys.stderr"),  # the streams themselves
        ("demo/command.py", "sys.stdout"), ("error_names.py", "sys.stdout"),  # isatty
        ("__init__.py", "sys.stdout"), ("process.py", "sys.stdout"), ("process.py", "sys.stderr"),
        ("serve/loop.py", "sys.stdout"), ("serve/loop.py", "sys.stderr"), ("listen.py", "sys.stdout"),
        ("swarm.py", "sys.stderr"),
    }  # fmt: skip
    wrong = []
    folder = Path(voice_emulator.cli.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node) if isinstance(node, (ast.Attribute, ast.Name)) else ""
            watched = ("click.echo", "click.secho", "click.style", "print", "sys.stdout", "sys.stderr")
            if name in watched and (place, name) not in excused and place != "terminal.py":
                wrong.append((place, name))
    assert wrong == []


# --- each command that shows what others wrote ------------------------------------------------------


@pytest.mark.parametrize(
    "command_line", [["check"], ["serve", "--port", "0", "--control-port", "0", "--scenario"]]
)
def test_check_and_serve_show_a_scenario_harmlessly(tmp_path: Path, command_line: list[str]):
    path = tmp_path / "s.yaml"
    escaped = json.dumps({"name": EVIL, EVIL: 1, "rules": [{"name": EVIL, "call": EVIL}]})
    path.write_text(escaped)
    # Its own process: in this one nobody waits for the thread that writes to standard error.
    done = command(*command_line, path)
    out = done.stdout + done.stderr
    assert out
    assert dangerous(out) == []


@pytest.mark.parametrize("where", ["path", "query", "form", "json", "name"])
def test_listen_shows_a_push_harmlessly(where: str, capsys):
    fields = {EVIL: "x"} if where == "name" else {"x": EVIL}
    target = f"/{EVIL}" if where == "path" else "/"
    _show(Arrival("POST" + EVIL, target, {}, b"", fields, EVIL, EVIL, 200, EVIL))
    out = capsys.readouterr().out
    assert out
    assert dangerous(out) == []


def test_trigger_shows_an_answer_harmlessly():
    with running("listen", "--reply", EVIL.replace("\r", "")) as receiver:
        url = url_of(receiver)
        done = command("trigger", "nxcloud", "--callback-url", url)
    assert "answered 200" in done.stdout
    assert dangerous(done.stdout + done.stderr) == []


def test_verify_shows_an_answer_harmlessly():
    with running("listen", "--reply", EVIL.replace("\r", ""), "--status", "500") as receiver:
        url = url_of(receiver)
        done = command("verify", "--provider", "nxcloud", "--callback-url", url)
        raw = command("verify", "--provider", "nxcloud", "--callback-url", url, "--json", "-")
    assert done.returncode == 1
    assert dangerous(done.stdout + done.stderr + raw.stdout + raw.stderr) == []
    assert json.loads(raw.stdout)["checks"]


@pytest.mark.parametrize("form", ["--json", "--junit", "--html", "--markdown"])
def test_report_and_explain_show_requests_harmlessly(form: str):
    with serving() as emulator_process:
        evil = quote(EVIL)
        traffic, control = emulator_process.ready["traffic"], emulator_process.ready["control"]
        body = f"appkey=nx-appkey&{evil}={evil}&phone={evil}".encode()
        for path in (f"/{evil}", "/api/voiceSms/gpsend"):
            request = Request(traffic + path, body, {"X-Evil": "\x9b31m", "User-Agent": "a\x9bb"})
            with suppress(HTTPError), urlopen(request, timeout=PATIENCE) as reply:
                reply.read()
        done = command("report", "--control", control, form, "-")
        entries = get(f"{control}/v1/tenants/default/journal?kind=request")["entries"]
        told = [command("explain", entry["id"], "--control", control) for entry in entries]
        told.append(command("explain", entries[0]["id"], "--control", control, "--json"))
    for each in (done, *told):
        assert each.stdout
        assert dangerous(each.stdout + each.stderr) == []


class Sluggish(io.RawIOBase):
    """Takes at most a hundred bytes of a write, as a pipe may."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)[:100]
        self.taken += part
        return len(part)


def test_a_long_document_is_written_whole_where_python_does_not_buffer(monkeypatch: pytest.MonkeyPatch):
    pipe = Sluggish()
    unbuffered = io.TextIOWrapper(pipe, "utf-8", write_through=True)  # type: ignore[type-var]
    monkeypatch.setattr("sys.stdout", unbuffered)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    guard_output()
    write(b"x" * 1_000 + b"\n")
    echo("y" * 1_000)
    assert pipe.taken == b"x" * 1_000 + b"\n" + b"y" * 1_000 + b"\n"
