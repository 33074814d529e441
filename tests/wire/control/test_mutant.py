from __future__ import annotations

import pytest

from tests.rig import started
from tests.scenarios.day import Customer

ROUTE = "/v1/mutant"


async def test_the_mutant_is_put_in_force_over_the_control_port_and_counts_anew():
    async with started("happy-path") as emu:

        async def put(document, status=200):
            async with emu.client.put(emu.control + ROUTE, json=document) as reply:
                assert reply.status == status
                return await reply.json()

        async def get():
            async with emu.client.get(emu.control + ROUTE) as reply:
                return await reply.json()

        none = {"name": None, "provider": None, "acted": 0, "requests": {}}
        assert await get() == none
        wanted = {"name": "receipt-lost", "provider": "nxcloud"}
        assert await put(wanted) == {**none, **wanted}
        await Customer(emu).group_call("62811111")
        await emu.settle()
        assert emu.receiver.received == []
        assert await get() == {**wanted, "acted": 1, "requests": {"nxcloud": 1}}
        problem = await put({"name": "receipt-lots"}, 422)
        assert "did you mean 'receipt-lost'" in problem["errors"][0]["message"]
        assert (await get())["acted"] == 1
        assert await put({"name": None}) == none
        await Customer(emu).group_call("62822222")
        await emu.settle()
        assert len(emu.receiver.received) == 1


@pytest.mark.parametrize(
    "document", [{}, {"name": ""}, {"name": 1}, {"name": "receipt-lost", "provider": "nxclod"}]
)
async def test_a_document_of_another_shape_is_refused(document):
    async with (
        started("happy-path") as emu,
        emu.client.put(emu.control + ROUTE, json=document) as reply,
    ):
        assert reply.status == 422
