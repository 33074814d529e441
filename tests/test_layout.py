"""The layout of source and tests holds; and each check finds what it is for, in a tree made for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import layout
from tests.layout import (
    Tree,
    breaches,
    crowded_rooms,
    import_circles,
    stale_entries,
    untested_modules,
    vague_names,
)


def test_layout_holds():
    found = breaches(Tree())
    assert not found, "\n".join(["the layout is broken (see tests/layout.py):", *found])


def made(
    folder: Path,
    modules: Mapping[str, str],
    tests: Mapping[str, str] | None = None,
    **entries: tuple[str, str],
) -> Tree:
    """A tree of these files. ``entries`` are entries of the list, by module name without ``.py``."""
    for root, files in (("package", modules), ("tests", tests or {})):
        (folder / root).mkdir()
        for name, text in files.items():
            path = folder / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return Tree(
        folder / "package", folder / "tests", {f"{name}.py": entry for name, entry in entries.items()}
    )


def test_module_without_tests_is_named_with_the_file_it_wants(tmp_path: Path):
    tree = made(
        tmp_path,
        {"__init__.py": "", "a.py": "", "b.py": "", "room/__init__.py": "", "room/c.py": "", "room/d.py": ""},
        {"test_a.py": "", "room/test_d.py": "", "test_c.py": "", "test_x.py": ""},
        b=("test_a.py", "it is data"),
    )
    (found,) = untested_modules(tree)
    assert found.startswith("room/c.py has no tests: write tests/room/test_c.py")
    assert list(stale_entries(tree)) == []


@pytest.mark.parametrize(
    ("module", "entry", "says"),
    [
        ("gone", ("test_a.py", "data"), "no such module"),
        ("a", ("test_a.py", "data"), "has a test file of its own"),
        ("b", ("test_b.py", "data"), "names test_b.py, which is not a file"),
        ("b", ("test_a.py", " "), "gives no reason"),
    ],
)
def test_stale_entry_is_found(tmp_path: Path, module: str, entry: tuple[str, str], says: str):
    tree = made(tmp_path, {"a.py": "", "b.py": ""}, {"test_a.py": ""}, **{module: entry})
    (found,) = stale_entries(tree)
    assert says in found


def test_crowded_room_is_found_and_core_may_be_one(tmp_path: Path):
    full = {f"room/m{number}.py": "" for number in range(layout.ROOM_LIMIT)} | {"room/__init__.py": ""}
    flat = {f"core/m{number}.py": "" for number in range(layout.ROOM_LIMIT + 1)}
    # What is in a room of its own does not count for the room around it.
    below = {f"room/below/m{number}.py": "" for number in range(2)}
    tree = made(tmp_path, full | flat | below)
    assert list(crowded_rooms(tree)) == []
    (tree.package / "room" / "one_more.py").touch()
    (found,) = crowded_rooms(tree)
    assert found.startswith(f"room holds {layout.ROOM_LIMIT + 1} modules")


@pytest.mark.parametrize(
    ("a", "b", "circle"),
    [
        ("import package.b", "import package.a", True),
        ("from package.b import B", "from package.a import A", True),
        ("from package import b", "from package import a", True),
        ("import package.b as other", "from package.a import A as a", True),
        ("from package.b import *", "from package.a import *", True),
        (
            "import package.b",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import package.a",
            True,
        ),
        ("try:\n    import package.b\nexcept ImportError:\n    pass", "import package.a", True),
        ("try:\n    x = 1\nexcept ImportError:\n    import package.b", "import package.a", True),
        ("if True:\n    pass\nelse:\n    import package.b", "class X:\n    import package.a", True),
        (
            "with open('x') as f:\n    import package.b",
            "match 1:\n    case 1:\n        import package.a",
            True,
        ),
        ("import package.b", "def later():\n    import package.a", False),
        ("import package.b", "async def later():\n    import package.a", False),
        ("import package.b", "class X:\n    def later(self):\n        import package.a", False),
        ("import package.b", "'import package.a'", False),
        ("import package.b", "import a", False),
        ("import package.a", "", False),
    ],
)
def test_import_circle_is_found_at_module_level(tmp_path: Path, a: str, b: str, circle: bool):
    tree = made(tmp_path, {"__init__.py": "", "a.py": a, "b.py": b})
    assert list(import_circles(tree)) == (
        ["import circle: package.a -> package.b -> package.a"] if circle else []
    )


def test_import_circles_are_found_whole_apart_and_through_packages(tmp_path: Path):
    tree = made(
        tmp_path,
        {
            "__init__.py": "",
            "a.py": "import package.b",
            "b.py": "import package.c",
            "c.py": "import package.a, package.d",
            "d.py": "import package.room",
            "room/__init__.py": "from package.room import x",
            "room/x.py": "from package.room import VALUE",
        },
    )
    assert list(import_circles(tree)) == [
        "import circle: package.a -> package.b -> package.c -> package.a",
        "import circle: package.room -> package.room.x -> package.room",
    ]


def test_import_circle_is_shown_by_its_shortest_way_round(tmp_path: Path):
    tree = made(
        tmp_path,
        {"a.py": "import package.b", "b.py": "import package.c", "c.py": "import package.d",
         "d.py": "import package.c, package.a"},
    )  # fmt: skip
    (found,) = import_circles(tree)
    assert found == "import circle: package.c -> package.d -> package.c (4 modules are in circles with these)"


@pytest.mark.parametrize(
    ("code", "vague"),
    [
        ("def test_it_works(): ...", "it"),
        ("async def test_nothing_is_lost(): ...", "nothing"),
        ("class TestX:\n    def test_everything(self): ...", "everything"),
        ("def test_item_works(): ...", None),
        ("def test_a_clock_moves(): ...", None),
        ("def it_works(): ...", None),
        ("TEXT = '''def test_it(): ...'''", None),
    ],
)
def test_vague_name_is_found(tmp_path: Path, code: str, vague: str | None):
    found = list(vague_names(made(tmp_path, {}, {"room/test_a.py": code})))
    assert len(found) == (1 if vague else 0)
    if vague:
        assert "tests/room/test_a.py" in found[0]
        assert f"with {vague!r}" in found[0]


def test_breaches_come_all_at_once_and_make_the_exit_status_1(tmp_path: Path, monkeypatch, capsys):
    tree = made(
        tmp_path,
        {"a.py": "import package.b", "b.py": "import package.a"},
        {"test_b.py": "def test_it(): ..."},
        gone=("test_b.py", "x"),
    )
    assert len(breaches(tree)) == 4
    monkeypatch.setattr(layout, "Tree", lambda: tree)
    assert layout.main() == 1
    assert len(capsys.readouterr().err.splitlines()) == 4
    clean = tmp_path / "clean"
    clean.mkdir()
    monkeypatch.setattr(layout, "Tree", lambda: made(clean, {}))
    assert layout.main() == 0
