"""Finds the data files of the package: the JSON Schemas and the shipped scenarios.

In a checkout `schemas/` and `scenarios/` are top-level folders; the wheel has them as `voice_emulator/_data/` (see
pyproject.toml). Only `data_path` knows where they are. It does without importlib.resources, whose import would cost more
than the rest of this module: wheels are always unpacked when they are installed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from voice_emulator.errors import UsageError

__all__ = ["FOLDERS", "ResourceNotFoundError", "data_path"]

#: The folders, all below the same root.
FOLDERS = ("scenarios", "schemas")


class ResourceNotFoundError(UsageError):
    """No such file or folder is shipped. The message names it and the nearest one that exists."""


def data_path(folder: str, *names: str) -> Path:
    """The absolute path of a shipped file or folder, such as `data_path("schemas", "nxcloud", "gpsend.request.json")`.

    Each argument is one name, compared exactly (also if the file system ignores case). So a name from a user is safe:
    `..` and names with a slash do not exist. Raises ResourceNotFoundError.
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
