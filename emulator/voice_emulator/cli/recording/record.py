"""record: what a client and the real providers say to each other, kept without secrets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voice_emulator.cli.event_loop import on_signals, run
from voice_emulator.cli.options import PORT, address, assignment, whole
from voice_emulator.cli.terminal import echo
from voice_emulator.core.words import counted, nearest
from voice_emulator.errors import UsageError

if TYPE_CHECKING:
    from yarl import URL

    from voice_emulator.recording.exchanges import Exchange, Reader

_OUT = click.option(
    "--out", metavar="FILE.vrec", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="The recording to write.",
)  # fmt: skip
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("record", invoke_without_command=True, subcommand_metavar="")
@click.option(
    "--upstream", "upstreams", metavar="PROVIDER=URL", type=assignment, multiple=True,
    help="A real provider; may be repeated. Nothing is sent to any other host.",
)  # fmt: skip
@click.option(
    "--receiver",
    "receivers",
    metavar="PROVIDER=URL",
    type=assignment,
    multiple=True,
    help="Where the provider's pushes to /_receiver/PROVIDER go on to; may be repeated.",
)
@click.option(
    "--public-url", metavar="URL", type=address,
    help="How the provider reaches this port: callback URLs inside requests become URL/_receiver/PROVIDER.",
)  # fmt: skip
@click.option(
    "--budget", metavar="N", type=whole(0), help="The most numbers that may be called; past it, 429."
)
@click.option(
    "--only-numbers", metavar="GLOB", multiple=True,
    help="Numbers that may be called, and that the recording shows; may be repeated.",
)  # fmt: skip
@click.option("--read-only", is_flag=True, help="Forward only what changes nothing at the provider.")
@click.option(
    "--out", metavar="FILE.vrec", type=click.Path(path_type=Path, dir_okay=False), help="The recording to write."
)  # fmt: skip
@click.option(
    "--host", "hosts", metavar="ADDRESS", default=("127.0.0.1",), multiple=True, show_default=True,
    help="Address to listen on.",
)  # fmt: skip
@click.option(
    "--port", metavar="PORT", type=PORT, default=0, help="Port to listen on.  [default: a free one]"
)
@click.option(
    "--cacert",
    metavar="FILE",
    type=_FILE,
    help="Trust the authorities in this PEM file, besides the system's.",
)
@click.pass_context
def record(ctx: click.Context, /, **given: object) -> None:
    """Record what your client and the real providers say to each other, and the pushes.

    Requests are forwarded to --upstream unchanged. Secrets and other people's numbers are replaced before anything is
    written. Ends at SIGINT or SIGTERM, and writes the recording then.
    """
    if ctx.invoked_subcommand is not None:
        return
    for name, option in (
        ("upstreams", "upstream"), ("budget", "budget"), ("only_numbers", "only-numbers"), ("out", "out"),
    ):  # fmt: skip
        if given[name] in (None, ()):
            raise UsageError(f"--{option} is missing")
    run(_record(given))


async def _record(given: dict[str, object]) -> None:
    from yarl import URL

    from voice_emulator.providers.registry import discover
    from voice_emulator.recording.exchanges import Reader
    from voice_emulator.recording.guards import Guards, upstream_url
    from voice_emulator.recording.proxy import Recorder, recording
    from voice_emulator.wire.http.tls import push_trust

    reader = Reader(discover())
    upstreams = _by_provider(given["upstreams"], reader, upstream_url)
    receivers = _by_provider(given["receivers"], reader, lambda text: URL(address(text), encoded=True))
    numbers = tuple(str(each) for each in _tuple(given["only_numbers"]))
    out = given["out"]
    assert isinstance(out, Path)  # noqa: S101 - click made it
    _writable(out)
    guards = Guards(int(str(given["budget"])), numbers, read_only=bool(given["read_only"]))
    cacert = given["cacert"]
    recorder = Recorder(
        reader, guards, upstreams, receivers, str(given["public_url"]) if given["public_url"] else None,
        push_trust(cacert) if isinstance(cacert, Path) else None,
    )  # fmt: skip
    over = asyncio.Event()
    on_signals(over.set)
    hosts = [str(each) for each in _tuple(given["hosts"])]
    async with recording(recorder, hosts, int(str(given["port"]))) as url:
        echo(
            json.dumps(
                {"ready": True, "traffic": url, "upstreams": {k: str(v) for k, v in upstreams.items()}}
            )
        )
        await over.wait()
    _keep(recorder.exchanges, reader, numbers, out, recorder.refused)


@record.command("import")
@click.argument("har", metavar="FILE.har", type=_FILE)
@click.argument("pushes", metavar="[PUSHES.jsonl]", required=False, type=_FILE)
@click.option(
    "--only-numbers",
    metavar="GLOB",
    multiple=True,
    help="Your own numbers, which stay as they are; may be repeated.",
)
@_OUT
def import_logs(har: Path, pushes: Path | None, only_numbers: tuple[str, ...], out: Path) -> None:
    """Make a recording from logs: an HTTP archive, and pushes as JSON lines. Nothing is sent."""
    from voice_emulator.providers.registry import discover
    from voice_emulator.recording.exchanges import Reader
    from voice_emulator.recording.imports import from_har, from_pushes

    reader = Reader(discover())
    _writable(out)
    exchanges, others = from_har(har, reader)
    if pushes is not None:
        exchanges += from_pushes(pushes, reader)
    if others:
        echo(f"{counted(others, 'exchange')} of {har} are with no provider", err=True)
    _keep(exchanges, reader, only_numbers, out, 0)


def _keep(
    exchanges: list[Exchange], reader: Reader, numbers: tuple[str, ...], out: Path, refused: int
) -> None:
    from voice_emulator.recording.bundle import write
    from voice_emulator.recording.masking import Masking

    manifest = write(out, exchanges, Masking(reader, numbers), numbers)
    masked = manifest["masked"]
    echo(
        f"{out}: {counted(manifest['requests'], 'request')}, {counted(manifest['pushes'], 'push')}; "
        f"{counted(masked['secrets'], 'secret')} and {counted(masked['numbers'], 'number')} replaced"
        + (f"; {counted(refused, 'request')} not forwarded" if refused else ""),
        err=True,
    )


def _by_provider(pairs: object, reader: Reader, read: Callable[[str], URL]) -> dict[str, URL]:
    found = {}
    for name, text in _tuple(pairs):
        if name not in reader.providers:
            raise UsageError(f"there is no provider {name!r}{nearest(str(name), reader.providers)}")
        found[str(name)] = read(text)
    return found


def _writable(out: Path) -> None:
    """Raise UsageError at once where the recording could not be written at the end."""
    if out.suffix != ".vrec":
        raise UsageError(f"{out}: a recording is called FILE.vrec")
    if not out.parent.is_dir():
        raise UsageError(f"cannot write {out}: there is no folder {out.parent}")


def _tuple(value: object) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()
