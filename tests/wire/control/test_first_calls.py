"""The shell lines that the page offers for a first call are run as they are."""

from __future__ import annotations

import asyncio
import shlex
from typing import Any

from tests.wire.api import Api
from voice_emulator.report.curl import quoted

T = "/v1/tenants/default"


async def run(lines: str) -> str:
    """What a shell says to them; the emulator serves meanwhile, in this very loop."""
    process = await asyncio.create_subprocess_exec("sh", "-c", lines, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return said.decode()


def credential(tenant: dict[str, Any], provider: str, path: str) -> str:
    found: Any = tenant["credentials"][provider]
    for name in path.split("."):
        found = found[name]
    return str(found)


async def test_each_places_a_call_and_holds_no_secret(api: Api):
    tenant = (await api.get(T)).json
    offers = (await api.get(f"{T}/place")).json["offers"]
    assert {offer["provider"] for offer in offers} == {"nxcloud", "huawei_cec", "infin8linx"}
    for number, offer in enumerate(offers, 1):
        curl = offer["curl"]
        values = {
            name: credential(tenant, offer["provider"], path) for name, path in curl["variables"].items()
        }
        assert all(value not in "".join(curl["lines"]) for value in values.values()), curl
        said = await run("\n".join([*(f"{n}={shlex.quote(v)}" for n, v in values.items()), *curl["lines"]]))
        calls = (await api.get(f"{T}/calls")).json["calls"]
        assert len(calls) == number, (offer["provider"], offer["operation"], said, curl)
        assert calls[-1]["operation"] == offer["operation"]
    assert (await api.get(f"{T}/violations")).json["violations"] == []


async def test_looking_at_them_changes_nothing(api: Api):
    before = len(api.emu.tenant.tokens)
    await api.get(f"{T}/place")
    assert len(api.emu.tenant.tokens) == before


async def test_a_word_is_quoted_around_its_variables():
    hostile = 'it\'s $(x) __TOKEN__ "y" `z`__NEXT__'
    marks = {"__TOKEN__": "TOKEN", "__NEXT__": "NEXT"}
    said = await run(f"TOKEN=one; NEXT=two; printf %s {quoted(hostile, marks)}")
    assert said == 'it\'s $(x) one "y" `z`two'
