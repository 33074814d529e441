from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from tests.plugins import install, write
from voice_emulator.errors import UsageError
from voice_emulator.providers.registry import discover, provider_named, receiver_keys


def test_discover_finds_each_folder_that_has_a_provider():
    assert list(discover()) == ["huawei_cec", "infin8linx", "nxcloud"]
    assert all(provider.id == name for name, provider in discover().items())
    # A package of somebody else's; folders without a PROVIDER are passed over.
    assert list(discover("tests.fourth")) == ["tinytel"]
    assert discover("voice_emulator.wire") == {}


def test_provider_named_suggests_the_nearest():
    providers = discover()
    assert provider_named(providers, "nxcloud") is providers["nxcloud"]
    with pytest.raises(UsageError, match="no provider 'nxclod'; did you mean 'nxcloud'"):
        provider_named(providers, "nxclod")


def test_receiver_keys_are_each_given_once():
    keys = list(receiver_keys(discover()))
    assert len(keys) == len(set(keys))
    wanted = {kind.url_key for provider in discover().values() for kind in provider.receipts.values()}
    assert set(keys) == wanted


# --- plug-ins -------------------------------------------------------------------------------------

THREE = ["huawei_cec", "infin8linx", "nxcloud"]


SMALL = "from small import provider\nfrom dataclasses import replace\nPROVIDER = "
#: What is wrong, the entry point's name, its module, and words of the line.
BAD = [
    ("raises", "bad", "raise RuntimeError('two\\nlines')\n", "cannot be imported: RuntimeError: two lines"),
    ("exits", "bad", "import sys\nsys.exit(3)\n", "cannot be imported: SystemExit: 3"),
    ("syntax", "bad", "def\n", "cannot be imported: SyntaxError"),
    ("no module", "bad", "import there_is_no_such_module\n", "cannot be imported: ModuleNotFoundError"),
    ("no value", "bad", "X = 1\n", "cannot be imported: AttributeError"),
    ("no provider", "bad", "PROVIDER = {'id': 'bad'}\n", "leads to dict, not to a Provider"),
    ("api", "bad", SMALL + "replace(provider('bad'), api=2)\n", "made for api 2, this voice-emulator has api 1"),
    ("strange api", "bad", "class PROVIDER:\n    api = '7'\n", "made for api '7', this"),
    ("name", "bad", SMALL + "provider('other')\n", "called 'bad' and its provider 'other'"),
    ("taken id", "nxcloud", SMALL + "provider('nxcloud')\n", "there is a provider 'nxcloud' already"),
    ("reserved id", "control", SMALL + "provider('control')\n", "all and control are taken"),
    ("odd id", "Bad-1", SMALL + "provider('Bad-1')\n", "lower-case letters, digits and _"),
    ("no schemas", "bad", SMALL + "provider('bad', schemas=None)\n", "Provider.schemas names no folder"),
    ("no such folder", "bad", SMALL + "replace(provider('bad'), schemas=__import__('pathlib').Path('/nowhere'))\n",
     "cannot be used: SchemaError"),
    ("taken path", "bad", SMALL + "provider('bad', ('/api/yunhu', None))\n",
     "it and infin8linx both serve /api/yunhu: one of them needs Route.claims"),
    ("unknown operation", "bad", SMALL + "replace(provider('bad'), routes=(__import__('voice_emulator.providers.kit.tables', "
     "fromlist=['x']).route('/bad', 'askk'),))\n", "names 'askk', which it does not have"),
    ("retry word", "bad", SMALL + "provider('bad', retries={'hourly-6': None})\n", "'hourly-6' must be 'bad' or begin"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "source", "line"), [each[1:] for each in BAD], ids=[each[0] for each in BAD]
)
def test_a_plugin_that_cannot_be_used_is_one_line_and_stops_nothing(
    name: str, source: str, line: str, tmp_path: Path, monkeypatch, caplog
):
    install(monkeypatch, tmp_path, {name: source, "good": SMALL + "provider('good', ('/good', None))\n"})
    for _ in range(3):
        assert list(discover()) == [*THREE, "good"], "and it is found the same each time"
    (told,) = caplog.messages
    assert line in told
    assert told.startswith(f"provider plug-in {name!r} (some-plugins) is left out: ")
    assert "\n" not in told


def test_plugins_follow_the_built_in_ones_by_the_names_of_their_entry_points(tmp_path: Path, monkeypatch):
    names = ["zz", "aa", "mm"]
    install(monkeypatch, tmp_path, {name: SMALL + f"provider({name!r})\n" for name in names})
    assert list(discover()) == [*THREE, "aa", "mm", "zz"]
    assert list(discover("tests.fourth")) == ["tinytel"], "another package stands for itself"


@pytest.mark.parametrize(("value", "off"), [("1", True), ("true", True), ("yes", True), ("0", False), ("", False),
                                            ("false", False)])  # fmt: skip
def test_the_variable_switches_plugins_off(value: str, off: bool, tmp_path: Path, monkeypatch, caplog):
    install(monkeypatch, tmp_path, {"good": SMALL + "provider('good')\n", "bad": "1 / 0\n"})
    monkeypatch.setenv("VOICE_EMULATOR_NO_PROVIDER_PLUGINS", value)
    assert list(discover()) == (THREE if off else [*THREE, "good"])
    assert len(caplog.messages) == (0 if off else 1)
    assert list(discover(plugins=False)) == THREE


def test_of_two_plugins_with_one_id_the_earlier_stays(tmp_path: Path, monkeypatch, caplog):
    for name in ("one", "two"):
        monkeypatch.syspath_prepend(
            str(write(tmp_path / name, {"same": SMALL + f"provider('same', title={name!r})\n"}, name=name))
        )
    monkeypatch.setattr("voice_emulator.providers.registry._told", set())
    assert list(discover()) == [*THREE, "same"]
    (told,) = caplog.messages
    assert "there is a provider 'same' already" in told


def test_what_a_plugin_prints_when_it_is_imported_is_not_on_standard_output(
    tmp_path: Path, monkeypatch, capsys
):
    install(monkeypatch, tmp_path, {"good": "print('hello')\n" + SMALL + "provider('good')\n"})
    assert list(discover()) == [*THREE, "good"]
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_the_line_is_logged_where_warnings_are_silenced(tmp_path: Path, monkeypatch, caplog):
    install(monkeypatch, tmp_path, {"bad": "1 / 0\n"})
    monkeypatch.setattr(logging.getLogger(), "level", logging.ERROR)
    discover()
    assert len(caplog.messages) == 1
    assert sys.path[0] == str(tmp_path)
