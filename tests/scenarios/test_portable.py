"""A file that was made fit to be sent says what the file said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.scenarios.test_loader import OURS
from voice_emulator.errors import FileError
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.scenarios.portable import portable

ENVIRON = {"PORT": "9009", "NAME": "from-outside", "DOLLAR": "${PORT}"}


def files(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "child.yaml"


BASE = """\
name: base
description: not inherited
seed: 7
clock: {mode: manual, start: 2026-01-05T09:00:00+08:00}
magic_numbers: false
providers: {nxcloud: {callback_url: "http://127.0.0.1:${PORT}/b", tariff: {cycle: 6}}}
rules:
  - call: {outcome: busy}
  - {name: kept, match: {number: "0123*"}, call: {outcome: no_answer}}
  - {name: replaced, call: {outcome: rejected}}
"""
CHILDREN = {
    "variables": "name: ${NAME}\ndescription: ${NONE:-d} $${PORT} ${DOLLAR}\nseed: 0123\n",
    "an aliased value": "name: x\ndescription: &d ${PORT}\nrules:\n  - {name: *d, call: {outcome: busy}}\n",
    "a shipped base": "name: x\nextends: all-busy\ndescription: ${PORT}\n",
    "a file": "name: x\nextends: base.yaml\n",
    "a file of this folder": "name: x\nextends: ./base.yaml\nrules: []\n",
    "its own rules": "name: x\nextends: base.yaml\nrules:\n  - call: {outcome: busy}\n"
    "  - {name: replaced, call: {outcome: answered, talk: 3s}}\n",
    "its own settings": "name: x\nextends: base.yaml\nseed: 9\nclock: real\n"
    "providers: {nxcloud: {tariff: {price: '1'}}, infin8linx: {callback_url: 'http://127.0.0.1/'}}\n",
    "a chain": "name: x\nextends: middle.yaml\nrules:\n  - {name: kept, call: {outcome: busy}}\n",
    "plain words": "name: x\ndescription: no\nseed: ${SEED:-5}\nmagic_numbers: no\n",
}  # fmt: skip
MIDDLE = "name: middle\nextends: base.yaml\nrules:\n  - receipt: {copies: 2}\n  - {name: kept2, receipt: {lost: true}}\n"


@pytest.mark.parametrize("what", CHILDREN)
def test_portable_document_says_the_same(tmp_path: Path, what: str):
    child = files(tmp_path, child=CHILDREN[what], base=BASE, middle=MIDDLE)
    here = ScenarioLoader(OURS, ENVIRON).file(child)
    there = ScenarioLoader(OURS, {}).sent(portable(child, ENVIRON).decode())
    assert replace(there, text="") == replace(here, text="")


@pytest.mark.parametrize(
    "text",
    [
        "name: x\n",
        "name: x\nextends: all-busy\n",
        "name: [\n",
        "- a\n",
        "",
        "name: x\nname: y\n",
        "name: é\n",
    ],
)
def test_what_needs_nothing_or_cannot_be_read_stays_as_it_is(tmp_path: Path, text: str):
    child = files(tmp_path, child=text)
    assert portable(child, {}) == text.encode()
    child.write_bytes(b"name: \xff ${X}\n")
    assert portable(child, {}) == b"name: \xff ${X}\n"


@pytest.mark.parametrize(
    ("texts", "finding"),
    [
        (
            {"child": "name: x\ndescription: ${MISSING}\n"},
            "child.yaml:2:14: the environment variable MISSING is not set",
        ),
        ({"child": "name: x\nextends: none.yaml\n"}, "child.yaml:2:10: extends: there is no file"),
        ({"child": "name: x\nextends: child.yaml\n"}, "extends runs in a circle"),
        (
            {"child": "name: x\nextends: a.yaml\n", "a": "name: a\nextends: child.yaml\n"},
            "extends runs in a circle",
        ),
        ({"child": "name: x\nextends: a.yaml\n", "a": "name: [\n"}, "a.yaml:1:"),
        ({"child": "name: x\nextends: a.yaml\n", "a": "- b\n"}, "a.yaml:1:1: a scenario is a mapping"),
        (
            {"child": "name: x\nextends: a.yaml\n", "a": "name: a\nseed: ${NO}\n"},
            "a.yaml:2:7: the environment",
        ),
    ],
)
def test_what_is_not_there_is_told_with_its_place(tmp_path: Path, texts: dict[str, str], finding: str):
    with pytest.raises(FileError) as caught:
        portable(files(tmp_path, **texts), {})
    assert finding in str(caught.value.findings[0])


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        portable(tmp_path / "none.yaml", {})


def test_the_client_sends_files_that_way(tmp_path: Path, monkeypatch):
    from voice_emulator.client.operations import scenario_source

    monkeypatch.setenv("PORT", "9009")
    child = files(tmp_path, child="name: x\nextends: base.yaml\n", base=BASE)
    for given in (child, str(child)):
        source = scenario_source(given)[1]
        assert source is not None
        assert json.loads(source)["providers"]["nxcloud"]["callback_url"] == "http://127.0.0.1:9009/b"
