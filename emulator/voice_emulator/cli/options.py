"""Options of commands: how their values are read, and the environment variable each has.

A reader is a plain function that click calls with the text (or with a default, which it lets pass).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from voice_emulator.cli.environment import injected
from voice_emulator.core.clock import SECOND, ClockSpec, parse_clock
from voice_emulator.core.durations import UNITS, parse_duration
from voice_emulator.core.urls import PORT_LIMIT, url_problem

if TYPE_CHECKING:  # commands that scripts call in loops read options without it
    from voice_emulator.settings import StoreAddress

F = TypeVar("F", bound=Callable[..., Any])

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def setting(name: str, field: str | None = None, **attributes: Any) -> Callable[[F], F]:
    """An option of ``serve``, for the field of :class:`Options` of that name, or for ``field``.

    It has the default of the field. ``--control-port`` is also ``VOICE_EMULATOR_CONTROL_PORT``. An option whose field
    is a tuple may be given several times, in its variable separated by blanks.
    """
    from voice_emulator.settings import Options

    words = name.removeprefix("--").replace("-", "_")
    default = attributes.setdefault("default", getattr(Options(), field or words, None))
    return click.option(
        name,
        field or words,
        cls=_Setting,
        envvar=f"VOICE_EMULATOR_{words.upper()}",
        multiple=isinstance(default, tuple),
        show_default=default not in (None, False, ()),
        **attributes,
    )


class _Setting(click.Option):
    """An option that does not take what Kubernetes injects for a value of its environment variable."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        value = super().resolve_envvar_value(ctx)
        return None if value is not None and injected(str(self.envvar), value) else value


def _refuse(message: str) -> NoReturn:
    raise click.BadParameter(message)


def whole(low: int | None = None, high: int | None = None) -> Callable[[str | int], int]:
    """A reader of a whole number from ``low`` to ``high``; a bound that is None does not apply."""
    bounds = f", at least {low}" if low is not None else ""
    bounds = f" from {low} to {high}" if high is not None else bounds

    def number(value: str | int) -> int:
        text = str(value).strip()
        found = int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None
        if found is None or (low is not None and found < low) or (high is not None and found > high):
            _refuse(f"must be a whole number{bounds}, not {text[:40]!r}")
        return found

    return number


PORT = whole(0, PORT_LIMIT)


def span(value: str | float) -> float:
    """A duration of real time above 0, in seconds: ``10``, ``10s``, ``250ms``, ``2m``."""
    if not isinstance(value, str):
        return float(value)
    text = value.strip()
    try:
        microseconds = parse_duration(text if text.endswith(tuple(UNITS)) else f"{text}s")
    except ValueError:
        microseconds = 0
    if not microseconds:
        _refuse(f"invalid duration {value!r}: write 10, 10s or 250ms")
    return microseconds / SECOND


def address(value: str) -> str:
    """An ``http://`` or ``https://`` URL with a host, as it was given."""
    problem = url_problem(value)
    if problem is not None:
        _refuse(problem)
    return value


def clock(value: str | ClockSpec) -> ClockSpec:
    """``real``, ``manual``, or a speed like ``60x``."""
    if isinstance(value, ClockSpec):
        return value
    try:
        return parse_clock(value)
    except ValueError as error:
        _refuse(str(error))


def rewrite(value: str | tuple[str, str]) -> tuple[str, str]:
    """``FROM=TO``, the beginning of a URL and its replacement."""
    if isinstance(value, tuple):
        return value
    before, _, after = value.partition("=")
    if url_problem(before) or url_problem(after):
        _refuse(f"{value!r} is not a pair of URLs; write http://localhost=http://host.docker.internal")
    return before, after


def report_file(value: str | Path) -> Path:
    """A file that a report can be written to, in the format of its suffix."""
    from voice_emulator.report import writable

    try:
        return writable(Path(value))
    except ValueError as error:
        _refuse(str(error))


def variable(value: str) -> str:
    """The name of an environment variable."""
    if not _VARIABLE.fullmatch(value):
        _refuse(f"{value!r} is not the name of an environment variable; write one like CALLBACK_URL")
    return value


def store(value: str | Path | StoreAddress) -> Path | StoreAddress:
    """Where state is kept: a file, or a store that replicas share (``valkey://HOST:6379/0``)."""
    from voice_emulator.settings import StoreAddress

    if isinstance(value, StoreAddress):
        return value
    if "://" in str(value):
        return StoreAddress.read(str(value))
    found: Path = click.Path(path_type=Path, dir_okay=False)(value)
    return found


def assignment(value: str | tuple[str, str]) -> tuple[str, str]:
    """``name=value``, both as text."""
    if isinstance(value, tuple):
        return value
    name, sign, given = value.partition("=")
    if not name or not sign:
        _refuse(f"{value!r} is not an assignment; write field=value")
    return name, given
