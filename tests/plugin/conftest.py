"""Runs pytest with the plugin in a process of its own, as a user would."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.patience import PATIENCE

CHECKOUT = Path(__file__).parents[2]
#: Where the package is not installed, its entry point is missing and the plugin is named by hand.
INSTALLED = any(point.value == "voice_emulator.pytest_plugin" for point in entry_points(group="pytest11"))

#: Plugins of our own requirements, which have no part in these tests: some take a second to import.
WITHOUT = [
    f"-p no:{name}" for name in ("cacheprovider", "randomly", "schemathesis", "hypothesispytest", "faker")
]
#: Those that some tests want to have beside ours; half of what it takes to start pytest.
BESIDE = {"fakefs", "anyio", "aiohttp"}

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest over ``files`` (name to source) in a fresh folder, with ``environment`` set."""

    def run(
        files: Mapping[str, str], *arguments: str, environment: Mapping[str, str] | None = None
    ) -> pytest.RunResult:
        for name in [
            name for name in os.environ if name.startswith(("VOICE_EMULATOR_", "PYTEST_XDIST", "COV_"))
        ]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PYTHONPATH", str(CHECKOUT / "emulator"))
        for name, value in (environment or {}).items():
            monkeypatch.setenv(name, value)
        scope = "" if "no:asyncio" in arguments else "asyncio_default_fixture_loop_scope = function\n"
        idle = BESIDE - {name for name in BESIDE if any(f"{name}_" in source for source in files.values())}
        without = [*WITHOUT, *(f"-p no:{name}" for name in sorted(idle))]
        pytester.makeini(f"[pytest]\naddopts = {' '.join(without)}\nfilterwarnings = error\n{scope}")
        for name, source in files.items():
            pytester.path.joinpath(name).write_text(source, encoding="utf-8")
        named = () if INSTALLED else ("-p", "voice_emulator.pytest_plugin")
        return pytester.runpytest_subprocess(*named, *arguments, timeout=PATIENCE)

    return run
