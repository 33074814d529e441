"""mutate: how much a test suite is worth against providers that are each wrong in one way."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voice_emulator.cli.control import TRUST_OPTIONS, ControlPort, trust
from voice_emulator.cli.options import address, span
from voice_emulator.cli.swarm import CMD, AfterDashes, files, stopped_by_signals, unusable, write_files
from voice_emulator.cli.terminal import echo
from voice_emulator.errors import UsageError

if TYPE_CHECKING:
    from voice_emulator.scenarios.mutants import Mutant
    from voice_emulator.swarm.mutation import Verdict


def _trusting(command: Any) -> Any:
    for option in reversed(TRUST_OPTIONS):
        command = option(command)
    return command


@click.command("mutate", cls=AfterDashes, options_metavar="[OPTIONS] -- CMD...")
@click.option("--only", metavar="NAME", multiple=True, help="Only this mutant; may be repeated.")
@click.option(
    "--provider", metavar="P", multiple=True, help="Only mutants of this provider; may be repeated."
)
@click.option("--list", "listed", is_flag=True, help="List the mutants, and run nothing.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=span,
    help="For each run.  [default: ten times the first, at least 60s]",
)
@click.option("--control", metavar="URL", type=address, envvar="VOICE_EMULATOR_CONTROL",
              help="Put the mutants in force in the emulator that runs there, too.")  # fmt: skip
@_trusting
@files
@click.pass_context
def mutate(ctx: click.Context, /, **given: Any) -> None:
    """Run your tests against providers that are each wrong in one way, and list those that no test noticed.

    CMD runs once without a mutant, then once for each. Every emulator that it starts is wrong in that way, and your tests
    stay as they are. Exits 0 when none survived, 1 when some did, 2 when CMD fails by itself or sends no request.
    """
    cmd = ctx.meta.get(CMD)
    mutants = _chosen(given["only"], given["provider"])
    if given["listed"]:
        for mutant in mutants:
            echo(f"{mutant.name}  {mutant.provider}  {mutant.cost}")
        return
    if not cmd:
        raise UsageError(
            "the command that runs your tests is missing: voice-emulator mutate [OPTIONS] -- CMD..."
        )
    with unusable():
        sys.exit(_run(cmd, mutants, given))


def _chosen(names: tuple[str, ...], providers: tuple[str, ...]) -> list[Mutant]:
    from voice_emulator.core.words import nearest
    from voice_emulator.scenarios.loader import ScenarioLoader
    from voice_emulator.scenarios.mutants import all_mutants, find_mutants
    from voice_emulator.swarm.session import make_catalogue

    catalogue = make_catalogue()
    for each in providers:
        if each not in catalogue.providers:
            raise UsageError(f"there is no provider {each!r}{nearest(each, list(catalogue.providers))}")
    loader = ScenarioLoader(catalogue, {})
    found = (
        [mutant for name in names for mutant in find_mutants(name, loader, catalogue.providers)]
        if names
        else all_mutants(loader, catalogue.providers)
    )
    chosen = [mutant for mutant in found if not providers or mutant.provider in providers]
    if not chosen:
        raise UsageError("no mutant is left: --only names none that applies to --provider")
    return chosen


def _run(cmd: list[str], mutants: list[Mutant], given: dict[str, Any]) -> int:
    from voice_emulator.swarm import verdicts
    from voice_emulator.swarm.mutation import (
        ControlSwitch,
        EnvironmentSwitch,
        MutantSwitch,
        Mutation,
        temporary_folder,
    )
    from voice_emulator.version import version

    stopped = threading.Event()
    with ExitStack() as stack:
        switches: list[MutantSwitch] = [EnvironmentSwitch(Path(stack.enter_context(temporary_folder())))]
        if given["control"] is not None:
            port = ControlPort(
                given["control"], given["control_token"], trust(given["ca"], given["insecure"])
            )
            switches.append(ControlSwitch(stack.enter_context(port.client())))
        stack.enter_context(stopped_by_signals(stopped))
        found = Mutation(cmd, switches, given["timeout"], stopped).run(mutants, _Line(len(mutants)).done)
    document = verdicts.document_of(found, version())
    write_files(document, given, verdicts.render)
    quiet = any(str(given[f"{kind}_file"]) == "-" for kind in ("json", "junit", "markdown"))
    for line in verdicts.text(document):
        echo(line, err=quiet)
    if stopped.is_set():
        raise click.Abort
    return 1 if document["survived"] else 0


class _Line:
    """A line on standard error for each mutant that was run."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._number = 0

    def done(self, verdict: Verdict) -> None:
        """A mutant has its verdict."""
        self._number += 1
        if verdict.seconds:
            mutant = verdict.mutant
            word = verdict.verdict.replace("_", " ")
            echo(f"{self._number} of {self._total}: {mutant.name} ({mutant.provider}): {word}", err=True)
