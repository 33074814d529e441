"""init: files to start from; it never overwrites one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from voice_emulator.cli.packing import write_wheel
from voice_emulator.cli.scenarios import schema_text
from voice_emulator.cli.terminal import echo
from voice_emulator.providers.registry import discover

SCHEMA = "scenario.schema.json"
#: The files, in the order they are written, and what each is.
STARTERS = {
    "scenario.yaml": "a commented scenario",
    SCHEMA: "its JSON Schema, which editors complete and check it with",
    "compose.yaml": "the emulator as a container beside your application",
    "ci.yaml": "a job for GitHub Actions",
    "gitlab-ci.yaml": "the same for GitLab CI",
    "kubernetes.yaml": "the emulator as a sidecar of your application's pod",
}
#: Where the wheel goes that the files above install.
WHEELS = "wheels"


@click.command("init")
@click.argument("folder", metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path), default=Path())
def init(folder: Path) -> None:
    """Write files to start from into DIR, or into this folder.

    They are a scenario and its JSON Schema, a compose file, jobs for CI systems, a Kubernetes manifest, and this
    emulator as a wheel, which the jobs and the compose file install. A file that exists is not overwritten.
    """
    source = Path(__file__).with_name("starters")
    # Printed at the end: a reader that has gone away must not keep a file from being written.
    lines: list[str] = []

    def write(what: str, how: Callable[[], Path]) -> None:
        try:
            lines.append(f"wrote  {how()}: {what}")
        except FileExistsError as error:
            lines.append(f"kept   {error.filename}: it exists already")

    def copy(name: str) -> Path:
        target = folder / name
        with target.open("x", encoding="utf-8") as file:
            file.write(
                schema_text(discover()) if name == SCHEMA else (source / name).read_text(encoding="utf-8")
            )
        return target

    try:
        (folder / WHEELS).mkdir(parents=True, exist_ok=True)
        for name, what in STARTERS.items():
            write(what, lambda name=name: copy(name))  # type: ignore[misc]
        write(
            "this emulator, for the jobs and compose.yaml to install: commit it",
            lambda: write_wheel(folder / WHEELS),
        )
    except OSError as error:
        raise click.ClickException(f"cannot write to {folder}: {error.strerror or error}") from error
    lines.append(f"Next: voice-emulator serve --scenario {folder / 'scenario.yaml'} --watch")
    echo("\n".join(lines))
