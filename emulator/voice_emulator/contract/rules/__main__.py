"""Writes the documentation pages of the finding rules: ``python -m voice_emulator.contract.rules docs/rules``."""

from __future__ import annotations

import sys
from pathlib import Path

from voice_emulator.contract.rules.pages import write_pages
from voice_emulator.providers.registry import built_in


def main(arguments: list[str]) -> int:
    """Write a page per rule, and the index, into the folder named; stale pages go."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m voice_emulator.contract.rules FOLDER\n")
        return 2
    write_pages(Path(arguments[0]), built_in().values())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
