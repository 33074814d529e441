"""What is no HTTP: refused in one line on both ports, and the server goes on."""

from __future__ import annotations

import pytest

from tests.rig import started
from tests.wire.raw import form_request, talk


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /api/voiceSms/gpsend HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
        b"POST /api/voiceSms/gpsend HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_an_unreadable_head_is_our_own_failure_in_one_line(raw: bytes, caplog):
    async with started() as emu:
        for base in (emu.url, emu.control):
            answer = await talk(base, raw)
            assert answer.head.split(b" ")[1] == b"400"
            assert b"\r\nEmulator-Error: " in answer.head
            assert answer.body
        told = [record for record in caplog.records if "invalid HTTP" in record.getMessage()]
        assert len(told) == 2
        assert all(
            "gpsend" not in record.getMessage() and "xxx" not in record.getMessage() for record in told
        )
        assert all("\n" not in record.getMessage() and record.exc_info is None for record in told)
        # It still serves.
        assert (await talk(emu.url, form_request())).head.startswith(b"HTTP/1.1 200")
