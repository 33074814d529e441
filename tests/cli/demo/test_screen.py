from __future__ import annotations

import pytest

from voice_emulator.cli.demo.calls import Sent
from voice_emulator.cli.demo.screen import LiveScreen, PlainScreen, Result, Row, screen_for

BUSY = Row("nxcloud", "6281200050486", "id-1", "busy", 0, "hangup_cause=USER_BUSY")
ANSWERED = Row("infin8linx", "81351110011", "[/]id", "answered", 12, "hangupcause=16")


def test_result_tells_outcomes_from_the_most_frequent_on_and_whose_they_are():
    result = Result((BUSY, ANSWERED, ANSWERED), 14, 1.26)
    assert result.line == "3 of 14 receipts in 1.3 s: 2 answered, 1 busy (nxcloud 1, infin8linx 2)"


@pytest.mark.parametrize("kind", [PlainScreen, LiveScreen])
def test_screen_shows_requests_receipts_and_the_result(kind, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    screen = kind()
    screen.begin("http://127.0.0.1:1", "http://127.0.0.1:2", 2)
    screen.sent(Sent("huawei_cec", "tokenByAkSk", 0, "a token [bold]for[/bold] 600 s"))
    screen.sent(Sent("nxcloud", "gpsend", 1, "messageid x"))
    screen.arrived(BUSY)
    screen.arrived(ANSWERED)
    screen.end(Result((BUSY, ANSWERED), 2, 1.0))
    shown = capsys.readouterr().out
    for text in ("http://127.0.0.1:1", "http://127.0.0.1:2", "1 number", "[bold]for[/bold]", "[/]id", "USER_BUSY",
                 "2 of 2 receipts", "make run"):  # fmt: skip
        assert text in shown


def test_plain_screen_counts_receipts_on_lines_of_their_own(capsys: pytest.CaptureFixture[str]):
    screen = PlainScreen()
    screen.begin("e", "r", 2)
    screen.arrived(BUSY)
    screen.arrived(ANSWERED)
    screen.end(None)
    _, first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("(1/2)")
    assert second.endswith("(2/2)")


def test_screen_for_a_pipe_is_plain():
    assert isinstance(screen_for(False), PlainScreen)
    assert isinstance(screen_for(True), LiveScreen)
