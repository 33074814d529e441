from __future__ import annotations

import re
import signal
import socket

import pytest

from tests.cli.process import command, running, serving, url_of
from tests.patience import PATIENCE
from voice_emulator.cli.health import look


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_health_is_0_while_an_emulator_serves_and_1_afterwards():
    with serving() as server:
        control = server.ready["control"]
        done = command("health", "--control", control)
        assert done.returncode == 0
        assert done.stdout.startswith(f"ready at {control}: scenario happy-path, version ")
        server.stop(signal.SIGTERM)
        done = command("health", "--control", control)
        assert done.returncode == 1
        assert done.stdout == ""
        assert "does not answer" in done.stderr


def test_health_finds_the_port_in_the_environment_it_shares_with_serve():
    with serving() as server:
        port = server.ready["control"].rpartition(":")[2]
        assert command("health", env={"VOICE_EMULATOR_CONTROL_PORT": port}).returncode == 0
        assert command("wait-ready", env={"VOICE_EMULATOR_CONTROL": server.ready["control"]}).returncode == 0


def test_wait_ready_waits_for_an_emulator_that_starts_later():
    port = free_port()
    control = f"http://127.0.0.1:{port}"
    with (
        running("wait-ready", "--control", control, "--timeout", PATIENCE) as waiting,
        running("serve", "--port", 0, "--control-port", port) as server,
    ):
        assert waiting.process.wait(PATIENCE) == 0
        assert waiting.out.end()[0].startswith(f"ready at {control}")
        assert server.process.poll() is None


def test_wait_ready_gives_up_with_status_1_and_says_why():
    done = command("wait-ready", "--control", f"http://127.0.0.1:{free_port()}", "--timeout", "300ms")
    assert done.returncode == 1
    assert re.match(
        r"Error: no emulator was ready within 0\.3 s: http://127\.0\.0\.1:\d+ does not answer: ", done.stderr
    )


def test_health_does_not_take_another_server_for_an_emulator():
    with running("listen") as other:
        done = command("health", "--control", url_of(other))
    assert done.returncode == 1
    assert "is not a voice-emulator" in done.stderr


@pytest.mark.parametrize("wrong", ["127.0.0.1:4881", "ftp://x", "http://"])
def test_an_address_that_is_none_is_wrong_usage(wrong):
    assert command("health", "--control", wrong).returncode == 2


def test_a_server_that_talks_nonsense_is_not_ready():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        # Accepted by the kernel, answered by nobody: the look ends at its own patience.
        ready, why = look(f"http://127.0.0.1:{server.getsockname()[1]}", 0.2)
    assert not ready
    assert "does not answer" in why
