"""The Testcontainers module against an engine whose containers are processes: real client, real emulator."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.cli.process import environment
from tests.container.engine import Engine, engine
from tests.patience import PATIENCE


@pytest.fixture
def docker(tmp_path_factory, monkeypatch) -> Iterator[Engine]:
    # A Unix socket's path is short by law, and pytest's folders are not.
    with engine(tmp_path_factory.mktemp("e")) as here:
        monkeypatch.setenv("DOCKER_HOST", here.url)
        monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
        from testcontainers.core.config import ConnectionMode, testcontainers_config

        monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
        monkeypatch.setattr(testcontainers_config, "connection_mode_override", ConnectionMode.docker_host)
        yield here


def test_a_container_serves_and_is_removed(docker: Engine):
    from voice_emulator.testcontainers import VoiceEmulatorContainer

    with VoiceEmulatorContainer().with_scenario("all-busy").with_env("VOICE_EMULATOR_SEED", "7") as container:
        held = container.voice_emulator
        assert (held.scenario, held.tenant.seed) == ("all-busy", 7)
        keys = held.credentials.nxcloud
        form = {
            "appkey": keys.appkey, "secretkey": keys.secretkey, "phone": "6281200010011", "country_code": "62",
            "show_phone": "123456", "url": "https://nxcloud.com/1963370420.m4a",
        }  # fmt: skip
        urlopen(f"{container.url}/api/voiceSms/gpsend", urlencode(form).encode(), timeout=PATIENCE).close()
        assert [call.number for call in held.calls()] == ["6281200010011"]
        assert held.url == container.url
        asked = docker.containers["1"].asked
        assert asked["Image"] == "voice-emulator"
        assert set(asked["ExposedPorts"]) == {"4880/tcp", "4881/tcp"}
        assert asked["HostConfig"]["ExtraHosts"] == ["host.docker.internal:host-gateway"]
    assert docker.removed == ["1"]


def test_a_scenario_file_is_mounted(docker: Engine, tmp_path: Path):
    from voice_emulator.testcontainers import SCENARIO, VoiceEmulatorContainer

    file = tmp_path / "mine.yaml"
    file.write_text("name: of-my-own\n")
    with VoiceEmulatorContainer("registry.example.com/ve:1").with_scenario(file) as container:
        assert container.voice_emulator.scenario == "of-my-own"
    asked = docker.containers["1"].asked
    assert asked["Image"] == "registry.example.com/ve:1"
    assert asked["HostConfig"]["Binds"] == [f"{file}:{SCENARIO}:ro"]


def test_receivers_of_the_test_are_reached_through_the_host(docker: Engine):
    from voice_emulator.testcontainers import VoiceEmulatorContainer

    with VoiceEmulatorContainer():
        (given,) = [pair for pair in docker.containers["1"].asked["Env"] if "REWRITE_CALLBACK" in pair]
    assert "http://localhost=http://host.docker.internal" in given
    assert "http://127.0.0.1=http://host.docker.internal" in given


def test_a_container_that_cannot_start_says_why_and_is_removed(docker: Engine):
    from voice_emulator.testcontainers import VoiceEmulatorContainer

    container = VoiceEmulatorContainer(timeout=5).with_scenario("happy-pat")
    with pytest.raises(Exception) as failure:
        container.start()
    assert any("did you mean 'happy-path'?" in note for note in failure.value.__notes__)
    assert docker.removed == ["1"]


def test_before_the_start_there_is_nothing_to_hold(docker: Engine):
    from voice_emulator.testcontainers import VoiceEmulatorContainer

    with pytest.raises(RuntimeError, match="not started"):
        _ = VoiceEmulatorContainer().voice_emulator


def test_without_the_extra_the_import_says_what_to_install():
    code = "import sys; sys.modules['testcontainers'] = None; import voice_emulator.testcontainers"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment(),
        check=False,
    )
    assert done.stderr.splitlines()[-1] == (
        "ImportError: voice_emulator.testcontainers needs the package testcontainers: pip install testcontainers"
    )
