"""voice-emulator: the voice APIs of NXCloud, Huawei CEC and Infin8linx, answered on your own machine.

Importing this package loads nothing else: what it offers is looked up when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["__version__", "running"]

if TYPE_CHECKING:
    from voice_emulator.embedded import running

    __version__: str
else:  # hidden from the type checker, which would take it to mean that any name can be imported from here

    def __getattr__(name):
        """Look a name up on first use (PEP 562): `running` needs the whole emulator, the version the metadata."""
        if name == "__version__":
            from voice_emulator.version import version

            found = version()
        elif name == "running":
            from voice_emulator.embedded import running as found
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found
