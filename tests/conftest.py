"""Shared by all tests: the settings of hypothesis, and the sum at the end. Fixtures live beside the tests that use them."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.ui import chromium

# Some environments ask for no compiled files. Here every process of the tests would compile the emulator again, and
# every worker the tests: a third of what the whole run costs.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A fixed seed, so that a red run can be repeated; no deadline, since machines are slow and shared.
settings.register_profile(
    "voice-emulator", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
# `make test-long`: what has a number of examples of its own takes it by tests.examples.
settings.register_profile("long", settings.get_profile("voice-emulator"), max_examples=1_000)
settings.load_profile("voice-emulator")


#: Variables of a terminal or a CI service that change what pytest, click, rich and Python print. Tests that are about
#: one of them set it.
PRINTING = (
    "CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CLICOLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE",
    "TTY_INTERACTIVE", "COLUMNS", "LINES", "PYTEST_ADDOPTS", "PYTHONWARNINGS", "PYTHONDEVMODE", "PYTHONIOENCODING", "PYTHONUTF8",
)  # fmt: skip


@pytest.fixture(autouse=True, scope="session")
def _environment_of_nobody() -> Iterator[None]:
    """What a test and its processes print and reach does not depend on where the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in PRINTING:
            patch.delenv(name, raising=False)
        # A proxy stays, since pip may need it; but not for servers of the tests.
        patch.setenv("no_proxy", "localhost,127.0.0.1,::1")
        patch.setenv("NO_PROXY", "localhost,127.0.0.1,::1")
        yield


@pytest.fixture(autouse=True)
def _logging_stays_as_it_is() -> Iterator[None]:
    """A command that runs in this process sets up logging for its own."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


def pytest_collection_finish() -> None:
    """The collected tests stay to the end. The garbage collector need not go through them again in each collection."""
    gc.collect()
    gc.freeze()


def processor_time() -> float:
    """Seconds that this process has spent so far, and those it started and waited for: workers are among them."""
    return sum(os.times()[:4])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the run cost, and loudly when the page went untested; here, in the process that collects nothing."""
    terminalreporter.line(f"{processor_time():.0f} s of processor time")
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", ())
        if chromium.MISSING in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.section(chromium.MISSING, sep="!", red=True, bold=True)
        terminalreporter.line(
            f"{len(skipped)} tests of the page were skipped: there is no {' or '.join(chromium.NAMES)} on the PATH, "
            "and it could not be installed (that takes root and apt-get)."
        )
