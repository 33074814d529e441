"""Provider plug-ins for tests: installed like any, as a folder of ``sys.path`` with an entry point in it."""

from __future__ import annotations

import json
import tomllib
import zlib
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from voice_emulator.providers import registry

#: A provider of one operation that says who answered.
SMALL = dedent(
    """
    from pathlib import Path
    from voice_emulator.providers.kit.access import by_field, credentials_in
    from voice_emulator.providers.kit.problems import explained, known_tenant
    from voice_emulator.providers.kit.tables import operations
    from voice_emulator.providers.provider import ErrorCode, Provider, Route
    from voice_emulator.providers.request import Operation, json_reply
    from voice_emulator.providers.settings import SettingTable

    def provider(id, *routes, **slots):
        def refuse(request, problem):
            reply = {"by": id, "error": problem.code}
            return json_reply(reply, code=problem.code, refused=True, status=400)

        ask = Operation(
            "ask", "Ask", "page 1", frozenset({"json", "urlencoded", "query"}),
            identify=by_field("key"), authenticate=known_tenant("E1", "key"), explain=explained("E2"),
            answer=lambda request, calls: json_reply({"by": id, "method": request.method}, code="0"),
            methods=frozenset({"GET", "POST"}),
        )
        given = dict(
            id=id, title=id, description="For a test.", operations=operations(id, ask),
            routes=tuple(Route(path, select=lambda request: "ask", operations=("ask",), claims=claims)
                         for path, claims in routes),
            receipts={}, errors=(ErrorCode("auth_failed", "E1", "no"), ErrorCode("invalid_parameter", "E2", "no")),
            default_credentials={"key": f"{id}-key"}, keys=lambda given: [("key", given.get("key") or "")],
            settings=SettingTable(), refuse=refuse, authorise=credentials_in(id, "key"),
            schemas=Path(__file__).parent / "small_schemas",
        )
        return Provider(**(given | slots))
    """
)
ANY = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "examples": [{"key": "k"}],
}


def write(folder: Path, plugins: Mapping[str, str], *, name: str = "some-plugins") -> Path:
    """A distribution in ``folder`` with these entry points, each the source of a module with a ``PROVIDER``.

    A module may say ``from small import provider`` for a provider of one operation. Put the folder on
    ``sys.path`` to have it installed.
    """
    # Modules stay loaded after a test, so those of the next one have other names.
    mark = f"{zlib.crc32(str(folder).encode()):08x}"
    modules = {each: f"plug_{index}_{mark}" for index, each in enumerate(plugins)}
    _register(folder, name, "1.0", {each: f"{module}:PROVIDER" for each, module in modules.items()})
    small = f"small_{mark}"
    (folder / f"{small}.py").write_text(SMALL)
    (folder / "small_schemas").mkdir()
    for part in ("request", "reply"):
        (folder / "small_schemas" / f"ask.{part}.json").write_text(json.dumps(ANY))
    for each, source in plugins.items():
        text = dedent(source).replace("from small import", f"from {small} import")
        (folder / f"{modules[each]}.py").write_text(text)
    return folder


def lay_out(project: Path, site: Path) -> str:
    """Install the distribution in ``project`` by writing into ``site`` what an installer would of its entry points.

    Returns what ``sys.path`` needs, as a text for PYTHONPATH.
    """
    described = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    _register(site, described["name"], described["version"], described["entry-points"][registry.GROUP])
    return f"{site}:{project}"


def _register(folder: Path, name: str, version: str, entries: Mapping[str, str]) -> None:
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{each} = {value}" for each, value in entries.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{registry.GROUP}]", *lines, ""]))


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, plugins: Mapping[str, str]) -> Path:
    """Install these plug-ins in this process, for as long as the test runs."""
    monkeypatch.syspath_prepend(str(write(folder, plugins)))
    monkeypatch.setattr(registry, "_told", set())
    return folder
