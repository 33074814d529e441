"""``schemathesis run`` against every OpenAPI document that is served, all checks on, finds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples import RUNS
from voice_emulator.embedded import Embedded, embedded
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import discover
from voice_emulator.wire.machine_time import wall_now

# `make test-lowest` goes without it: it needs a newer jsonschema-rs than the emulator does.
pytest.importorskip("schemathesis")

HERE = Path(__file__).parent


def examine(emulator: Embedded, document: str, folder: Path, *options: str) -> None:
    """Run schemathesis as a user would, in a folder where it may leave its notes; it fails on findings."""
    arguments = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"),
        "run", f"{emulator.control_url}{document}", "--url", emulator.url,
        "--checks", "all", "--continue-on-failure", "--seed", "1", "--no-shrink", "--no-color",
        "--header", "Emulator-Explain: 1", *options,
    ]  # fmt: skip
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "refusals",
        "PYTHONPATH": str(HERE),
        "EMULATOR_CONTROL": emulator.control_url,
    }
    done = subprocess.run(
        arguments, env=environment, cwd=folder, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def is_secured(provider: Provider) -> bool:
    """Whether credentials travel in a header that OpenAPI can name: these are sent, and judged."""
    return any(
        header.name.lower() == "authorization"
        for operation in provider.operations.values()
        for header in operation.headers
    )


@pytest.mark.parametrize("provider", discover().values(), ids=lambda provider: provider.id)
@pytest.mark.parametrize("run", RUNS)
def test_a_providers_document_is_true(provider: Provider, run: tuple[str, ...], tmp_path: Path):
    # Made-up credentials in bodies would all be refused; a lenient emulator looks behind them.
    emulator = embedded(clock="manual", lenient=not is_secured(provider))
    emulator.start()
    try:
        assert emulator._emulator is not None
        tenant = emulator._emulator.runtime.tenancy.default
        headers = {}
        for operation in provider.operations.values():
            headers |= provider.authorise(tenant, operation, {}, wall_now())[1]
        wanted = {k: v for k, v in headers.items() if k.lower() == "authorization"}
        options = [part for name, value in wanted.items() for part in ("--header", f"{name}: {value}")]
        examine(emulator, f"/openapi/{provider.id}.json", tmp_path, *run, *options)
    finally:
        emulator.stop()
