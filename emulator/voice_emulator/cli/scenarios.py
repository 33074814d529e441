"""check and scenarios: what is wrong with a scenario file, and which scenarios are shipped."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from voice_emulator.cli.terminal import Bold, echo, read
from voice_emulator.core.words import counted, nearest
from voice_emulator.errors import UsageError

if TYPE_CHECKING:
    from voice_emulator.providers.provider import Provider
    from voice_emulator.scenarios.loader import ScenarioLoader

#: The name of standard input in findings.
STANDARD_INPUT = "<stdin>"


def make_loader() -> ScenarioLoader:
    """A loader that knows every provider."""
    from voice_emulator.providers.registry import discover
    from voice_emulator.scenarios.catalogue import Catalogue
    from voice_emulator.scenarios.loader import ScenarioLoader
    from voice_emulator.schemas.validate import SchemaSet

    providers = discover()
    return ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), os.environ)


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def check(files: tuple[str, ...]) -> None:
    """Validate scenario files; - is standard input.

    Prints findings as file:line:column: message, one a line, and exits 1 if there are any but warnings.
    """
    loader = make_loader()
    unreadable = []
    wrong = False
    for name in files:
        try:
            findings = loader.check(name) if name != "-" else loader.check_bytes(read(), STANDARD_INPUT)
        except UsageError as error:
            unreadable.append(str(error))
            continue
        for finding in findings:
            echo(str(finding))
        warnings = sum(finding.warning for finding in findings)
        if warnings == len(findings):
            echo(f"{name}: ok" + (f" ({counted(warnings, 'warning')})" if warnings else ""))
        else:
            wrong = True
    for message in unreadable:
        echo(f"Error: {message}", err=True)
    if unreadable:
        raise click.exceptions.Exit(2)
    if wrong:
        raise click.exceptions.Exit(1)


@click.group("scenarios", invoke_without_command=True)
@click.pass_context
def scenarios(context: click.Context) -> None:
    """List the shipped scenarios, a line each."""
    if context.invoked_subcommand is not None:
        return
    shipped = make_loader().shipped()
    width = max(len(name) for name, _ in shipped)
    for name, description in shipped:
        echo(Bold(name.ljust(width)), f"  {' '.join(description.split())}")


@scenarios.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Print a shipped scenario, to read or to start from."""
    from voice_emulator.resources import data_path
    from voice_emulator.scenarios.loader import shipped_names

    names = shipped_names()
    if name not in names:
        raise UsageError(f"there is no scenario {name!r}{nearest(name, names)}")
    echo(data_path("scenarios", f"{name}.yaml").read_text(encoding="utf-8"), nl=False)


@scenarios.command("schema")
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors; it knows every installed provider."""
    from voice_emulator.providers.registry import discover

    echo(schema_text(discover()), nl=False)


def schema_text(providers: Mapping[str, Provider]) -> str:
    """The JSON Schema of scenario files as text."""
    from voice_emulator.scenarios.schema import scenario_schema

    return json.dumps(scenario_schema(providers), indent=2, ensure_ascii=False) + "\n"
