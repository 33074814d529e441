"""``serve --watch``: put the scenario file in force again whenever it changes."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from voice_emulator.core.directory import KeyTaken
from voice_emulator.core.tenants import DEFAULT_TENANT
from voice_emulator.errors import FileError, UsageError
from voice_emulator.resources import data_path

if TYPE_CHECKING:
    from voice_emulator.app import Emulator

log = logging.getLogger(__name__)

#: Real milliseconds between two looks at the files, whatever the system reports.
LOOK_EVERY = 1_000
_SUFFIXES = (".yaml", ".yml", ".json")


def file_of(scenario: str) -> Path:
    """The file behind what ``--scenario`` says: a path, or the name of a shipped one.

    Links stay links: a mounted ConfigMap changes by having them point elsewhere.
    """
    path = Path(scenario)
    return path.absolute() if path.is_file() else data_path("scenarios", f"{scenario}.yaml")


async def watch(emulator: Emulator) -> None:
    """Reload after every change, until cancelled.

    The whole folder is watched: editors replace a file instead of writing into it. Files are also looked at every now and
    then, since what the scenario extends may be in another folder, a change may come before the watching has begun, and some
    mounts in containers report none.
    """
    from watchfiles import awatch

    # It logs each change of any file in the folder: also of the one that our own log goes to, for ever.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    path = file_of(emulator.options.scenario)
    log.info("watching %s", path)
    seen: frozenset[tuple[str, int, int, int]] | None = None
    extended: set[Path] = set()
    looks = awatch(path.parent, recursive=False, debounce=200, rust_timeout=LOOK_EVERY, yield_on_timeout=True)
    async for _ in looks:
        if states(path, extended) != seen:
            with suppress(UsageError):
                # Also those of before: one that is gone for the moment comes back.
                extended |= set(emulator.runtime.loader.files(path))
            seen = states(path, extended)
            reload(emulator, path)


def states(path: Path, extended: Iterable[Path]) -> frozenset[tuple[str, int, int, int]]:
    """Of ``path``, the scenario files beside it and those it extends: identity, time of the last change and size.

    Those are of the file that a link leads to at the moment.
    """
    found = set()
    with suppress(OSError):  # the folder may be gone
        extended = {*extended, *path.parent.iterdir()}
    for file in extended:
        if file.suffix in _SUFFIXES or file == path:
            with suppress(OSError):
                status = file.stat()
                found.add((str(file), status.st_ino, status.st_mtime_ns, status.st_size))
    return frozenset(found)


def reload(emulator: Emulator, path: Path) -> None:
    """Put the file in force for the tenant ``default``; a broken one changes nothing but the log."""
    runtime = emulator.runtime
    try:
        scenario = emulator.read_scenario(runtime.loader, path)
        if scenario == runtime.start_scenario:
            return  # saved without a change, or a neighbour that has no part in it
        if runtime.ownership is not None and not runtime.ownership.owns(DEFAULT_TENANT):
            log.warning("%s is not reloaded: another replica owns the tenant default", path.name)
            return
        runtime.tenancy.default.load(scenario)
    except FileError as error:
        for finding in error.findings:
            log.error("%s", finding)
        log.error("%s has %d mistakes: the last good scenario stays", path.name, len(error.findings))
    except (UsageError, KeyTaken, ValueError) as error:
        log.error("the last good scenario stays: %s", error)
    else:
        runtime.start_scenario = scenario
        log.info("reloaded %s: scenario %s", path.name, scenario.name)
