"""Writes the documentation pages of the finding rules: ``python -m emulator.report.rules docs/rules``."""

from __future__ import annotations

import sys
from pathlib import Path

from emulator.providers.registry import discover
from emulator.report.rules.pages import write_pages


def main(arguments: list[str]) -> int:
    """Write a page per rule, and the index, into the folder named; stale pages go."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m emulator.report.rules FOLDER\n")
        return 2
    write_pages(Path(arguments[0]), discover().values())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
