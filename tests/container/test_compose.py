"""compose.yaml: its services, run as processes of this machine, work together as their comments say."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import Request, urlopen

import yaml

from tests.cli.process import environment, get, running, serving
from tests.cli.test_health import free_port
from tests.container.dockerfile import CHECKOUT
from tests.patience import PATIENCE

SERVICES = yaml.safe_load((CHECKOUT / "compose.yaml").read_text(encoding="utf-8"))["services"]


def until_served(url: str) -> None:
    """Ask until somebody answers: what `depends_on` with `service_healthy` does."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urlopen(url, timeout=PATIENCE).close()
            return
        except URLError:
            assert time.monotonic() < deadline, f"nobody answers at {url}"


def test_a_reminder_is_placed_and_settled_by_its_receipt():
    theirs = SERVICES["voice-emulator"]["environment"]
    mine = SERVICES["reminders"]
    port = free_port()
    callback_url = theirs["VOICE_EMULATOR_CALLBACK_URL"].replace("reminders:8080", f"127.0.0.1:{port}")
    assert callback_url.endswith("/nxcloud/receipts")
    with serving(env={**theirs, "VOICE_EMULATOR_CALLBACK_URL": callback_url}) as emulator:
        here = {
            **mine["environment"],
            "NXCLOUD_URL": emulator.ready["traffic"],
            "HOST": "127.0.0.1",
            "PORT": str(port),
        }
        program = (sys.executable, *mine["entrypoint"][1:])
        with running(program=program, env=here):
            until_served(f"http://127.0.0.1:{port}/bill")
            body = json.dumps({"phone": "6281200000000", "audio": "https://example.com/a.mp3"}).encode()
            with urlopen(Request(f"http://127.0.0.1:{port}/reminders", body), timeout=PATIENCE) as reply:
                assert json.load(reply) == {"id": 1}
            waited = get(f"{emulator.ready['control']}/v1/tenants/default/wait?for=callbacks&timeout=30s")
            assert waited["items"][0]["outcome"] == "delivered"
            assert get(f"http://127.0.0.1:{port}/reminders/1")["state"] == "answered"
            check = mine["healthcheck"]["test"]
            assert check[:2] == ["CMD", "python"]
            done = subprocess.run(
                [sys.executable, *check[2:]],
                env=environment(**here),
                timeout=PATIENCE,
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr


def test_the_client_uses_the_documented_credentials_and_the_service_name():
    given = SERVICES["reminders"]["environment"]
    assert given["NXCLOUD_URL"] == "http://voice-emulator:4880"
    assert (given["NXCLOUD_APPKEY"], given["NXCLOUD_SECRETKEY"]) == ("nx-appkey", "nx-secretkey")
    source, _, _ = SERVICES["reminders"]["volumes"][0].partition(":")
    assert (CHECKOUT / source).is_dir()
