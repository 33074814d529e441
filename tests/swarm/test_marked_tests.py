"""The marker voice_swarm: one test, many seeds, new fixtures for each."""

from __future__ import annotations

import os
import subprocess
import sys
from fnmatch import fnmatch

import pytest

from tests.patience import PATIENCE

#: A client with a receiver of its own. `cautious` looks up what it missed; the other dials again.
CONFTEST = """
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

made = []


class Dialler:
    def __init__(self, emulator):
        self.emulator, keys = emulator, emulator.credentials.nxcloud
        self.keys = {"appkey": keys.appkey, "secretkey": keys.secretkey}

    def post(self, operation, **fields):
        try:
            body = urlencode(self.keys | fields).encode()
            with urlopen(f"{self.emulator.url}/api/voiceSms/{operation}", body, timeout=20) as reply:
                return json.load(reply)
        except Exception:
            return {}

    def call(self, phone):
        return "messageid" in self.post(
            "gpsend", phone=phone, country_code="62", show_phone="1234", url="http://files.example.com/a.mp3"
        )

    def look_up(self):
        span = {"start_time": "2026-01-01 00:00:00", "end_time": "2026-02-28 00:00:00"}
        return self.post("getVoiceCdr", voiceType="0", page_size="100", page="1", **span).get("code") == "1"


@pytest.fixture
def dialler(voice_emulator):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"success")

        def log_message(self, *arguments):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *arguments):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    voice_emulator.callback_urls["nxcloud"] = f"http://127.0.0.1:{server.server_port}/"
    made.append("made")
    yield Dialler(voice_emulator)
    made.append("gone")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def lasting():
    made.append("module")
    yield
    made.append("module gone")
"""


#: All in one process: starting it is what costs.
TESTS = """
import pytest
from conftest import made


@pytest.mark.voice_swarm(seeds=4)
def test_looks_up_what_it_missed(dialler, lasting, voice_emulator):
    dialler.call("6281234571171")
    voice_emulator.advance(to="idle", at_most="100h")
    for _ in range(20):  # the records may lag, and the query may fail
        voice_emulator.advance("8h")
        dialler.look_up()


def test_fixtures_were_made_each_time(lasting):
    assert made == ["module", *["made", "gone"] * 5]


@pytest.mark.voice_swarm(seeds=20)
def test_dials_again(dialler):
    if not dialler.call("6281234571171"):
        dialler.call("6281234571171")


@pytest.mark.voice_swarm(seeds=20)
def test_asserts(dialler, voice_emulator):
    assert dialler.call("6281234571171"), "not called"
    voice_emulator.advance(to="idle")
    for _ in range(20):
        voice_emulator.advance("8h")
        dialler.look_up()


@pytest.mark.voice_swarm(seeds=3)
def test_fails_always(dialler):
    assert False, "at once"


@pytest.mark.voice_swarm(seeds=3)
def test_sends_nothing(dialler):
    pass


@pytest.mark.voice_swarm(seeds=3)
def test_takes_no_emulator():
    pass


@pytest.mark.voice_swarm(seed=3)
def test_misspelt(dialler):
    pass


@pytest.mark.voice_swarm(mode="mild")
def test_unknown_mode(dialler):
    pass


@pytest.mark.voice_swarm
def test_skips_itself(dialler):
    pytest.skip("not today")


@pytest.mark.skip(reason="never")
@pytest.mark.voice_swarm
def test_skipped(dialler):
    pass


@pytest.mark.voice_swarm(seeds=3)
def test_broken_fixture(dialler, missing):
    pass
"""


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """What pytest prints about them."""
    project = tmp_path_factory.mktemp("project")
    (project / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (project / "test_client.py").write_text(TESTS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", "-v", "--color=no", str(project)],
        cwd=project, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("VOICE_EMULATOR_")},
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        ("looks_up_what_it_missed", "PASSED"), ("fixtures_were_made_each_time", "PASSED"), ("dials_again", "FAILED"),
        ("asserts", "FAILED"), ("skips_itself", "SKIPPED (not today)"), ("skipped", "SKIPPED (never)"),
        ("broken_fixture", "FAILED"),
    ],
)  # fmt: skip
def test_a_marked_test_has_one_verdict(output, test, verdict):
    lines = [line for line in output.splitlines() if f"::test_{test} " in line and "%]" in line]
    assert [line.partition(f"::test_{test} ")[2].partition("  ")[0] for line in lines] == [verdict]


@pytest.mark.parametrize(
    "lines",
    [
        ["seed *: dialled-again nxcloud gpsend", "*was accepted again*", "name: dialled-again-nxcloud-gpsend"],
        ["seed *: test AssertionError", "AssertionError: not called*"],
        ["without any fault, this already fails: test AssertionError: AssertionError: at once*"],
        ["without any fault, no request reached the tenant*"], ["*takes the fixture voice_emulator"],
        ["*takes seeds and mode by name"], ["*mode is legal or hostile"], ["*fixture 'missing' not found"],
    ],
)  # fmt: skip
def test_what_was_found_is_told(output, lines):
    rest = iter(output.splitlines())
    for pattern in lines:
        assert any(fnmatch(line, pattern) for line in rest), f"{pattern}\n{output}"
