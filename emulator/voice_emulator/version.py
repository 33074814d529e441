"""The version of this emulator."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """The version of the installed distribution, or of the checkout if it is not installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed_version

    try:
        return installed_version("voice-emulator")
    except PackageNotFoundError:
        return _version_of_checkout()


def _version_of_checkout() -> str:
    """Read the version from the pyproject.toml beside the package: a checkout that is not installed."""
    import tomllib
    from pathlib import Path

    try:
        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "0+unknown"
    return str(project["project"]["version"])
