"""The control API's own document: whole, valid, and true."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.examples import RUNS
from tests.rig import started
from tests.wire.api import Api
from voice_emulator.wire.control import waits as control_waits
from voice_emulator.wire.control.routes import control_routes

CONFIG = """
[parameters]
"path.id" = "default"
timeout = "1ms"

# A schema cannot say which scenarios are valid, or which credentials are taken.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 422]
"""


async def test_every_route_is_in_the_document_and_nothing_else(api: Api):
    document = (await api.get("/openapi.json")).json
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    runtime = api.emu.emulator.runtime
    assert described == {(route.method, route.path) for route in control_routes(runtime.providers)}
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": runtime.control}]
    assert {"GET", "POST", "PATCH", "PUT", "DELETE"} == {method for method, _ in described}


async def test_every_schema_in_it_is_one_and_every_reference_leads_somewhere(api: Api):
    document = (await api.get("/openapi.json")).json
    check_references(document, document)
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation["parameters"]:
                jsonschema.Draft202012Validator.check_schema(parameter["schema"])
            for media in operation.get("requestBody", {}).get("content", {}).values():
                jsonschema.Draft202012Validator.check_schema(media["schema"])
                assert "x-checked-by-code" not in str(media["schema"])


def check_references(value: object, document: dict) -> None:
    if isinstance(value, dict):
        target = value.get("$ref")
        if isinstance(target, str):
            found = document
            for part in target.removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
        for member in value.values():
            check_references(member, document)
    elif isinstance(value, list):
        for member in value:
            check_references(member, document)


async def test_settings_are_described_with_their_provenance(api: Api):
    document = (await api.get("/openapi.json")).json
    schemas = document["components"]["schemas"]
    for name, provider in api.emu.emulator.runtime.providers.items():
        reference = schemas["Settings"]["properties"][name]["anyOf"][0]["$ref"]
        described = schemas[reference.rpartition("/")[2]]["properties"]
        assert set(described) == set(provider.settings.settings)
        for setting in described.values():
            assert setting["description"]
            assert setting["x-provenance"] in ("documented", "inferred", "choice")


async def test_each_provider_has_its_document(api: Api):
    for name in api.emu.emulator.runtime.providers:
        assert (await api.get(f"/openapi/{name}.json")).json["openapi"] == "3.1.0"
    missed = await api.get("/openapi/nxclod.json")
    assert (missed.status, "did you mean 'nxcloud.json'?" in missed.json["detail"]) == (404, True)
    assert (await api.get("/openapi/nxcloud")).status == 404


def schemathesis() -> str:
    """The command, beside this interpreter or on the path."""
    beside = Path(sys.executable).with_name("st")
    found = str(beside) if beside.exists() else shutil.which("st")
    assert found, "schemathesis is one of the test requirements"
    return found


async def run_schemathesis(folder: Path, config: str, url: str, *options: str) -> tuple[int, str]:
    """A bounded run with all checks on; exit status and output."""
    (folder / "schemathesis.toml").write_text(config)
    process = await asyncio.create_subprocess_exec(
        schemathesis(), "--config-file", str(folder / "schemathesis.toml"), "run", url, "--seed", "1",
        "--request-timeout", "10", "--no-color", *options, cwd=folder, env={**os.environ,
        "PYTHONWARNINGS": "ignore"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
async def test_schemathesis_finds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: tuple[str, ...]
):
    pytest.importorskip("schemathesis")
    # Generated time-outs would keep the run waiting for minutes.
    monkeypatch.setattr(control_waits, "LONGEST_WAIT", 50_000)
    async with started() as emu:
        # The stream of events never ends, so it is left out.
        status, output = await run_schemathesis(
            tmp_path,
            CONFIG,
            f"{emu.control}/openapi.json",
            *run,
            "--exclude-operation-id",
            "events",
        )
        assert status == 0, output[-8_000:]
        assert (await Api(emu).get("/health")).status == 200
