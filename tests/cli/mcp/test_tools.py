"""A test client speaks MCP over standard input and output, and places its call by HTTP. It knows nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from tests.patience import PATIENCE
from tests.rig import started
from voice_emulator.cli import commands
from voice_emulator.cli.mcp.tools import Tools
from voice_emulator.client import Client as Control
from voice_emulator.embedded import running

NUMBER = "6281200010000"


@asynccontextmanager
async def agent(*options: str) -> AsyncIterator[Client]:
    server = StdioServerParameters(command=sys.executable, args=["-m", "voice_emulator", "mcp", *options])
    async with Client(server, read_timeout_seconds=PATIENCE) as client:
        yield client


async def use(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    (content,) = result.content
    assert not result.is_error, content.text
    return json.loads(content.text) if content.text[:1] in "{[" else content.text


def post(url: str, form: dict[str, str]) -> Any:
    with urlopen(url, urlencode(form).encode()) as reply:
        return json.load(reply)


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)


async def test_an_agent_goes_from_nothing_to_a_verdict():
    async with agent() as client:
        assert "start_tenant" in str(client.instructions)
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert 10 <= len(tools) <= 15
        for tool in tools.values():
            assert len(tool.description.strip()) > 25
            for name, schema in tool.input_schema.get("properties", {}).items():
                assert schema.get("description"), f"{tool.name} does not say what {name} is"
        assert "## Provider nxcloud" in await use(client, "guide")

        begun = await use(client, "start_tenant")
        tenant = begun["tenant"]
        scenario = "name: mine\nrules:\n  - name: busy\n    call: {outcome: bussy}\n"
        checked = await use(client, "check_scenario", scenario=scenario)
        assert (checked["valid"], "did you mean 'busy'" in checked["findings"][0]) == (False, True)
        assert "bussy" in await refused(client, "load_scenario", tenant=tenant, scenario=scenario)
        right = scenario.replace("bussy", "busy")
        assert (await use(client, "check_scenario", scenario=right))["valid"]
        assert await use(client, "load_scenario", tenant=tenant, scenario=right) == {"scenario": "mine"}

        keys = begun["credentials"]["nxcloud"]
        form = {
            "appkey": keys["appkey"], "secretkey": keys["secretkey"], "phone": "6281200010001",
            "country_code": "62", "show_phone": "123456", "url": "https://files.example/a.mp3",
        }  # fmt: skip
        reply = await asyncio.to_thread(post, begun["traffic"] + "/api/voiceSms/gpsend", form)
        assert reply["code"] == "0"
        assert (await use(client, "verdict", tenant=tenant))["conservation"]["pending"] == 1
        advanced = await use(client, "advance", tenant=tenant)
        assert advanced["complete"]
        (push,) = (await use(client, "list_pushes", tenant=tenant))["pushes"]
        assert push == advanced["pushes"][0]
        assert (push["outcome"], push["fields"]["hangup_cause"]) == ("delivered", "USER_BUSY")
        (call,) = (await use(client, "list_calls", tenant=tenant, number="62812*"))["calls"]
        assert (call["outcome"], call["receipt"]) == ("busy", "delivered")
        verdict = await use(client, "verdict", tenant=tenant)
        assert (verdict["passed"], verdict["findings"], verdict["conservation"]["acknowledged"]) == (
            True,
            [],
            1,
        )
        (request,) = (await use(client, "list_requests", tenant=tenant))["requests"]
        assert "6281200010001" in await use(client, "explain", tenant=tenant, entry=request["id"])
        assert await use(client, "end_tenant", tenant=tenant) == {"deleted": tenant}
        assert f"there is no tenant {tenant!r}" in await refused(client, "verdict", tenant=tenant)


@pytest.fixture
def tools():
    with running() as emulator:
        tools = Tools(emulator.client)
        yield tools


def test_a_verdict_of_a_client_that_did_wrong_or_nothing_is_not_passed(tools: Tools):
    tenant = tools.start_tenant()["tenant"]
    assert not tools.verdict(tenant)["passed"]
    tools.place_test_call(tenant, "nxcloud", NUMBER, {"phone": "1"})
    verdict = tools.verdict(tenant)
    assert not verdict["passed"]
    assert "how to fix it" in verdict["text"]
    (request,) = tools.list_requests(tenant)["requests"]
    assert (request["refused"], request["violations"][0]["place"]) == (True, "/phone")


def test_a_test_call_of_each_provider_is_placed_and_its_lists_hold_the_newest(tools: Tools):
    begun = tools.start_tenant(callback_urls={})
    for provider in begun["credentials"]:
        assert len(tools.place_test_call(begun["tenant"], provider, NUMBER)["calls"]) == 1
    assert tools.list_calls(begun["tenant"])["total"] == 3
    assert tools.advance(begun["tenant"], "5m")["pushes"]


async def test_with_control_the_emulator_that_runs_is_used():
    async with started("name: here\n") as emu, agent("--control", emu.control) as client:
        begun = await use(client, "start_tenant", callback_urls={"nxcloud": emu.receiver.url})
        assert (begun["control"], begun["traffic"]) == (emu.control, emu.url)
        await use(client, "place_test_call", tenant=begun["tenant"], provider="nxcloud", number=NUMBER)
        await use(client, "advance", tenant=begun["tenant"])
        assert len(emu.receiver.received) == 1
        assert "huawei_cec" in await refused(
            client, "place_test_call", tenant=begun["tenant"], provider="huawei", number=NUMBER
        )


def test_without_the_extra_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "voice_emulator.cli.mcp.tools")
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    done = CliRunner().invoke(commands, ["mcp"])
    assert done.exit_code == 2
    assert "pip install 'path/to/voice-emulator[mcp]'" in done.output


@pytest.mark.slow
async def test_a_receiver_is_verified():
    async with started("name: here\n") as emu:
        with Control(emu.control) as control:
            found = await asyncio.to_thread(Tools(control).verify_receiver, emu.receiver.url, "infin8linx")
    assert found["summary"]["passed"] > 10
