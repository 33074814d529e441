"""The environment of the emulator stays its own: no text that comes over HTTP reads it, in any format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rig import Running, started
from tests.wire.api import Api, Reply
from voice_emulator.settings import Options

VALUE = "s3cr3t-of-the-machine"
#: Where a value of the environment could come out again: the scenario, the tenant, a push, a report.
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "description": lambda text: {"name": "x", "description": text},
    "name": lambda text: {"name": text},
    "seed": lambda text: {"name": "x", "seed": text},
    "extends": lambda text: {"name": "x", "extends": text},
    "clock": lambda text: {"name": "x", "clock": text},
    "callback_url": lambda text: {
        "name": "x", "providers": {"nxcloud": {"callback_url": f"http://127.0.0.1:9/{text}"}}
    },
    "credentials": lambda text: {
        "name": "x", "providers": {"nxcloud": {"credentials": {"appkey": text, "secretkey": "0123456789"}}}
    },
    "setting": lambda text: {"name": "x", "providers": {"huawei_cec": {"shared_key": text}}},
    "rule": lambda text: {"name": "x", "rules": [{"name": text, "call": {"outcome": "busy"}}]},
    "match": lambda text: {"name": "x", "rules": [{"match": {"fields": {"ext": text}}, "call": "busy"}]},
    "reply": lambda text: {"name": "x", "rules": [{"reply": {"status": 200, "body": text}}]},
    "receipt": lambda text: {"name": "x", "rules": [{"receipt": {"set": {"ext": text}}}]},
}  # fmt: skip


async def put_yaml(api: Api, document: dict[str, Any]) -> Reply:
    headers = {"Content-Type": "application/yaml"}
    return await api("PUT", "/v1/tenants/default/scenario", data=yaml.safe_dump(document), headers=headers)


async def put_bare(api: Api, document: dict[str, Any]) -> Reply:
    return await api("PUT", "/v1/tenants/default/scenario", data=yaml.safe_dump(document).encode())


async def put_json(api: Api, document: dict[str, Any]) -> Reply:
    return await api("PUT", "/v1/tenants/default/scenario", document)


async def post_text(api: Api, document: dict[str, Any]) -> Reply:
    return await api.post("/v1/tenants", {"id": "t", "scenario_yaml": yaml.safe_dump(document)})


async def post_json_text(api: Api, document: dict[str, Any]) -> Reply:
    return await api.post("/v1/tenants", {"id": "t", "scenario_yaml": json.dumps(document)})


WAYS = [put_yaml, put_bare, put_json, post_text, post_json_text]


async def everything_shown(api: Api) -> str:
    texts = [(await api.get("/v1/tenants")).text]
    for tenant in [each["id"] for each in json.loads(texts[0])["tenants"]]:
        paths = ("", "/scenario", "/journal", "/report?format=json")
        texts += [(await api.get(f"/v1/tenants/{tenant}{path}")).text for path in paths]
    return "".join(texts)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "reference", ["${OWN_SECRET}", "${OWN_SECRET:-d}", "a${OWN_SECRET}b", "${OWN_SECRE}"]
)
async def test_no_scenario_that_is_sent_reads_the_environment(monkeypatch, way, place: str, reference: str):
    monkeypatch.setenv("OWN_SECRET", VALUE)
    async with started() as emu:
        api = Api(emu)
        reply = await way(api, PLACES[place](reference))
        said = reply.text + await everything_shown(api)
        assert VALUE not in said
        if ":-" not in reference:
            assert reply.status == 422
            assert "OWN_SECRET" not in reply.text.replace(reference.strip("ab${}"), "")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_default_stands_where_the_variable_is_set_as_well(monkeypatch, way):
    monkeypatch.setenv("OWN_SECRET", VALUE)
    async with started(receive=False) as emu:
        reply = await way(Api(emu), PLACES["callback_url"]("${OWN_SECRET:-dr}"))
        assert reply.status in (200, 201)
        assert reply.json["callback_urls"]["nxcloud"] == "http://127.0.0.1:9/dr"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_name_that_the_user_allows_is_filled_in(monkeypatch, way):
    monkeypatch.setenv("OWN_PORT", "9009")
    async with started(receive=False, scenario_env=("OWN_PORT",)) as emu:
        reply = await way(Api(emu), PLACES["callback_url"]("${OWN_PORT}"))
        assert reply.status in (200, 201)
        assert reply.json["callback_urls"]["nxcloud"] == "http://127.0.0.1:9/9009"


@pytest.mark.parametrize("environment", [{}, {"OWN_SECRET": VALUE}])
async def test_whether_a_variable_is_set_is_not_told(monkeypatch, environment: dict[str, str]):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with started() as emu:
        reply = await put_yaml(Api(emu), {"name": "x", "description": "${OWN_SECRET}"})
        (error,) = reply.json["errors"]
        assert error["message"] == (
            "${OWN_SECRET} has no value in a scenario sent over HTTP; write ${OWN_SECRET:-default}, or start the "
            "emulator with --scenario-env OWN_SECRET (and OWN_SECRET set)"
        )


async def test_the_file_of_the_command_line_has_all_of_it(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("OWN_SECRET", VALUE)
    path = tmp_path / "scenario.yaml"
    path.write_text("name: own\ndescription: ${OWN_SECRET}\n")
    async with started(str(path)) as emu:
        assert emu.emulator.runtime.start_scenario.description == VALUE
        reply = await put_yaml(Api(emu), {"name": "x", "extends": str(path)})
        assert reply.status == 422
        assert VALUE not in reply.text


async def test_what_was_sent_is_still_without_it_after_a_restart(monkeypatch, tmp_path: Path):
    """The state file holds the text as it came; what reads it again must know that it came over HTTP."""
    monkeypatch.setenv("OWN_SECRET", VALUE)
    state = tmp_path / "state.db"

    def url(emu: Running) -> str | None:
        tenant = emu.emulator.runtime.tenancy.get("t")
        return tenant.callback_urls.get("nxcloud")

    async with started(state=state, receive=False) as emu:
        assert (await post_text(Api(emu), PLACES["callback_url"]("${OWN_SECRET:-dr}"))).status == 201
        before = url(emu)
    async with started(state=state, receive=False) as emu:
        assert url(emu) == before == "http://127.0.0.1:9/dr"


def test_defaults_allow_nothing():
    assert Options().scenario_env == ()
