"""swarm: look for the failures that break a client, and hand back the smallest scenario for each."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from voice_emulator.cli.control import TRUST_OPTIONS
from voice_emulator.cli.options import address, span
from voice_emulator.cli.terminal import echo
from voice_emulator.errors import FileError, UsageError

if TYPE_CHECKING:
    from voice_emulator.swarm.hunt import Found, Outcome
    from voice_emulator.swarm.oracles import Failure
    from voice_emulator.swarm.session import Setup

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
CMD = "voice_emulator.swarm.cmd"
SEEDS = 200
NUMBERS = 10
#: Options that a result file keeps, so that replay needs none.
KEPT = (
    "app", "app_ready", "keep_app", "reset", "callback_url", "anytime", "check", "probe", "ledger", "map", "timeout",
    "client_clock", "control", "tenant",
)  # fmt: skip
#: Real seconds between two progress lines, with a terminal and without.
PACE, SLOW_PACE = 0.5, 10.0


class AfterDashes(click.Command):
    """A command whose words after ``--`` are the user's own command, whatever they look like."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep those words apart."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[CMD] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


class _Swarm(AfterDashes, click.Group):
    """``swarm [OPTIONS] -- CMD...`` and ``swarm replay FILE [-- CMD...]``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """``replay`` keeps its own words after ``--``."""
        return (
            click.Group.parse_args(self, ctx, args)
            if args[:1] == ["replay"]
            else super().parse_args(ctx, args)
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say where a command of the user's own belongs."""
        if args[:1] != ["replay"]:
            raise UsageError(f"unexpected {args[0]!r}: write the command of your client after --")
        return super().resolve_command(ctx, args)


def _run_options(command: F) -> F:
    """What ``swarm`` and ``swarm replay`` share. All are None when they are not given."""
    options = (
        click.option("--timeout", metavar="SECONDS", type=span, help="For each command of yours.  [default: 60s]"),
        click.option("--control", metavar="URL", type=address, envvar="VOICE_EMULATOR_CONTROL",
                     help="Use the emulator that runs there; one run at a time."),
        *TRUST_OPTIONS,
        click.option("--tenant", metavar="ID", help="Use this tenant for every run, reset in between."),
        click.option("--app", metavar="CMD", help="What must outlive CMD: the receiver. Started for each run, ended last."),
        click.option("--app-ready", metavar="URL", help="The app is ready when this answers 2xx."),
        click.option("--keep-app", is_flag=True, default=None, help="Start the app once, for all runs."),
        click.option("--reset", metavar="CMD|URL", help="With --keep-app: run, or POST to, between runs."),
        click.option("--callback-url", metavar="URL", help="Where receipts go; empty for none.  [default: http://127.0.0.1:{port}/]"),
        click.option("--anytime", metavar="CMD", help="Must exit 0 after every step of time."),
        click.option("--check", metavar="CMD", help="Must exit 0 when all is over, with no fault left."),
        click.option("--probe", metavar="URL", help="Shows what the client knows; as for verify."),
        click.option("--ledger", metavar="URL|FILE", help="The client's bill; as for reconcile."),
        click.option("--map", "map", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
                     help="The columns of the bill; as for reconcile."),
        click.option("--client-clock", metavar="faketime|tick=URL", help="Set the client's clock to the tenant's."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def files(command: F) -> F:
    """The options for the result as a file."""
    for kind, what in (("markdown", "As Markdown, for a CI summary."), ("junit", "As JUnit XML."),
                       ("json", "Write the result as JSON; - is standard output.")):  # fmt: skip
        command = click.option(f"--{kind}", f"{kind}_file", metavar="FILE", type=_FILE, help=what)(command)
    return command


@click.command(
    "swarm",
    cls=_Swarm,
    invoke_without_command=True,
    options_metavar="[OPTIONS] -- CMD...",
    subcommand_metavar="",
)
@click.option(
    "--seeds", metavar="N", type=click.IntRange(1), help=f"How many seeds to run.  [default: {SEEDS}]"
)
@click.option(
    "--seed", metavar="N", type=click.IntRange(1), help="Begin with this seed; alone, run only this one."
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Runs at the same time.",
)
@click.option("--mode", type=click.Choice(["legal", "hostile"]), default="legal", show_default=True,
              help="Only what a provider may really do, or anything.")  # fmt: skip
@click.option("--space", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Shares of fault families, and settings of the accounts.")  # fmt: skip
@click.option("--provider", metavar="P", multiple=True, help="Only faults of this provider; may be repeated.")
@click.option("--numbers", metavar="N", type=click.IntRange(1, 1_000), default=NUMBERS, show_default=True,
              help="How many numbers there are to dial.")  # fmt: skip
@click.option(
    "--budget",
    metavar="SECONDS",
    type=span,
    default=600.0,
    help="The longest that all may take.  [default: 10m]",
)
@click.option("--clock-start", metavar="RFC3339", help="The tenant's clock at the start of each run.")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="swarm",
              show_default=True, help="Where the scenarios of failures go.")  # fmt: skip
@_run_options
@files
@click.pass_context
def swarm(ctx: click.Context, /, **given: Any) -> None:
    """Look for failures that break your client, and shrink each to the smallest scenario that does.

    CMD drives your client against the emulator at VOICE_EMULATOR_URL. Each seed is another mix of faults.
    Exits 0 when nothing was found, 1 when something was, 2 when the set-up does not work.
    """
    if ctx.invoked_subcommand is not None:
        return
    cmd = ctx.meta.get(CMD)
    if not cmd:
        raise UsageError(
            "the command that drives your client is missing: voice-emulator swarm [OPTIONS] -- CMD..."
        )
    with unusable():
        sys.exit(_hunt(cmd, given))


@swarm.command("replay", cls=AfterDashes, options_metavar="[OPTIONS]", add_help_option=True)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_run_options
@click.pass_context
def replay(ctx: click.Context, /, file: Path, **given: Any) -> None:
    """Run the scenario of FILE once, with the options it was found with unless others are given.

    Exits 1 while anything fails under it and 0 once nothing does.
    """
    with unusable():
        sys.exit(_replay(file, ctx.meta.get(CMD), given))


@contextmanager
def unusable() -> Iterator[None]:
    """What cannot be used exits with 2, a bad file too."""
    from voice_emulator.client import ClientError
    from voice_emulator.swarm.subject import Stopped

    try:
        yield
    except Stopped:
        raise click.Abort from None
    except FileError as error:
        for finding in error.findings:
            echo(str(finding), err=True)
        raise UsageError(str(error)) from error
    except ClientError as error:
        raise UsageError(str(error)) from error


def _hunt(cmd: Sequence[str], given: dict[str, Any]) -> int:
    from voice_emulator.cli import logs
    from voice_emulator.swarm import results
    from voice_emulator.swarm.hunt import Hunt
    from voice_emulator.swarm.session import make_catalogue, opened
    from voice_emulator.swarm.space import START, make_space, numbers
    from voice_emulator.version import version
    from voice_emulator.wire.machine_time import wall_now

    logs.set_up("text", ERROR)
    setup, stopped = _setup(cmd, given, jobs=given["jobs"]), threading.Event()
    space = make_space(
        make_catalogue(), mode=given["mode"], providers=given["provider"], file=given["space"],
        start=_instant(given["clock_start"] or START),
    )  # fmt: skip
    first, count = given["seed"], given["seeds"]
    seeds = range(first or 1, (first or 1) + (count or (1 if first else SEEDS)))
    options = {"cmd": list(cmd)} | _kept(given)
    files: dict[int, str] = {}

    def keep(found: Found) -> None:
        path = results.save(found, given["out"], options, version())
        files[id(found)] = str(path)

    quiet = any(str(given[f"{kind}_file"]) == "-" for kind in ("json", "junit", "markdown"))
    with stopped_by_signals(stopped), opened(setup, stopped) as runners:
        hunt = Hunt(
            space, runners, seeds, numbers(given["numbers"]), given["budget"], _Lines(len(seeds) + 1), stopped=stopped,
            on_found=keep,
        )  # fmt: skip
        outcome = hunt.run()
    named = {index: files[id(found)] for index, found in enumerate(outcome.found) if id(found) in files}
    document = results.document_of(outcome, named, options, version(), wall_now())
    write_files(document, given, results.render)
    for index, found in enumerate(outcome.found):
        echo(f"{found.failure.title}: {named.get(index, 'not written')}", err=quiet)
    echo(results.sentence(document), err=quiet)
    return 1 if outcome.found else 0


def _replay(file: Path, cmd: Sequence[str] | None, given: dict[str, Any]) -> int:
    from voice_emulator.cli import logs
    from voice_emulator.swarm import results
    from voice_emulator.swarm.session import opened
    from voice_emulator.swarm.space import numbers

    logs.set_up("text", ERROR)
    kept = results.read(file)
    known = {name: kept.options.get(name) if given.get(name) is None else given[name] for name in KEPT}
    words = list(cmd or kept.options.get("cmd") or ())
    if not words:
        raise UsageError(f"{file} names no command: voice-emulator swarm replay {file} -- CMD...")
    setup, stopped = _setup(words, {**given, **known}, jobs=1), threading.Event()
    with stopped_by_signals(stopped), opened(setup, stopped) as (runner,):
        result = runner.run(kept.scenario, kept.numbers or numbers(NUMBERS))
    if not result.reached and not result.failures:
        raise UsageError("no request reached the tenant: does the client use VOICE_EMULATOR_URL?")
    for failure in result.failures:
        echo(f"failed: {failure.title}: {failure.message}")
    if not result.failures:
        echo("nothing fails under this scenario")
    return 1 if result.failures else 0


ERROR = 40  # logging.ERROR, without loading logging for --help


def _setup(cmd: Sequence[str], given: Mapping[str, Any], jobs: int) -> Setup:
    from dataclasses import replace

    from voice_emulator.cli.control import trust
    from voice_emulator.swarm.session import FAKETIME, Setup
    from voice_emulator.swarm.subject import Commands

    clock = given["client_clock"]
    if clock is not None and clock != FAKETIME and not clock.startswith(("tick=http://", "tick=https://")):
        raise UsageError(f"--client-clock is {FAKETIME} or tick=URL, not {clock!r}")
    commands = Commands(
        cmd=tuple(cmd), app=given["app"], app_ready=given["app_ready"], keep_app=bool(given["keep_app"]),
        reset=given["reset"], anytime=given["anytime"], check=given["check"], timeout=given["timeout"] or 60.0,
        client_clock=clock,
    )  # fmt: skip
    for name in ("keep_app", "app_ready"):
        if given[name] and not given["app"]:
            raise UsageError(f"--{name.replace('_', '-')} needs --app")
    if given["map"] is not None and given["ledger"] is None:
        raise UsageError("--map needs --ledger")
    setup = Setup(
        commands, control=given["control"], url=os.environ.get("VOICE_EMULATOR_URL"), token=given["control_token"],
        trust=trust(given["ca"], given["insecure"]) if given["control"] else None, tenant=given["tenant"],
        probe=given["probe"], ledger=given["ledger"], map=Path(given["map"]) if given["map"] else None, jobs=jobs,
    )  # fmt: skip
    return setup if given["callback_url"] is None else replace(setup, callback_url=given["callback_url"])


def _kept(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options for a result file, as JSON values."""
    values = {name: given[name] for name in KEPT if given[name] is not None}
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def _instant(text: str) -> str:
    from voice_emulator.core.clock import EXAMPLE_TIME, parse_rfc3339

    try:
        parse_rfc3339(text)
    except ValueError:
        raise UsageError(f"--clock-start must be an instant like {EXAMPLE_TIME}, not {text!r}") from None
    return text


def write_files(
    document: Mapping[str, Any], given: Mapping[str, Any], render: Callable[[Mapping[str, Any], str], bytes]
) -> None:
    """Write the files that the options ask for."""
    from voice_emulator.cli.report import save

    for kind in ("json", "junit", "markdown"):
        path = given[f"{kind}_file"]
        if path is not None:
            save(path, render(document, kind))


@contextmanager
def stopped_by_signals(stopped: threading.Event) -> Iterator[None]:
    """Set ``stopped`` at SIGINT and SIGTERM: what was found is kept. A second signal ends the command at once."""

    def end(number: int, frame: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Lines:
    """Progress on standard error: one line that changes on a terminal, plain lines now and then elsewhere."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._terminal = sys.stderr.isatty()
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def seed_done(self, outcome: Outcome, seed: int) -> None:
        """A seed has been run."""
        with self._lock:
            now = time.monotonic()
            if now - self._last < (PACE if self._terminal else SLOW_PACE):
                return
            self._last = now
            pace = outcome.runs / outcome.seconds if outcome.seconds else 0
            line = (
                f"{outcome.seeds:,} of {self._total:,} seeds, {len(outcome.found)} found, {outcome.runs:,} runs, "
                f"{pace:.1f} runs/s"
            )
            echo(f"\r\x1b[K{line}" if self._terminal else line, err=True, nl=not self._terminal)

    def failed(self, seed: int, failure: Failure) -> None:
        """A failure was found; it is shrunk next."""
        self._event(f"seed {seed}: {failure.title}: {failure.message.partition(chr(10))[0]}; shrinking")

    def shrunk(self, found: Found) -> None:
        """A failure was shrunk."""
        rules = len(found.shrunk.scenario.rules)
        how = "shrunk" if found.shrunk.stable else f"not shrunk ({found.shrunk.repeated} repeats)"
        self._event(
            f"seed {found.seed}: {how}: {rules} rule{'' if rules == 1 else 's'} in {found.shrunk.runs} runs"
        )

    def _event(self, line: str) -> None:
        with self._lock:
            echo(f"\r\x1b[K{line}" if self._terminal else line, err=True)
