"""Finds a Chromium for the tests of the page, or gets Debian's. Can be run by itself: prints the path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: What keeps a headless browser quiet and from calling home; no sandbox, since tests may run as root.
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
#: What the summary of a test run says when there is none.
MISSING = "UI TESTS NOT RUN: no Chromium"


def find() -> str | None:
    """The path of an installed browser."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def get() -> str | None:
    """The path of a browser; where there is none, we are root and there is apt-get, it is installed."""
    found = find()
    apt = shutil.which("apt-get")
    if found or apt is None or os.name != "posix" or os.geteuid() != 0:
        return found
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        [apt, "update", "-qq"],
        [apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ):
        try:
            subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=600,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    return find()


if __name__ == "__main__":
    print(get() or MISSING)
    sys.exit(find() is None)
