from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.relay.replicas import Pair, pair
from voice_emulator.core.tenants import Tenant


@pytest.fixture
async def two():
    """Two replicas, which own a tenant each and one of them ``default``."""
    async with pair() as made:
        yield made


def requests_of(tenant: Tenant) -> list[Any]:
    """The journal's requests."""
    return [entry.record for entry in tenant.journal if entry.kind == "request"]


async def test_relay_passes_requests_on_to_the_owner_of_their_tenant(two: Pair) -> None:
    for _ in range(3):  # the first opens the connection, the others go over it
        async with two.a.client.post(f"{two.a.url}/api/voiceSms/gpsend", data=two.form("far")) as reply:
            assert (reply.status, (await reply.json())["code"]) == (200, "0")
    far = two.b.emulator.runtime.tenancy.get("far")
    assert far is not None
    assert [record.request.peer for record in requests_of(far)] == ["127.0.0.1"] * 3
    assert two.a.emulator.runtime.relay.counts == {("traffic", "answered"): 3}


async def test_relay_takes_requests_of_unknown_keys_to_the_owner_of_default(two: Pair) -> None:
    for form in ({**two.form("far"), "appkey": "unheard-of"}, {"phone": "1"}):
        replies = []
        for emu in (two.a, two.b):
            async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=form) as reply:
                replies.append((reply.status, await reply.text()))
        assert replies[0] == replies[1]
    assert len(requests_of(two.a.tenant)) == 4
    async with two.b.client.get(f"{two.b.url}/nowhere") as reply:
        assert reply.status == 404
    assert len(requests_of(two.a.tenant)) == 5


async def test_relay_of_the_control_port(two: Pair) -> None:
    for emu in (two.a, two.b):
        async with emu.client.get(f"{emu.control}/v1/tenants/far") as reply:
            assert (await reply.json())["id"] == "far"
        async with emu.client.get(f"{emu.control}/v1/tenants") as reply:
            assert [tenant["id"] for tenant in (await reply.json())["tenants"]] == ["default", "near", "far"]
        async with emu.client.get(f"{emu.control}/v1/nodes") as reply:
            nodes = json.loads(await reply.text())["nodes"]
            assert {node["name"]: node["tenants"] for node in nodes} == {
                "a": ["default", "near"],
                "b": ["far"],
            }


#: Each fault, by the last digit of the number.
FAULTS = """
name: faults
providers:
  nxcloud:
    rules:
      - {name: reset, match: {number: "*0"}, fault: {fault: reset}}
      - {name: empty, match: {number: "*1"}, fault: {fault: empty}}
      - {name: slow, match: {number: "*2"}, fault: {fault: slow_body, bytes: 40, every: 1ms}}
      - {name: truncate, match: {number: "*3"}, fault: {fault: truncate}}
      - {name: garbage, match: {number: "*4"}, fault: {fault: garbage}}
      - {name: html, match: {number: "*5"}, fault: {fault: html_error}}
      - {name: status, match: {number: "*6"}, fault: {fault: {http_status: 503}}}
"""
