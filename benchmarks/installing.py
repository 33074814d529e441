"""Installs each peer separately, into one folder. Peers that cannot be installed are named and left out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv

from benchmarks.peers import FOLDER

FROM_NPM = ("wiremock@3", "@stoplight/prism-cli@5", "mountebank@2", "@mockoon/cli@9")
FROM_PYPI = ("localstripe", "pytest-httpserver")
#: Seconds for each.
PATIENCE = 600


def install() -> None:
    """Install what is not there yet; a line for each."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm")
    for package in FROM_NPM:
        name = package[: package.rindex("@")]
        if (FOLDER / "node_modules" / name).exists():
            continue
        if npm is None:
            _say(package, "left out: there is no npm")
            continue
        _run(
            package,
            [npm, "install", "--prefix", str(FOLDER), "--no-audit", "--no-fund", "--loglevel=error", package],
        )
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(FOLDER / "venv", with_pip=True)
    for package in FROM_PYPI:
        known = subprocess.run([python, "-m", "pip", "show", package], capture_output=True, check=False)
        if known.returncode:
            _run(
                package,
                [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package],
            )


def _run(package: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        _say(package, f"left out: {error}")
        return
    said = (done.stderr or done.stdout).strip().splitlines()
    _say(
        package, "installed" if not done.returncode else f"left out: {said[-1] if said else done.returncode}"
    )


def _say(package: str, what: str) -> None:
    print(f"{package}: {what}", file=sys.stderr, flush=True)
