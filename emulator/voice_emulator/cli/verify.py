"""verify: grade a receiver of pushes against what the real providers may send."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voice_emulator.cli.options import address, assignment, span, whole
from voice_emulator.cli.terminal import echo
from voice_emulator.core.words import nearest
from voice_emulator.errors import UsageError

if TYPE_CHECKING:
    from voice_emulator.providers.provider import Provider
    from voice_emulator.wire.delivery.grader import Graded

_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
#: Characters of the shortest key that the provider's console accepts.
SHORTEST_KEY = 16


@click.command("verify")
@click.option("--callback-url", metavar="URL", type=address, help="The receiver to grade.")
@click.option("--provider", metavar="P", multiple=True, help="Only this provider's suite; may be repeated.")
@click.option("--only", metavar="CHECK", multiple=True, help="Only this check; may be repeated.")
@click.option(
    "--shared-key",
    metavar="KEY",
    envvar="VOICE_EMULATOR_SHARED_KEY",
    help="Huawei CEC's shared key, for its signature checks.",
)
@click.option(
    "--agent-url", metavar="URL", type=address, help="Receiver of NXCloud's agent records and states."
)
@click.option("--probe", metavar="URL", type=address, help='Your endpoint that shows {"calls": {id: {...}}}.')
@click.option(
    "--known-id",
    metavar="P=ID",
    type=assignment,
    multiple=True,
    help="An id the receiver knows; may be repeated.",
)
@click.option(
    "--seed", metavar="N", type=whole(), help="Decides the ids of the receipts.  [default: the time]"
)
@click.option("--ids", is_flag=True, help="Only print the ids that a run with this --seed uses.")
@click.option(
    "--at-once",
    metavar="N",
    type=whole(1, 50),
    default=10,
    show_default=True,
    help="Checks that run at the same time.",
)
@click.option(
    "--slow-after",
    metavar="SECONDS",
    type=span,
    default=3.0,
    help="A reply later than this is slow.  [default: 3]",
)
@click.option(
    "--callback-timeout", metavar="SECONDS", type=span, default=10.0, help="As for serve.  [default: 10]"
)
@click.option("--allow-callback-host", metavar="PATTERN", multiple=True, help="As for serve.")
@click.option(
    "--json", "json_file", metavar="FILE", type=_FILE, help="Write the report as JSON; - is standard output."
)
@click.option("--junit", "junit_file", metavar="FILE", type=_FILE, help="As JUnit XML, one case per check.")
@click.option("--html", "html_file", metavar="FILE", type=_FILE, help="As one self-contained HTML page.")
@click.option(
    "--markdown", "markdown_file", metavar="FILE", type=_FILE, help="As Markdown, for a CI summary."
)
def verify(**given: Any) -> None:
    """Send a fixed suite of receipts to a receiver and grade its replies.

    Failing on anything that the real provider may send is an error; accepting what it never sends is a warning.
    Exits 1 if a check of severity error fails, or if no check was judged.
    """
    from voice_emulator.cli import logs
    from voice_emulator.cli.event_loop import run
    from voice_emulator.core.clock import SECOND, rfc3339
    from voice_emulator.core.urls import ascii_url
    from voice_emulator.providers.registry import discover, provider_named
    from voice_emulator.schemas.validate import SchemaSet
    from voice_emulator.verify.model import Options
    from voice_emulator.wire.delivery.grader import Grader, conformance_document, suite_ids
    from voice_emulator.wire.delivery.target_policy import TargetPolicy
    from voice_emulator.wire.machine_time import wall_now

    logs.set_up("text", logging.ERROR)
    now = wall_now() // SECOND * SECOND
    providers = discover()
    chosen = {name: provider_named(providers, name) for name in given["provider"]} or providers
    if given["shared_key"] and len(given["shared_key"]) < SHORTEST_KEY:
        raise UsageError(
            f"--shared-key needs at least {SHORTEST_KEY} characters, as in the provider's console"
        )
    if given["ids"] and given["seed"] is None:
        raise UsageError("--ids needs --seed: without one, every run has other ids")
    if not given["ids"] and given["callback_url"] is None:
        raise UsageError("--callback-url is missing: the receiver to grade")
    options = Options(
        callback_url=ascii_url(given["callback_url"] or "http://127.0.0.1/"),
        agent_url=ascii_url(given["agent_url"]) if given["agent_url"] else None,
        shared_key=given["shared_key"],
        probe_url=given["probe"],
        seed=given["seed"] if given["seed"] is not None else now,
        slow_after=given["slow_after"],
        known_ids=_known_ids(given["known_id"], providers),
    )
    _check_names(given["only"], chosen)
    schemas = SchemaSet.load(providers)
    if given["ids"]:
        echo(json.dumps(suite_ids(chosen, schemas, options), indent=2))
        return
    files = {name: path for name, path in given.items() if name.endswith("_file")}
    quiet = any(str(path) == "-" for path in files.values())
    grader = Grader(
        chosen, schemas, options, reach=TargetPolicy(given["allow_callback_host"]), only=given["only"],
        at_once=given["at_once"],
        timeout=given["callback_timeout"], on_graded=_progress(quiet),
    )  # fmt: skip
    graded = run(grader.run())
    from voice_emulator.version import version

    document = conformance_document(options, graded, version(), rfc3339(now))
    _write(document, files)
    _conclude(document, quiet)


def _known_ids(pairs: tuple[tuple[str, str], ...], providers: Mapping[str, Any]) -> dict[str, list[str]]:
    known: dict[str, list[str]] = {}
    for name, known_id in pairs:
        if name not in providers:
            raise UsageError(f"--known-id {name}={known_id}: no such provider{nearest(name, providers)}")
        known.setdefault(name, []).append(known_id)
    return known


def _check_names(names: Sequence[str], providers: Mapping[str, Provider]) -> None:
    """Raises UsageError for a check that the suites of ``providers`` do not have."""
    from voice_emulator.verify.suite import check_id, suite

    known = {
        name
        for provider in providers.values()
        for check in suite(provider)
        for name in (check.name, check_id(provider, check))
    }
    for name in names:
        if name not in known:
            raise UsageError(f"--only {name}: no such check{nearest(name, known)}")


def _progress(quiet: bool) -> Any:
    """Prints each result as it comes, on standard error when standard output is a report."""

    from voice_emulator.report.conformance import push_lines

    def tell(graded: Graded, done: int, total: int) -> None:
        if graded.verdict != "skipped":
            reason = f": {graded.reason}" if graded.reason else ""
            echo(f"[{done:>3}/{total}] {graded.verdict:<7} {graded.id}{reason}", err=quiet)
            for line in push_lines(graded.shown()):
                echo(f"          {line}", err=quiet)

    return tell


def _write(document: Mapping[str, Any], files: Mapping[str, Path | None]) -> None:
    from voice_emulator.cli.report import save
    from voice_emulator.report.conformance import render_conformance

    for name, path in files.items():
        if path is not None:
            save(path, render_conformance(document, name.removesuffix("_file")))


def _conclude(document: Mapping[str, Any], quiet: bool) -> None:
    from voice_emulator.report.conformance import sentence

    skipped: dict[str, list[str]] = {}
    for each in document["checks"]:
        if each["verdict"] == "skipped":
            skipped.setdefault(each["reason"], []).append(each["id"])
    for reason, ids in skipped.items():
        echo(f"skipped {len(ids):>3}: {reason}", err=quiet)
    echo(sentence(document["summary"]), err=quiet)
    if document["summary"]["verdict"] in ("violations", "empty"):
        sys.exit(1)
