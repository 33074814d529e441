"""docs/load-testing.md: Locust drives the example service, and the histogram has every call. `long`: it installs Locust."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import venv
from pathlib import Path
from urllib.request import urlopen

import pytest

import voice_emulator
from tests.docs.pages import CHECKOUT, blocks
from tests.patience import PATIENCE
from voice_emulator.client import VoiceEmulator

LOCUST = "locust==2.47.0"
PAGE = "docs/load-testing.md"


@pytest.mark.long
def test_locust_drives_the_service_and_the_histogram_counts_each_call(tmp_path: Path):
    venv.create(tmp_path / "venv", with_pip=True)
    tools = tmp_path / "venv" / "bin"
    quiet = ["-q", "--disable-pip-version-check"]
    installed = subprocess.run(
        [tools / "python", "-m", "pip", "install", *quiet, LOCUST],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"{LOCUST} cannot be installed: {installed.stderr.strip()[-300:]}")
    (scenario,) = (block.text for block in blocks(PAGE) if block.language == "yaml")
    (drive,) = (
        line for block in blocks(PAGE) for line in block.text.splitlines() if line.startswith("locust ")
    )
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    receiver = f"http://127.0.0.1:{port}/nxcloud/receipts"
    with voice_emulator.running(scenario=scenario, callback_url=receiver) as emulator:
        environment = os.environ | {
            "NXCLOUD_URL": emulator.url, "NXCLOUD_APPKEY": "nx-appkey", "NXCLOUD_SECRETKEY": "nx-secretkey",
            "PORT": str(port),
        }  # fmt: skip
        service = subprocess.Popen(
            [sys.executable, "examples/nxcloud_reminders"], cwd=CHECKOUT, env=environment
        )
        try:
            command = drive.replace(":8080", f":{port}").replace("60s", "3s").split()
            done = subprocess.run(
                [tools / command[0], *command[1:]], cwd=CHECKOUT, capture_output=True, text=True, check=False,
                timeout=PATIENCE * 3,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            accepted = int(number(emulator, "calls_accepted_total"))
            assert accepted > 5
            emulator.wait_for_callbacks(accepted, timeout=PATIENCE)
        finally:
            service.terminate()
            service.wait(PATIENCE)
        assert number(emulator, "receipt_seconds_count") == accepted
        assert number(emulator, "receipt_seconds_sum") >= 2 * accepted


def number(emulator: VoiceEmulator, name: str) -> float:
    with urlopen(f"{emulator.control_url}/metrics") as reply:
        found = re.search(
            rf'^voice_emulator_{name}{{provider="nxcloud"}} (\S+)$', reply.read().decode(), re.MULTILINE
        )
    return float(found[1]) if found else 0.0
