"""The command line: one table of commands, each imported only when it is run.

So `voice-emulator --help`, `health` and `wait-ready`, which scripts call in loops, load neither the emulator
nor any library but click.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from copy import copy
from importlib import import_module
from types import MappingProxyType
from typing import NamedTuple

import click

from voice_emulator.cli.terminal import echo
from voice_emulator.core.words import counted, nearest, visible
from voice_emulator.errors import EmulatorError, FileError, UsageError

__all__ = ["COMMANDS", "main"]

_PLUGINS_SWITCH = "VOICE_EMULATOR_NO_PROVIDER_PLUGINS"


class Entry(NamedTuple):
    """Where a command lives, and its line in the list of commands."""

    module: str
    attribute: str
    summary: str


#: Every command, in the order of the list. Adding one is adding an entry.
COMMANDS: Mapping[str, Entry] = MappingProxyType(
    {
        "demo": Entry("demo.command", "demo", "Place calls at all three providers and show every receipt."),
        "serve": Entry("serve.command", "serve", "Run the emulator until SIGINT or SIGTERM."),
        "wait-ready": Entry("health", "wait_ready", "Wait until an emulator is ready."),
        "health": Entry("health", "health", "Tell whether an emulator is ready, without waiting."),
        "listen": Entry("listen", "listen", "Run a receiver that prints each push it gets."),
        "trigger": Entry("trigger", "trigger", "Push one receipt; no emulator needs to run."),
        "init": Entry("init", "init", "Write files to start from: a scenario, a compose file, a CI snippet."),
        "check": Entry("scenarios", "check", "Validate scenario files."),
        "scenarios": Entry("scenarios", "scenarios", "List the shipped scenarios, or show one."),
        "errors": Entry("error_names", "errors", "List the errors a rule may name."),
        "report": Entry("report", "report", "Tell where the client under test broke the contract."),
        "verify": Entry("verify", "verify", "Grade a receiver of pushes."),
        "mutate": Entry(
            "mutate", "mutate", "Run your tests against providers that are each wrong in one way."
        ),
        "swarm": Entry(
            "swarm", "swarm", "Find the failures that break your client, and the smallest scenarios."
        ),
        "reconcile": Entry("reconcile", "reconcile", "Compare your bill with the calls, one by one."),
        "record": Entry(
            "recording.record", "record", "Record what your client and the real providers say to each other."
        ),
        "distil": Entry("recording.distil", "distil", "Make a scenario of a recording."),
        "drift": Entry("recording.drift", "drift", "Tell where the real provider and the emulator differ."),
        "tail": Entry("tail", "tail", "Follow a running emulator: a line for each request and push."),
        "mcp": Entry("mcp.command", "mcp", "Serve the emulator to a coding agent (Model Context Protocol)."),
        "explain": Entry("explain", "explain", "Say why one request or push went as it did."),
        "openapi": Entry("openapi", "openapi", "Print an OpenAPI document."),
    }
)


class WrongUsage(click.ClickException):
    """Wrong usage that one sentence explains, without the lines about usage and help."""

    exit_code = 2


class Commands(click.Group):
    """The group that imports a command when it is asked for, and renders our own exceptions."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None when there is none of that name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        found = getattr(import_module(f"voice_emulator.cli.{entry.module}"), entry.attribute)
        assert isinstance(found, click.Command)  # noqa: S101 - the table is ours, and a test walks through it
        return _with_switch(found)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but with the nearest name for an unknown command."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise WrongUsage(f"there is no command {args[0]!r}{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what it raises on purpose becomes one sentence and an exit status."""
        try:
            return super().invoke(ctx)
        except FileError as error:
            for finding in error.findings:
                echo(str(finding), err=True)
            raise click.ClickException(visible(_counted(error))) from error
        except UsageError as error:
            raise WrongUsage(visible(str(error))) from error
        except EmulatorError as error:
            raise click.ClickException(visible(str(error))) from error
        except click.ClickException as error:
            if isinstance(error, click.BadParameter):
                _name_variable(error)
            # Final, says click; but this is what it shows, whatever kind of exception it is.
            error.message = visible(error.message)  # type: ignore[misc]
            raise
        finally:
            _tell_of_plugins()


def _name_variable(error: click.BadParameter) -> None:
    """Say that a wrong value comes from the environment, where it does."""
    context, parameter = error.ctx, error.param
    name = parameter.name if parameter is not None else None
    if context is None or parameter is None or name is None:
        return
    if context.get_parameter_source(name) is click.core.ParameterSource.ENVIRONMENT:
        error.param_hint = f"the environment variable {parameter.envvar}"


def _counted(error: FileError) -> str:
    """The sentence below the findings, which are printed already."""
    count = len(error.findings)
    if not count:
        return str(error)
    return f"the scenario has {counted(count, 'mistake')}"


def _with_switch(command: click.Command) -> click.Command:
    """``command``, and those below it, with the option that switches provider plug-ins off."""
    found = copy(command)
    found.params = [
        *command.params,
        click.Option(
            ["--no-provider-plugins"], is_flag=True, expose_value=False, envvar=_PLUGINS_SWITCH,
            callback=_switch_plugins_off, help="Load no provider that an installed plug-in brings.",
        ),
    ]  # fmt: skip
    if isinstance(found, click.Group):
        found.commands = {name: _with_switch(each) for name, each in found.commands.items()}
    return found


def _switch_plugins_off(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Set the variable: every part of this process reads it, and the processes that it starts."""
    before = os.environ.get(_PLUGINS_SWITCH)
    if wanted and not before:
        os.environ[_PLUGINS_SWITCH] = "1"
        ctx.find_root().call_on_close(lambda: os.environ.pop(_PLUGINS_SWITCH, None))


def _tell_of_plugins() -> None:
    """Log which plug-ins cannot be used, where the command itself needed no provider."""
    from importlib.metadata import entry_points

    if not entry_points(group="voice_emulator.providers"):
        return  # the usual case, and commands that scripts call in loops load no provider
    from voice_emulator.providers.registry import discover

    discover()


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from voice_emulator.version import version

        echo(f"voice-emulator {version()}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
    help="Show the version and exit.",
)  # fmt: skip
def commands() -> None:
    """The voice APIs of NXCloud, Huawei CEC and Infin8linx, answered on your own machine.

    New here? Try `voice-emulator demo`.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process: 0 fine, 1 findings or a failure, 2 wrong usage."""
    from voice_emulator.cli.process import guard_output

    guard_output()
    try:
        commands.main(args=list(args) if args is not None else None, prog_name="voice-emulator")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        # A file's trouble is told where it is written: this is standard output's.
        from voice_emulator.cli.process import forget

        forget(sys.stdout)
        echo(f"Error: cannot write to standard output: {error.strerror}", err=True)
        sys.exit(1)
