"""The emulator in a thread of the caller's own process."""

from __future__ import annotations

import gc
import socket
import threading
from pathlib import Path
from urllib.request import urlopen

import pytest

import voice_emulator
from tests.cost import cpu_below
from tests.patience import PATIENCE
from tests.plugins import install
from voice_emulator.client import NotReady
from voice_emulator.errors import ContractBug, FileError, UsageError

YAML = "name: mine\nclock: manual\nrules:\n  - {call: {outcome: rejected}}\n"


def descriptors() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def test_running_serves_and_leaves_nothing_behind():
    with voice_emulator.running() as first:  # whatever is kept from a first time on, is kept by now
        assert first.client.health().status == "ok"
    threads, open_before = threading.enumerate(), descriptors()
    for _ in range(3):
        with voice_emulator.running(scenario="all-busy") as ve:
            assert ve.scenario == "all-busy"
            assert ve.credentials.nxcloud.appkey == "nx-appkey"
            with pytest.raises(OSError, match="404"):
                urlopen(f"{ve.url}/nowhere", timeout=PATIENCE)
    assert threading.enumerate() == threads
    assert descriptors() == open_before
    with pytest.raises(NotReady):
        ve.client.health()


def test_running_is_ready_in_a_second():
    with voice_emulator.running():
        pass
    with cpu_below(1), voice_emulator.running():
        pass


def test_yaml_text_and_paths_and_options(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(YAML, encoding="utf-8")
    for scenario in (YAML, path, str(path)):
        with voice_emulator.running(
            scenario, seed=7, callback_url="http://127.0.0.1:9/cb", journal_limit=5
        ) as held:
            tenant = held.tenant
            assert (tenant.scenario, tenant.seed, tenant.manual) == ("mine", 7, True)
            assert set(tenant.callback_urls.values()) == {"http://127.0.0.1:9/cb"}
            held.load("happy-path")
            assert held.client.reset("default", to_start=True).scenario == "mine"


@pytest.mark.parametrize(
    ("clock", "shown"),
    [
        ("manual", "manual"),
        ("60x", "60x"),
        ({"mode": "manual", "start": "2026-01-05T09:00:00+08:00"}, "manual"),
    ],
)
def test_the_clock_is_written_as_in_a_scenario(clock, shown):
    with voice_emulator.running(clock=clock) as held:
        assert held.tenant.clock == shown
        if isinstance(clock, dict):
            assert held.tenant.now.isoformat() == "2026-01-05T01:00:00+00:00"
            held.advance("90s")
            assert held.tenant.now.isoformat() == "2026-01-05T01:01:30+00:00"


def test_what_goes_wrong_at_the_start_is_raised_in_the_caller():
    threads = threading.enumerate()
    with pytest.raises(UsageError, match="happy-path"), voice_emulator.running("happy-pathh"):
        pass
    with pytest.raises(FileError), voice_emulator.running("name: bad\nrules:\n  - {call: {outcome: buzy}}\n"):
        pass
    with pytest.raises(UsageError, match="invalid clock 'manuel'"), voice_emulator.running(clock="manuel"):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="cannot listen"), voice_emulator.running(port=port):
            pass
    with pytest.raises(TypeError, match="no_such_option"), voice_emulator.running(no_such_option=1):
        pass
    assert threading.enumerate() == threads


def test_running_stops_when_the_block_raises():
    threads = threading.enumerate()
    with pytest.raises(ZeroDivisionError), voice_emulator.running():
        raise ZeroDivisionError
    assert threading.enumerate() == threads


async def test_running_works_beside_a_running_loop():
    with voice_emulator.running() as held:
        assert (await held.aio.verify(at_most=0)).satisfied


def test_two_run_side_by_side():
    with voice_emulator.running() as one, voice_emulator.running("all-busy") as other:
        assert one.control_url != other.control_url
        assert (one.scenario, other.scenario) == ("happy-path", "all-busy")


def test_a_breach_of_our_own_under_strict_is_told_at_the_end():
    from voice_emulator import embedded

    running = embedded.embedded(strict=True)
    running.start()
    assert running._emulator is not None
    assert running._loop is not None
    running._loop.call_soon_threadsafe(running._emulator.bug_found, "a receipt breaks its schema")
    with pytest.raises(ContractBug, match="a receipt breaks its schema"):
        running.stop()


def test_plugins_are_there_unless_they_are_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    good = "from small import provider\nPROVIDER = provider('good', ('/good', None))\n"
    install(monkeypatch, tmp_path / "site", {"good": good, "bad": "1 / 0\n"})
    with voice_emulator.running() as ve:
        assert ve.credentials.good.key == "good-key"
    with voice_emulator.running(provider_plugins=False) as ve:
        assert "good" not in ve.credentials
    monkeypatch.setenv("VOICE_EMULATOR_NO_PROVIDER_PLUGINS", "1")
    with voice_emulator.running() as ve:
        assert "good" not in ve.credentials
