"""The image without an engine: its steps carried out, its process run as its user where nothing is writable."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.cli.process import Lines, Running
from tests.container.dockerfile import CHECKOUT, Image, build, checkout_with_few
from tests.patience import PATIENCE

#: Whether the machine can make the whole file system read-only for one process, as an engine does.
READ_ONLY_ROOT = ("unshare", "--mount", "sh", "-c", 'mount -o remount,ro,bind / && exec "$@"', "sh")
GPSEND = {
    "appkey": "nx-appkey", "secretkey": "nx-secretkey", "phone": "6281200010011", "country_code": "62",
    "show_phone": "123456", "url": "https://nxcloud.com/1963370420.m4a",
}  # fmt: skip


@pytest.fixture(
    scope="module", params=[False, pytest.param(True, marks=pytest.mark.long)], ids=["few", "whole"]
)
def image(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Image]:
    """With three of its packages installed, and those of the tests beside them; or with all, as the image has them."""
    folder = tmp_path_factory.mktemp("container")
    source = CHECKOUT if request.param else checkout_with_few(folder / "checkout")
    made = build((CHECKOUT / "Dockerfile").read_text(encoding="utf-8"), folder, source)
    if not request.param:
        (packages,) = made.path("/opt/voice-emulator").glob("lib/python3*/site-packages")
        (packages / "tests.pth").write_text(sysconfig.get_path("purelib"))
    # Nobody may write there any more; everybody may read.
    subprocess.run(["chmod", "-R", "a-w,a+rX", made.root], check=True)
    for parent in (made.root, *made.root.parents):
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    yield made
    subprocess.run(["chmod", "-R", "u+w", made.root], check=True)
    shutil.rmtree(made.root)


def confined(image: Image) -> tuple[str, ...]:
    """What to put before a command so that it runs as the image's user and cannot write anywhere."""
    if os.getuid() != 0:
        return ()  # not root as it is; the image is read-only by its permissions
    uid, _, gid = image.user.partition(":")
    # The interpreter may be in root's home, so the user also gets the permission to read it.
    user = (
        "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups",
        "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search",
    )  # fmt: skip
    can = subprocess.run([*READ_ONLY_ROOT, "true"], capture_output=True, timeout=PATIENCE, check=False)
    return (*(READ_ONLY_ROOT if can.returncode == 0 else ()), *user)


def inside(image: Image, *argv: str, **environment: str) -> dict[str, object]:
    """Arguments of Popen that run a command of the image as an engine would, with ``docker run -e`` besides."""
    given = image.environment | {"HOME": "/", **environment}
    # The tests listen on loopback only.
    given["VOICE_EMULATOR_HOST"] = "127.0.0.1"
    return {
        "args": [*confined(image), *argv], "cwd": image.path(image.workdir), "stdin": subprocess.DEVNULL, "text": True,
        "env": given | {"PATH": f"{given['PATH']}:/usr/bin:/bin:/usr/sbin:/sbin"},
    }  # fmt: skip


def run(image: Image, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        **inside(image, *argv, **environment),  # type: ignore[call-overload]
        capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


@contextmanager
def serving(image: Image, *arguments: str) -> Iterator[Running]:
    """The entry point with the command of the image, or with ``arguments`` in its place."""
    command = [word.replace("::", "127.0.0.1") for word in arguments or image.command]
    free = {"VOICE_EMULATOR_PORT": "0", "VOICE_EMULATOR_CONTROL_PORT": "0"}
    process = subprocess.Popen(
        **inside(image, *image.entrypoint, *command, **free),  # type: ignore[call-overload]
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        server = Running(process, Lines(process.stdout), Lines(process.stderr))
        ended = server.log.wait_for(lambda line: "traffic at " in line or line.startswith("Error"))
        assert "traffic at " in ended, "\n".join(server.log.lines)
        server.ready = json.loads(server.out.wait_for('"ready"'))
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        process.stdout.close()
        process.stderr.close()


def test_the_process_is_not_root_and_cannot_write(image: Image):
    tried = (
        "import os, sys\nprint(os.getuid())\nfor path in sys.argv[1:]:\n    open(path + '/written', 'w')\n"
    )
    done = run(image, "python", "-c", tried, str(image.path("/opt/voice-emulator")))
    assert int(done.stdout) == (int(image.user.partition(":")[0]) if os.getuid() == 0 else os.getuid())
    assert "Read-only file system" in done.stderr or "Permission denied" in done.stderr


def test_image_serves_answers_its_health_check_and_ends_at_sigterm(image: Image):
    before = set(image.root.rglob("*"))
    with serving(image) as server:
        port = server.ready["control"].rpartition(":")[2]
        checked = run(image, *image.healthcheck, VOICE_EMULATOR_CONTROL_PORT=port)
        assert checked.returncode == 0, checked.stderr
        request = Request(f"{server.ready['traffic']}/api/voiceSms/gpsend", urlencode(GPSEND).encode())
        with urlopen(request, timeout=PATIENCE) as reply:
            assert json.load(reply)["code"] == "0"
        assert server.stop(signal.SIGTERM) == 0
        assert "Traceback" not in "\n".join(server.log.end())
    assert run(image, *image.healthcheck, VOICE_EMULATOR_CONTROL_PORT=port).returncode == 1
    assert set(image.root.rglob("*")) == before


def test_arguments_take_the_place_of_the_command(image: Image):
    with serving(image, "serve", "--seed", "7", "--scenario", "all-busy") as server:
        assert server.ready["scenario"] == "all-busy"
        assert server.stop(signal.SIGTERM) == 0


def test_tls_needs_no_writable_folder_either(image: Image):
    with serving(image, "serve", "--tls-self-signed") as server:
        port = server.ready["control"].rpartition(":")[2]
        blind = ssl.create_default_context()
        blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
        with urlopen(f"{server.ready['control']}/v1/tls/ca.pem", timeout=PATIENCE, context=blind) as reply:
            assert reply.read().startswith(b"-----BEGIN CERTIFICATE-----")
        checked = run(image, *image.healthcheck, VOICE_EMULATOR_CONTROL_PORT=port)
        assert checked.returncode == 0, checked.stderr
        assert server.stop(signal.SIGTERM) == 0


def test_what_a_scenario_reload_needs_is_there(image: Image):
    with serving(image, "serve", "--watch") as server:
        assert server.stop(signal.SIGTERM) == 0


def test_image_holds_no_installer_and_no_tools_of_the_build(image: Image):
    commands = {path.name for path in image.path("/opt/voice-emulator/bin").iterdir()}
    assert "voice-emulator" in commands
    assert not [name for name in commands if name.startswith("pip")]
    assert {path.name for path in image.path("/opt").iterdir()} == {"voice-emulator"}
    assert not list(image.path("/opt/voice-emulator").rglob("hatchling"))


@pytest.mark.parametrize("image", [pytest.param(True, marks=pytest.mark.long)], indirect=True)
def test_image_is_small(image: Image):
    """The environment itself; the base image comes on top. It was 120 MB when this was written."""
    size = sum(path.lstat().st_size for path in image.root.rglob("*") if path.is_file())
    assert size < 200e6, f"{size / 1e6:.0f} MB"
