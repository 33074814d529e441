"""In a project with its own `emulator` package, the plugin and the client can still be imported."""

from __future__ import annotations

import pytest

pytest_plugins = "pytester"

OWN = "class Phone:\n    ringing = True\n"
TEST = """
from emulator import Phone

import voice_emulator as package
from voice_emulator.client import Client


def test_theirs_is_theirs_and_ours_is_ours(voice_emulator):
    assert Phone.ringing
    assert voice_emulator.credentials.nxcloud.appkey
    with Client(voice_emulator.control_url) as client:
        assert client.health().status == "ok"
    assert package.running
"""


WITH_MODULES = {"emulator/__init__.py": "from emulator.phone import Phone\n", "emulator/phone.py": OWN}
WITH_OUR_NAME = {
    "emulator/__init__.py": OWN,
    "emulator/voice_emulator.py": "raise ImportError('not this one')\n",
}


@pytest.mark.parametrize(
    ("mode", "files"),
    [
        pytest.param("prepend", {"emulator.py": OWN}, id="module"),
        pytest.param("importlib", {"emulator/__init__.py": OWN}, id="package"),
        pytest.param("prepend", WITH_MODULES, id="package-with-modules"),
        pytest.param("prepend", WITH_OUR_NAME, id="package-that-holds-our-name"),
        pytest.param("importlib", WITH_OUR_NAME, id="package-that-holds-our-name-importlib"),
    ],
)
def test_foreign_emulator_beside_the_plugin(run, pytester, files, mode):
    for name in files:
        (pytester.path / name).parent.mkdir(exist_ok=True)
    pytester.path.joinpath("conftest.py").write_text("")
    done = run({**files, "test_it.py": TEST}, f"--import-mode={mode}", "-o", "pythonpath=.")
    done.assert_outcomes(passed=1)
