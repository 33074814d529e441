from __future__ import annotations

import json

import pytest

from tests.cli.process import command, get, serving
from voice_emulator.providers.registry import discover

PROVIDERS = discover()


@pytest.mark.parametrize("which", [*PROVIDERS, "control"])
def test_openapi_prints_the_document_that_a_running_emulator_serves(which):
    done = command("openapi", which)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["openapi"].startswith("3.1.")
    with serving() as server:
        path = "/openapi.json" if which == "control" else f"/openapi/{which}.json"
        served = get(server.ready["control"] + path)
    assert {**printed, "servers": None} == {**served, "servers": None}
    port = 4881 if which == "control" else 4880
    assert printed["servers"] == [{"url": f"http://127.0.0.1:{port}"}]


def test_without_an_argument_it_is_the_control_api():
    assert command("openapi").stdout == command("openapi", "control").stdout


def test_an_unknown_document_is_wrong_usage_and_names_the_nearest():
    done = command("openapi", "huawei")
    assert done.returncode == 2
    assert done.stderr == "Error: there is no document 'huawei'; did you mean 'huawei_cec'?\n"
