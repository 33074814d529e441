"""The fixture in one process with the tools that replace time, HTTP, files, threads and event loops."""

from __future__ import annotations

import shlex

import pytest

from tests.plugin.conftest import WITHOUT

pytest_plugins = "pytester"

COMMON = """
import json
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest


def call(voice_emulator, phone="6281200000486", **fields):
    keys = voice_emulator.credentials.nxcloud
    form = {"appkey": keys.appkey, "secretkey": keys.secretkey, "phone": phone, "country_code": "62",
            "show_phone": "1234", "url": "https://x.example/a.m4a", **fields}
    with urlopen(voice_emulator.url + "/api/voiceSms/gpsend", urlencode(form).encode(), timeout=20) as reply:
        return json.load(reply)["code"]


def refused(voice_emulator, path="/apiaccess/rest/voiceNotification/v2/createVoiceNotification", body=b"{}"):
    request = Request(voice_emulator.url + path, body, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=20) as reply:
            return reply.status, dict(reply.headers)
    except HTTPError as error:
        return error.code, dict(error.headers)
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run a test module in a process of its own, with the plugins of those tools."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run(module: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=COMMON + module)
        return pytester.runpytest_subprocess(
            *shlex.split(" ".join(WITHOUT)), "-o", "asyncio_mode=auto", *arguments, timeout=120
        )

    return run


def test_freezegun_does_not_stop_the_emulators_clock(run):
    result = run("""
import time
from datetime import UTC, datetime
from freezegun import freeze_time

real = time.time()

@freeze_time("2020-02-02T00:00:00Z")
def test_frozen(voice_emulator):
    assert datetime.now(UTC).year == 2020
    first = voice_emulator.tenant.now
    assert abs(first.timestamp() - real) < 3600
    assert call(voice_emulator) == "0"
    push = voice_emulator.wait_for_callback(number="6281200000486", timeout=60)
    assert push.at > first
    assert voice_emulator.tenant.now > push.at
    assert voice_emulator.advance is not None

@pytest.mark.voice_emulator(clock="manual")
@freeze_time("2020-02-02T00:00:00Z", tick=True)
def test_ticking(voice_emulator):
    assert call(voice_emulator) == "0"
    voice_emulator.advance("1h")
    assert len(voice_emulator.callbacks()) == 1

@freeze_time("2020-02-02T00:00:00Z")
async def test_in_a_loop(voice_emulator):
    assert (await voice_emulator.aio.verify(exactly=0)).satisfied
""")
    result.assert_outcomes(passed=3)


def test_freezegun_around_running_itself(run):
    result = run("""
from freezegun import freeze_time

@freeze_time("2020-02-02T00:00:00Z")
def test_it():
    import voice_emulator
    with voice_emulator.running() as ve:
        assert ve.tenant.now.year > 2020
        assert call(ve) == "0"
        assert ve.wait_for_callback(number="6281200000486", timeout=60)
""")
    result.assert_outcomes(passed=1)


def test_aioresponses_and_responses_do_not_answer_for_the_emulator(run):
    result = run("""
import responses
from aiohttp import ClientConnectionError, ClientSession
from aioresponses import aioresponses

@pytest.fixture
def mocked():
    with aioresponses() as mocked:
        yield mocked

async def test_aio(mocked, voice_emulator):
    assert (await voice_emulator.aio.verify(exactly=0)).satisfied
    async with ClientSession() as session:
        with pytest.raises(ClientConnectionError):
            await session.get(voice_emulator.url)

@pytest.mark.voice_emulator(clock="manual")
async def test_pushes(mocked, voice_emulator):
    voice_emulator.callback_urls["nxcloud"] = voice_emulator.url + "/nowhere"
    assert call(voice_emulator) == "0"
    await voice_emulator.aio.advance("1h")
    (push,) = voice_emulator.callbacks()
    assert "aioresponses" not in push.reason and "Connection refused" not in push.reason

@responses.activate
def test_responses(voice_emulator):
    assert call(voice_emulator) == "0"
    assert len(voice_emulator.requests()) == 1
""")
    result.assert_outcomes(passed=3)


def test_pyfakefs_hides_the_clients_files_and_not_the_emulators(run):
    result = run("""
import os
from pathlib import Path

def test_everything(fs, voice_emulator):
    assert not Path("/etc/hosts").exists()
    status, headers = refused(voice_emulator)
    assert status == 403 and "Emulator-Error" not in headers
    status, headers = refused(voice_emulator, "/nowhere")
    assert status == 404 and headers["Emulator-Error"].startswith("no provider serves")
    assert call(voice_emulator, phone="x") != "0"
    for name in ("all-busy", "happy-path", "magic-numbers"):
        voice_emulator.load(name)
    voice_emulator.load("name: mine\\nextends: all-busy\\n")
    fs.create_file("/mine.yaml", contents="name: theirs\\n")
    voice_emulator.load(Path("/mine.yaml"))
    assert call(voice_emulator) == "0"
    assert voice_emulator.wait_for_callback(number="6281200000486", timeout=60)
    for path in ("/openapi.json", "/openapi/nxcloud.json", "/v1/scenarios", "/metrics", "/health",
                 "/v1/tenants/default/report?format=html", "/v1/tenants/default/report?format=junit",
                 "/v1/tenants/default/report?format=json"):
        with urlopen(voice_emulator.control_url + path, timeout=20) as reply:
            assert reply.read()
    with pytest.raises(Exception, match="did you mean 'all-busy'"):
        voice_emulator.load("all-bsy")

def test_the_client_writes_where_it_likes(fs, voice_emulator):
    Path("/out").mkdir()
    Path("/out/receipts.txt").write_text("x")
    assert os.listdir("/out") == ["receipts.txt"]
    assert voice_emulator.calls() == []
""")
    result.assert_outcomes(passed=2)


def test_trio_is_not_blocked_unawares(run):
    result = run("""
import trio
from voice_emulator.client import WouldDeadlock

@pytest.mark.voice_emulator(clock="manual")
def test_it(voice_emulator):
    async def main():
        with trio.fail_after(60):
            assert call(voice_emulator) == "0"
            assert len(voice_emulator.requests()) == 1, "what does not wait works"
            for name, arguments in (("advance", ("1h",)), ("wait_for_callback", ()), ("wait_for_callbacks", (1,))):
                with pytest.raises(WouldDeadlock, match="trio.to_thread.run_sync") as caught:
                    getattr(voice_emulator, name)(*arguments)
                assert f"voice_emulator.{name}(" in str(caught.value)
            await trio.to_thread.run_sync(lambda: voice_emulator.advance("1h"))
            assert len(voice_emulator.callbacks()) == 1
    trio.run(main)
    voice_emulator.advance("1s")
""")
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("patch", ["patch_all()", "patch_socket()", "patch_thread()"])
def test_gevent_fails_at_once_and_says_why(run, pytester: pytest.Pytester, patch: str):
    pytester.makeconftest(f"from gevent import monkey\nmonkey.{patch}\n")
    result = run("""
def test_it(voice_emulator):
    raise AssertionError("not reached")

def test_running():
    import voice_emulator
    from voice_emulator.errors import UsageError
    with pytest.raises(UsageError, match="gevent has patched this process.*voice-emulator serve"):
        with voice_emulator.running():
            raise AssertionError("not reached")
""")
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*gevent has patched this process*--voice-emulator-control URL*"])


def test_gevent_that_is_only_imported_is_no_harm(run):
    result = run("""
import gevent, gevent.monkey

def test_it(voice_emulator):
    assert call(voice_emulator) == "0"
""")
    result.assert_outcomes(passed=1)


def test_gevent_with_an_emulator_of_its_own_process(run, pytester: pytest.Pytester):
    pytester.makeconftest("from gevent import monkey\nmonkey.patch_all()\n")
    from tests.cli.process import serving

    with serving() as server:
        result = run(
            """
def test_it(voice_emulator):
    assert call(voice_emulator) == "0"
    assert voice_emulator.wait_for_callback(number="6281200000486", timeout=60)
""",
            f"--voice-emulator-control={server.ready['control']}",
        )
    result.assert_outcomes(passed=1)
