"""Logging of commands that serve: to standard error, as text or as one JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from voice_emulator.cli.output import Outlet, dropped
from voice_emulator.core.words import one_line, visible

#: The attribute of a log record about a request or a push: what its line was made of. The line has its own time.
ROW = "row"


class TextLines(logging.Formatter):
    """``2026-01-05T09:00:00.123Z WARNING what happened``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it when there is one."""
        message = one_line(record.getMessage())
        if hasattr(record, ROW):
            return message
        line = f"{_moment(record)} {record.levelname:<7} {message}"
        return f"{line}\n{visible(self.formatException(record.exc_info))}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message; exception and row where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The object as text."""
        entry: dict[str, Any] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if getattr(record, ROW, None) is not None:
            entry[ROW] = getattr(record, ROW)
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return visible(json.dumps(entry, ensure_ascii=False))


def _moment(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def set_up(log_format: str, level: int = logging.INFO) -> None:
    """Log from ``level`` on to standard error; ``log_format`` is ``text`` or ``json``."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[stream], force=True)
    if isinstance(sys.stderr, Outlet):
        sys.stderr.notice = lambda count: stream.format(
            logging.LogRecord(__name__, logging.WARNING, __file__, 0, dropped(count), None, None)
        )
    # A closed pipe must not cause tracebacks about logging.
    logging.raiseExceptions = False
