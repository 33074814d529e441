"""Finds the data files that travel with the package: the JSON Schemas and the shipped scenarios.

They lie in two places. In a checkout `schemas/` and `scenarios/` are siblings of the package, where a
reader of the project finds them; the wheel carries the same folders as `voice_emulator/_data/` (see
pyproject.toml). Everything asks `data_path`, and nothing else knows where they are.

Plain paths and not importlib.resources: wheels are always unpacked to be installed, and the import would
cost more than the rest of this module.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from voice_emulator.errors import UsageError

__all__ = ["FOLDERS", "ResourceNotFoundError", "data_path"]

#: The folders that exist, each below the same root.
FOLDERS = ("scenarios", "schemas")


class ResourceNotFoundError(UsageError):
    """No such file or folder is shipped; the message names it and the nearest one that is."""


def data_path(folder: str, *names: str) -> Path:
    """Return the absolute path of a shipped file or folder, which exists.

    `data_path("schemas", "nxcloud", "gpsend.request.json")` is a file, `data_path("scenarios")` a
    folder to list. Each argument is one name, compared exactly (also where the file system ignores case),
    so that a name from outside can be passed on: neither `..` nor one with a slash leads anywhere.

    Raises ResourceNotFoundError if there is no such thing, saying what is missing and the nearest valid name.
    """
    path = _root()
    present: tuple[str, ...] = tuple(each for each in FOLDERS if (path / each).is_dir())
    steps = (folder, *names)
    for depth, name in enumerate(steps):
        if name not in present:
            raise ResourceNotFoundError(_missing(steps[:depth], name, present))
        path /= name
        present = _names_in(path)
    return path


@cache
def _root() -> Path:
    """The folder that holds FOLDERS: inside an installed package, else the checkout around it."""
    package = Path(__file__).resolve().parent
    installed = package / "_data"
    return installed if installed.is_dir() else package.parents[1]


def _names_in(path: Path) -> tuple[str, ...]:
    """The names in a folder, sorted; none in a file."""
    return tuple(sorted(entry.name for entry in path.iterdir())) if path.is_dir() else ()


def _missing(parents: tuple[str, ...], name: str, present: tuple[str, ...]) -> str:
    from voice_emulator.core.words import nearest  # only a failure needs it

    where = "/".join(parents) if parents else "the shipped data"
    return f"there is no {name!r} in {where}" + nearest(name, present)
