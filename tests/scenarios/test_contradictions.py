"""``repeat_set``, over the wire: the repeat of a receipt says something else than its first push."""

from __future__ import annotations

import pytest

from tests.rig import started
from tests.wire.raw import GPSEND

#: Whole days of calls, or thousands at once.
pytestmark = pytest.mark.slow


async def test_the_second_receipt_contradicts_the_first():
    async with started("contradictory-receipts") as emu:
        async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=GPSEND) as reply:
            assert reply.status == 200
        await emu.settle()
        first, second = [push.fields for push in emu.receiver.received]
    assert (first["hangup_cause"], first["second"]) == ("NORMAL_CLEARING", "20")
    assert (second["hangup_cause"], second["second"]) == ("USER_BUSY", "0")
    assert first["messageid"] == second["messageid"]
