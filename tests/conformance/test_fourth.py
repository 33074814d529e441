"""A fourth provider is one folder: laid beside the three, every part of the emulator knows it."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import jsonschema
import pytest

import voice_emulator.providers
from tests.rig import started
from voice_emulator.errors import SchemaError
from voice_emulator.providers.registry import discover

THREE = {"nxcloud", "huawei_cec", "infin8linx"}


@pytest.fixture
def four(monkeypatch):
    """The package of the providers with one folder more."""
    folder = str(Path(__file__).parents[1] / "fourth")
    monkeypatch.setattr(voice_emulator.providers, "__path__", [*voice_emulator.providers.__path__, folder])


def test_fourth_provider_is_found(four):
    assert set(discover()) == {*THREE, "tinytel"}


def test_two_operations_and_a_receipt_need_no_more_than_120_lines():
    """Beside its schemas; with everything that a wheel of its own would ship."""
    folder = Path(__file__).parents[1] / "fourth" / "tinytel"
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in folder.rglob("*.py")) <= 120


SCENARIO = """\
name: for-the-fourth
description: It knows the fourth provider's operations, fields, errors and settings.
providers:
  tinytel: {greeting: good evening, credentials: {key: other-key}}
rules:
  - name: busy
    match: {provider: tinytel, operation: dial, fields: {to: "*7"}}
    call: {outcome: busy}
  - name: refused
    match: {operation: dial, number: "*8"}
    reply: {error: auth_failed}
  - name: twice
    match: {provider: tinytel, number: "*9"}
    receipt: {copies: 2, set: {greeting: again}}
"""


async def test_fourth_provider_works_beside_the_others(four):
    async with started(SCENARIO) as emu:
        assert set(emu.tenant.credentials) == {*THREE, "tinytel"}

        async def ask(operation: str, **fields: str) -> tuple[int, dict]:
            url = f"{emu.url}/tinytel/{operation}"
            async with emu.client.post(url, data={"key": "other-key", **fields}) as reply:
                return reply.status, await reply.json()

        assert (await ask("dial", to="10007"))[0] == 200
        assert await ask("dial", to="10008") == (400, {"error": "E1", "why": "rule 'refused' says so"})
        assert (await ask("dial", to="1x"))[1]["error"] == "E2"
        assert (await ask("dial", to="10009"))[0] == 200
        assert (await ask("dial", to="10001", key="nobody's"))[1]["error"] == "E1"
        await emu.settle()
        told = [
            (push.fields["to"], push.fields["outcome"], push.fields["greeting"])
            for push in emu.receiver.received
        ]
        assert told == [
            ("10007", "busy", "good evening"), ("10009", "answered", "again"), ("10009", "answered", "again"),
        ]  # fmt: skip
        assert [call["to"] for call in (await ask("calls"))[1]["calls"]] == ["10007", "10009"]


async def test_the_control_api_knows_it(four):
    async with started() as emu:

        async def get(path: str):
            async with emu.client.get(emu.control + path) as reply:
                assert reply.status == 200
                return await reply.json()

        tenant = await get("/v1/tenants/default")
        assert tenant["credentials"]["tinytel"] == {"key": "tiny-key"}
        assert tenant["settings"]["tinytel"] == {"greeting": "hello"}
        document = await get("/openapi/tinytel.json")
        assert set(document["paths"]) == {"/tinytel/dial", "/tinytel/calls"}
        assert set(document["webhooks"]) == {"ended"}
        change = {
            "settings": {"tinytel": {"greeting": "hi"}},
            "callback_urls": {"tinytel": "http://127.0.0.1:1/"},
        }
        async with emu.client.patch(f"{emu.control}/v1/tenants/default", json=change) as reply:
            changed = await reply.json()
            assert changed["settings"]["tinytel"] == {"greeting": "hi"}
        # What the control API says of itself holds for the fourth provider too.
        control = await get("/openapi.json")
        schema = control["paths"]["/v1/tenants/{id}"]["patch"]["requestBody"]["content"]["application/json"][
            "schema"
        ]
        jsonschema.Draft202012Validator({**schema, "components": control["components"]}).validate(change)
        async with emu.client.post(
            f"{emu.url}/tinytel/dial", json={"key": "tiny-key", "to": "55555"}
        ) as reply:
            assert reply.status == 200
        await emu.settle()
        (call,) = (await get("/v1/tenants/default/calls?provider=tinytel"))["calls"]
        assert (call["number"], call["outcome"], call["state"]) == ("55555", "answered", "ended")
        report = await get("/v1/tenants/default/report")
        assert report["conservation"]["providers"]["tinytel"]["accepted"] == 1


async def test_without_its_schemas_it_stops_the_process(four, monkeypatch):
    tinytel = import_module("voice_emulator.providers.tinytel")
    monkeypatch.setattr(tinytel, "PROVIDER", replace(tinytel.PROVIDER, schemas=None))
    with pytest.raises(SchemaError, match="tinytel"):
        async with started():
            pass
