"""serve --tls-self-signed, and the commands that look at it."""

from __future__ import annotations

import signal
import ssl
from pathlib import Path
from urllib.request import urlopen

from tests.cli.process import Running, command, group, serving
from tests.patience import PATIENCE
from voice_emulator.app import Emulator
from voice_emulator.cli.serve.ca_file import publish_authority
from voice_emulator.settings import Options


def authority_of(server: Running) -> Path:
    return Path(group(r"self-signed; trust (\S+), also at https://", server.log.wait_for("self-signed")))


def test_the_log_names_a_file_that_clients_can_trust_and_that_goes_with_the_process():
    with serving("--tls-self-signed") as server:
        path = authority_of(server)
        trust = ssl.create_default_context(cafile=str(path))
        for port in ("traffic", "control"):
            assert server.ready[port].startswith("https://127.0.0.1:")
        with urlopen(server.ready["control"] + "/v1/tls/ca.pem", timeout=PATIENCE, context=trust) as reply:
            assert reply.read() == path.read_bytes()
        assert b"PRIVATE" not in path.read_bytes()
        assert server.stop(signal.SIGTERM) == 0
        assert not path.exists()


def test_where_no_file_can_be_written_it_serves_all_the_same():
    with serving("--tls-self-signed", env={"TMPDIR": "/nowhere"}) as server:
        # Python then tries other folders; what matters is that it serves.
        assert server.ready["control"].startswith("https://")


async def test_without_a_folder_for_temporary_files_the_log_names_the_url(monkeypatch, caplog):
    def refuse(**_: object) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    emulator = Emulator(Options(port=0, control_port=0, tls_self_signed=True), grace=0.1)
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with caplog.at_level("INFO", "voice_emulator.cli.serve.ca_file"):
        assert publish_authority(emulator.runtime) is None
    assert "/v1/tls/ca.pem (no file: No usable temporary directory found)" in caplog.text


def test_health_and_wait_ready_accept_an_authority_or_anything():
    with serving("--tls-self-signed") as server:
        control, ca = server.ready["control"], authority_of(server)
        for name in ("health", "wait-ready"):
            assert command(name, "--control", control, "--ca", ca).returncode == 0
            assert command(name, "--control", control, "--insecure").returncode == 0
            assert command(name, "--control", control, env={"VOICE_EMULATOR_CA": str(ca)}).returncode == 0
        done = command("health", "--control", control)
        assert done.returncode == 1
        assert "is not trusted" in done.stderr
        assert "--ca FILE, or use --insecure" in done.stderr
        assert command("health", "--control", control, "--ca", "/nowhere").returncode == 2


def test_a_health_check_beside_the_server_needs_no_options_whatever_it_speaks():
    with serving("--tls-self-signed") as server:
        port = server.ready["control"].rpartition(":")[2]
        done = command("health", env={"VOICE_EMULATOR_CONTROL_PORT": port})
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"ready at https://127.0.0.1:{port}: ")
        # Where a URL is given, nothing is guessed and nothing believed.
        assert command("health", "--control", f"http://127.0.0.1:{port}").returncode == 1


def test_the_report_of_an_emulator_with_a_private_authority():
    with serving("--tls-self-signed") as server:
        done = command(
            "report", "--control", server.ready["control"], "--ca", authority_of(server), "--allow-empty"
        )
        assert done.returncode == 0, done.stderr
