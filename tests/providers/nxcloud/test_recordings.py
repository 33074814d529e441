"""Recordings named in receipts can be fetched, and last as long as the call."""

from __future__ import annotations

import io
import wave

import pytest

from tests.providers.nxcloud.customer import GOOD, Customer
from tests.rig import started

PLAIN = "name: plain\nmagic_numbers: false\nrules: []\n"


async def test_recording_of_a_verification_call() -> None:
    async with started(PLAIN, "manual") as running:
        sent = await Customer(running).ask("versend")
        url = f"{running.url}/voice_record/{sent['messageid']}.wav"
        async with running.client.get(url) as early:
            assert early.status == 404
        await running.settle()
        [push] = running.receiver.received
        assert push.fields["record_url"] == url
        async with running.client.get(url) as reply:
            sound = await reply.read()
        with wave.open(io.BytesIO(sound)) as played:
            assert played.getnframes() / played.getframerate() == int(push.fields["second"])


@pytest.mark.parametrize("operation", ["gpsend", "notsend"])
async def test_calls_without_a_recording_name_none(operation: str) -> None:
    async with started(PLAIN, "manual") as running:
        await Customer(running).ask(operation)
        await running.settle()
        assert "record_url" not in running.receiver.received[0].fields


async def test_address_follows_the_one_the_client_used() -> None:
    async with started(PLAIN, "manual") as running:
        headers = {"Host": "voice.internal:8080"}
        await Customer(running).post("versend", data=GOOD["versend"], headers=headers)
        await running.settle()
        assert (
            running.receiver.received[0]
            .fields["record_url"]
            .startswith("http://voice.internal:8080/voice_record/")
        )
