"""verify: grade a receiver of pushes against what the real providers may send."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voice_emulator.cli.options import address, assignment, span
from voice_emulator.cli.terminal import echo
from voice_emulator.errors import UsageError

if TYPE_CHECKING:
    from voice_emulator.wire.delivery.grader import Graded

_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
#: The signature page: a key has at least so many characters.
SHORTEST_KEY = 16


@click.command("verify")
@click.option("--callback-url", metavar="URL", type=address, help="The receiver to grade.")
@click.option("--provider", metavar="P", multiple=True, help="Only this provider's suite; may be repeated.")
@click.option(
    "--shared-key",
    metavar="KEY",
    envvar="VOICE_EMULATOR_SHARED_KEY",
    help="Of Huawei CEC, for its signature checks.",
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
@click.option("--seed", metavar="N", type=int, help="Makes the ids of the receipts.  [default: the time]")
@click.option("--ids", is_flag=True, help="Only print the ids that a run with this --seed uses.")
@click.option(
    "--at-once",
    metavar="N",
    type=click.IntRange(1, 50),
    default=10,
    show_default=True,
    help="Checks under way at once.",
)
@click.option(
    "--slow-after", metavar="SECONDS", type=span, default=3.0, help="What counts as slow.  [default: 3]"
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
    """Fire a fixed suite of receipts at a receiver and grade its answers.

    Failing on anything the real provider may send is an error; taking what it never sends is unwise, a
    warning. Exits 1 if an error-level check fails.
    """
    from voice_emulator.cli import logs
    from voice_emulator.cli.event_loop import run
    from voice_emulator.core.clock import SECOND, rfc3339
    from voice_emulator.core.urls import ascii_url
    from voice_emulator.providers.registry import discover, provider_named
    from voice_emulator.schemas.validate import SchemaSet
    from voice_emulator.verify.model import Options
    from voice_emulator.wire.delivery.grader import Grader, conformance_document, suite_ids
    from voice_emulator.wire.delivery.target_policy import Reach
    from voice_emulator.wire.machine_time import wall_now

    logs.set_up("text", logging.ERROR)
    now = wall_now() // SECOND * SECOND
    providers = discover()
    chosen = {name: provider_named(providers, name) for name in given["provider"]} or providers
    if given["shared_key"] and len(given["shared_key"]) < SHORTEST_KEY:
        raise UsageError(f"--shared-key has at least {SHORTEST_KEY} characters, as the console wants it")
    if given["ids"] and given["seed"] is None:
        raise UsageError("--ids needs --seed: without one, every run makes ids of its own")
    if not given["ids"] and given["callback_url"] is None:
        raise UsageError("--callback-url says which receiver to grade")
    options = Options(
        callback_url=ascii_url(given["callback_url"] or "http://127.0.0.1/"),
        agent_url=ascii_url(given["agent_url"]) if given["agent_url"] else None,
        shared_key=given["shared_key"],
        probe_url=given["probe"],
        seed=given["seed"] if given["seed"] is not None else now,
        slow_after=given["slow_after"],
        known_ids=_known_ids(given["known_id"], providers),
    )
    schemas = SchemaSet.load(providers)
    if given["ids"]:
        echo(json.dumps(suite_ids(chosen, schemas, options), indent=2))
        return
    files = {name: path for name, path in given.items() if name.endswith("_file")}
    quiet = any(str(path) == "-" for path in files.values())
    grader = Grader(
        chosen, schemas, options, reach=Reach(given["allow_callback_host"]), at_once=given["at_once"],
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
            raise UsageError(f"--known-id {name}={known_id}: there is no provider {name!r}")
        known.setdefault(name, []).append(known_id)
    return known


def _progress(quiet: bool) -> Any:
    """Tells each result as it comes, on standard error when standard output is a report."""

    def tell(graded: Graded, done: int, total: int) -> None:
        if graded.verdict != "skipped":
            reason = f": {graded.reason}" if graded.reason else ""
            echo(f"[{done:>3}/{total}] {graded.verdict:<7} {graded.id}{reason}", err=quiet)

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
    if document["summary"]["failed"]:
        sys.exit(1)
