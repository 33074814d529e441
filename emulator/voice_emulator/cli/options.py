"""Options of commands: how their values are read, and the environment variable each has.

A reader is a plain function that click calls with the text (or with a default, which it lets pass).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import click

from voice_emulator.core.clock import ClockSpec, Mode

F = TypeVar("F", bound=Callable[..., Any])

PORT = click.IntRange(0, 65_535)
#: The fastest clock, as in scenario files.
FASTEST = 100_000
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPEED = re.compile(r"([0-9]+(?:\.[0-9]+)?)x")


def setting(*names: str, **attributes: Any) -> Callable[[F], F]:
    """An option of ``serve``: ``--control-port`` is also ``VOICE_EMULATOR_CONTROL_PORT``.

    An option that may be given several times takes its values from the environment separated by blanks.
    """
    variable = "VOICE_EMULATOR_" + names[0].removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=variable, **attributes)


def _refuse(message: str) -> NoReturn:
    raise click.BadParameter(message)


def span(value: str | float) -> float:
    """A span of real time above 0, in seconds: ``10``, ``10s``, ``250ms``, ``2m``."""
    if not isinstance(value, str):
        return float(value)
    found = _SPAN.fullmatch(value.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds < float("inf"):
        _refuse(f"{value!r} is no span of time; write 10, 10s or 250ms")
    return seconds


def address(value: str) -> str:
    """An ``http://`` or ``https://`` URL with a host, as it was given."""
    problem = address_problem(value)
    if problem is not None:
        _refuse(problem)
    return value


def address_problem(text: str) -> str | None:
    """Why ``text`` is no URL one could send to; None when it is."""
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        # urlsplit overlooks line breaks; on a socket they would begin a header.
        fine = fine and text.isprintable() and " " not in text
    except ValueError as error:
        return f"{text!r} is no URL: {error}"
    return None if fine else f"{text!r} is no URL; write one like http://127.0.0.1:9000/dr"


def clock(value: str | ClockSpec) -> ClockSpec:
    """``real``, ``manual``, or a speed like ``60x``."""
    if isinstance(value, ClockSpec):
        return value
    modes: dict[str, Mode] = {"real": "real", "manual": "manual"}
    if value in modes:
        return ClockSpec(modes[value])
    found = _SPEED.fullmatch(value)
    speed = float(found[1]) if found else 0.0
    if not 0 < speed <= FASTEST:
        _refuse(f"{value!r} is no clock; write real, manual, or a speed like 60x")
    return ClockSpec("scaled", speed)


def rewrite(value: str | tuple[str, str]) -> tuple[str, str]:
    """``FROM=TO``, the beginning of a URL and what stands in its place."""
    if isinstance(value, tuple):
        return value
    before, _, after = value.partition("=")
    if address_problem(before) or address_problem(after):
        _refuse(f"{value!r} is no pair of URLs; write http://localhost=http://host.docker.internal")
    return before, after


def report_file(value: str | Path) -> Path:
    """A file that a report can be written to, in the format of its suffix."""
    from voice_emulator.report import format_of

    path = Path(value)
    try:
        format_of(path)
    except ValueError as error:
        _refuse(str(error))
    existed = path.exists()
    try:
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        _refuse(f"cannot write {path}: {error.strerror or error}")
    return path


def variable(value: str) -> str:
    """The name of an environment variable."""
    if not _VARIABLE.fullmatch(value):
        _refuse(f"{value!r} is not the name of an environment variable; write one like CALLBACK_URL")
    return value


def assignment(value: str | tuple[str, str]) -> tuple[str, str]:
    """``name=value``, both as text."""
    if isinstance(value, tuple):
        return value
    name, sign, given = value.partition("=")
    if not name or not sign:
        _refuse(f"{value!r} has no name and '='; write field=value")
    return name, given
