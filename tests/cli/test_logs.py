from __future__ import annotations

import json
import logging
import re
import sys

from voice_emulator.cli.logs import JsonLines, TextLines


def record(message: str, *args: object, error: bool = False) -> logging.LogRecord:
    info = None
    if error:
        try:
            raise ValueError("broken")
        except ValueError:
            info = sys.exc_info()
    return logging.LogRecord("voice_emulator.wire", logging.WARNING, __file__, 1, message, args, info)


def test_text_is_one_line_with_time_and_level():
    line = TextLines().format(record("receiver %s unreachable", "http://x"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING receiver http://x unreachable", line)


def test_text_carries_the_traceback_below():
    assert TextLines().format(record("oops", error=True)).endswith("ValueError: broken")


def test_json_is_one_object_a_line():
    line = JsonLines().format(record("two\nlines of %s", "号", error=True))
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"]) == (
        "warning",
        "voice_emulator.wire",
        "two\nlines of 号",
    )
    assert entry["exception"].endswith("ValueError: broken")
