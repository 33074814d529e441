"""voice-emulator: the voice APIs of NXCloud, Huawei CEC and Infin8linx, answered on your own machine.

Importing this package loads nothing else: what it offers is looked up when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["__version__", "running"]

if TYPE_CHECKING:
    from emulator.embedded import running

    __version__: str
else:  # hidden from the type checker, which would take it to mean that any name can be imported from here

    def __getattr__(name):
        """Look a name up on first use (PEP 562): `running` needs the whole emulator, the version the metadata."""
        if name == "__version__":
            found = _version()
        elif name == "running":
            from emulator.embedded import running as found
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found


def _version() -> str:
    """The version of the installed distribution, or of the checkout if nobody has installed it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("voice-emulator")
    except PackageNotFoundError:
        return _version_of_checkout()


def _version_of_checkout() -> str:
    """Read the version from the pyproject.toml beside the package: a checkout that nobody has installed."""
    import tomllib
    from pathlib import Path

    try:
        project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "0+unknown"
    return str(project["project"]["version"])
