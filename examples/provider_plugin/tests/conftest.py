"""The plug-in as its users have it: installed. In a checkout where it is not, its folder stands in for that."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

GROUP = "voice_emulator.providers"
ROOT = Path(__file__).parents[1]


def lay_out(folder: Path) -> list[str]:
    """Write into ``folder`` what an installer would of the entry points; returns what ``sys.path`` needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    lines = [f"{name} = {value}" for name, value in project["entry-points"][GROUP].items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    return [str(folder), str(ROOT)]


@pytest.fixture(scope="module", autouse=True)
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if not entry_points(group=GROUP, name="aliyun_vms"):
            patch.setattr(sys, "path", [*lay_out(tmp_path_factory.mktemp("site")), *sys.path])
        yield
