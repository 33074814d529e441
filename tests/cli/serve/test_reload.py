from __future__ import annotations

import json
import signal
import sys
import time

import pytest

from tests.cli.process import get, running, serving
from tests.patience import PATIENCE
from voice_emulator.app import Emulator
from voice_emulator.cli.serve.reload import file_of, reload
from voice_emulator.resources import data_path
from voice_emulator.settings import Options


def test_a_changed_file_is_reloaded_and_a_broken_one_is_not(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: first\n")
    with serving("--scenario", path, "--watch") as server:
        server.log.wait_for("watching ")
        health = server.ready["control"] + "/health"
        path.write_text("name: second\nrulez: []\n")
        server.log.wait_for(f"{path}:2:1: unknown key 'rulez'")
        server.log.wait_for("the last good scenario stays")
        assert get(health)["scenario"] == "first"
        # As editors do it: a new file takes the place of the old one.
        (tmp_path / "new").write_text("name: third\n")
        (tmp_path / "new").rename(path)
        server.log.wait_for("reloaded mine.yaml: scenario third")
        assert get(health)["scenario"] == "third"


@pytest.mark.parametrize("folder", [".", "shared"])
def test_a_change_of_what_it_extends_counts(tmp_path, folder: str):
    base, path = tmp_path / folder / "base.yaml", tmp_path / "mine.yaml"
    base.parent.mkdir(exist_ok=True)
    base.write_text("name: base\nseed: 5\n")
    path.write_text(f"name: mine\nextends: {folder}/base.yaml\n")
    with serving("--scenario", path, "--watch") as server:
        server.log.wait_for("watching ")
        assert get(server.ready["control"] + "/v1/tenants/default")["seed"] == 5
        base.write_text("name: base\nseed: 6\n")
        server.log.wait_for("reloaded mine.yaml")
        assert get(server.ready["control"] + "/v1/tenants/default")["seed"] == 6


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
@pytest.mark.parametrize("base", [False, True], ids=["scenario", "what it extends"])
def test_a_config_map_that_is_swapped_is_reloaded(tmp_path, base: bool):
    """Kubernetes mounts a ConfigMap as links to ..data, a link to a folder that is replaced as a whole."""
    mount = tmp_path / "mount"
    mount.mkdir()

    def swap(version: int) -> None:
        folder = mount / f"..2026_01_0{version}"
        folder.mkdir()
        for name in ("mine.yaml", "base.yaml"):
            extends = "extends: base.yaml\n" if name == "mine.yaml" else f"seed: {version}\n"
            (folder / name).write_text(f"name: {name[:4]}\n{extends}")
        (mount / "..data_tmp").symlink_to(folder.name)
        (mount / "..data_tmp").rename(mount / "..data")
        for old in mount.glob("..2026*"):
            if old != folder:
                for file in old.iterdir():
                    file.unlink()
                old.rmdir()

    swap(1)
    for name in ("mine.yaml", "base.yaml"):
        (mount / name).symlink_to(f"..data/{name}")
    with serving("--scenario", mount / ("mine.yaml" if base else "base.yaml"), "--watch") as server:
        server.log.wait_for("watching ")
        for version in (2, 3):
            swap(version)
            # Once for each swap.
            server.log.wait_for(
                lambda line, v=version: (
                    "reloaded" in line and sum("reloaded" in each for each in server.log.lines) >= v - 1
                )
            )
            assert get(server.ready["control"] + "/v1/tenants/default")["seed"] == version


@pytest.fixture
def emulator(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: first\n")
    return Emulator(Options(scenario=str(path), port=0, control_port=0))


def test_a_file_saved_without_a_change_leaves_the_tenant_alone(emulator, tmp_path):
    tenant = emulator.runtime.tenancy.default
    before = tenant.rules
    reload(emulator, tmp_path / "mine.yaml")
    assert tenant.rules is before


def test_a_reloaded_scenario_is_also_the_one_to_restart_with(emulator, tmp_path):
    (tmp_path / "mine.yaml").write_text("name: second\n")
    reload(emulator, tmp_path / "mine.yaml")
    assert emulator.runtime.tenancy.default.scenario.name == "second"
    assert emulator.runtime.start_scenario.name == "second"


@pytest.mark.parametrize("text", [None, "", "name: first\nproviders: {nxcloud: {credentials: 3}}\n"])
def test_a_file_that_cannot_be_used_keeps_the_last_good_one(emulator, tmp_path, caplog, text):
    path = tmp_path / "mine.yaml"
    path.unlink() if text is None else path.write_text(text)
    reload(emulator, path)
    assert emulator.runtime.tenancy.default.scenario.name == "first"
    assert "the last good scenario stays" in caplog.text


def test_a_shipped_scenario_has_a_file_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert file_of("happy-path") == data_path("scenarios", "happy-path.yaml")


@pytest.mark.parametrize("name", ["mine.yaml", "mine"])
def test_a_log_in_the_same_folder_does_not_feed_on_itself(tmp_path, name: str):
    path, log = tmp_path / name, tmp_path / "emulator.log"
    path.write_text("name: first\n")
    options = (
        "serve",
        "--port",
        0,
        "--control-port",
        0,
        "--scenario",
        path,
        "--watch",
        "--log-format",
        "json",
    )
    with log.open("wb") as stream, running(*options, stderr=stream.fileno()) as server:
        health = json.loads(server.out.wait_for('"ready"'))["control"] + "/health"
        for scenario in ("second", "third"):
            path.write_text(f"name: {scenario}\n")
            deadline = time.monotonic() + PATIENCE
            while get(health)["scenario"] != scenario:
                assert time.monotonic() < deadline
        assert server.stop(signal.SIGTERM) == 0
    lines = [json.loads(line)["message"] for line in log.read_text().splitlines()]
    assert [line.split(" ")[0] for line in lines] == [
        "traffic",
        "watching",
        "reloaded",
        "reloaded",
        "stopping",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_a_link_is_followed_to_what_it_leads_to_now(tmp_path):
    elsewhere = [tmp_path / "a" / "real.yaml", tmp_path / "b" / "other.yaml"]
    for number, file in enumerate(elsewhere):
        file.parent.mkdir()
        file.write_text(f"name: at-{number}\n")
    path = tmp_path / "watched" / "mine.yaml"
    path.parent.mkdir()
    path.symlink_to(elsewhere[0])
    with serving("--scenario", path, "--watch") as server:
        server.log.wait_for("watching ")
        elsewhere[0].write_text("name: changed\n")
        server.log.wait_for("reloaded mine.yaml: scenario changed")
        (path.parent / "new").symlink_to(elsewhere[1])
        (path.parent / "new").rename(path)
        server.log.wait_for("reloaded mine.yaml: scenario at-1")
        elsewhere[1].write_text("name: changed-too\n")
        server.log.wait_for("reloaded mine.yaml: scenario changed-too")
