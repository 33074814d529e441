"""What the page consists of: small, self-contained, and never markup made of data. No browser is needed."""

from __future__ import annotations

import re

import pytest

from tests.rig import started
from voice_emulator.wire.control.system import PAGE_FOLDER, PAGE_TYPES

FILES = sorted(PAGE_FOLDER.iterdir())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
#: Ways from a text to markup or script.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc"
    r"|\beval\(|new Function|setHTML|javascript:|setTimeout\(\s*[\"'`]"
)


def test_all_of_it_is_under_100_kb():
    assert 0 < sum(path.stat().st_size for path in FILES) < 100_000


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_turns_text_into_markup(path):
    assert FORBIDDEN.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere(path):
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


async def test_it_is_served_under_a_strict_policy():
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
