"""What the page consists of: small, self-contained, and never markup made of data. No browser is needed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.rig import started
from voice_emulator.wire.control.system import PAGE_FOLDER, PAGE_TYPES

#: The one file that is not ours: see docs/page.md, "The editor".
VENDORED = PAGE_FOLDER / "codemirror.js"
FILES = sorted(path for path in PAGE_FOLDER.iterdir() if path != VENDORED)
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
ROOT = Path(__file__).parents[2]
#: Ways from a text to markup or script.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc"
    r"|\beval\(|new Function|setHTML|javascript:|setTimeout\(\s*[\"'`]"
)


def test_all_of_it_is_under_150_kb_without_the_editor():
    assert 0 < sum(path.stat().st_size for path in FILES) < 150_000


def test_the_editor_is_one_file_under_400_kb_with_its_licences():
    text = VENDORED.read_text(encoding="utf-8")
    assert VENDORED.stat().st_size < 400_000
    assert FORBIDDEN.findall(text) == []
    head = text[: text.index("*/")]
    lock = json.loads((ROOT / "vendor" / "codemirror" / "package-lock.json").read_text(encoding="utf-8"))
    inside = re.findall(r"(?m)^  (@?[a-z][^ \n]*) ([0-9.]+)$", head)
    assert "Permission is hereby granted, free of charge" in head
    assert "@codemirror/view" in dict(inside)
    assert len(inside) > 10
    for name, version in inside:
        found = lock["packages"][f"node_modules/{name}"]
        assert (found["version"], found["license"]) == (version, "MIT"), name
    assert "resolved" not in json.dumps(lock), "a registry's address"


def test_the_editor_alone_asks_for_it():
    assert [path.name for path in SCRIPTS if f"/{VENDORED.name}" in path.read_text(encoding="utf-8")] == [
        "editor.js"
    ]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_turns_text_into_markup(path):
    assert FORBIDDEN.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_page_loads_nothing_from_elsewhere(path):
    text = path.read_text(encoding="utf-8")
    addresses = re.findall(r"(?:https?:)?//[a-z0-9][^\s\"'`)<>]*", re.sub(r"(?m)^\s*//.*$", "", text))
    foreign = [one for one in addresses if not one.startswith(("http://www.w3.org/", "http://127.0.0.1"))]
    assert foreign == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_used(path):
    if path.name == "index.html":
        return
    others = "".join(other.read_text(encoding="utf-8") for other in FILES if other != path)
    assert f"/{path.name}" in others


async def test_page_is_served_under_a_strict_policy():
    async with started() as emu:
        for path in ["/", *(f"/ui/{file.name}" for file in FILES)]:
            async with emu.client.get(emu.control + path) as reply:
                assert reply.status == 200
                assert reply.headers["X-Content-Type-Options"] == "nosniff"
                policy = reply.headers["Content-Security-Policy"]
                assert "unsafe" not in policy
                assert "'self'" in policy
                if path != "/":
                    assert reply.headers["Content-Type"] == PAGE_TYPES[path[path.rindex(".") :]]
        for outside in ("/ui/../app.py", "/ui/%2e%2e%2fapp.py", "/ui/nothing.js"):
            async with emu.client.get(emu.control + outside) as reply:
                assert reply.status == 404
