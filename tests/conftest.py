"""Shared by all tests: the settings of hypothesis. Fixtures live beside the tests that use them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.ui import chromium

# A fixed seed, so that a red run can be repeated; no deadline, since machines are slow and shared.
settings.register_profile(
    "voice-emulator", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("voice-emulator")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that the page went untested; here, since the process that collects nothing reports it."""
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
