"""The short ways past aiohttp's public face: taken with versions they were tested with, and else done without."""

from __future__ import annotations

import logging

import aiohttp
import pytest

from tests.rig import receiving, started
from tests.wire.raw import GPSEND
from voice_emulator.wire.http import aiohttp_versions as inside
from voice_emulator.wire.http.aiohttp_versions import AT_ONCE, BARE_PUSHES, Inside

NEXT = "99.0.0"


def test_the_aiohttp_of_the_lock_file_or_a_newer_one_is_tested_with():
    """Fails with the first release beyond: test with it, then raise BELOW in emulator/voice_emulator/wire/http/aiohttp_versions.py."""
    assert AT_ONCE.usable()
    assert BARE_PUSHES.usable()


def test_only_versions_it_was_tested_with_count():
    first, beyond = "3.14.4", f"{'.'.join(map(str, inside.BELOW))}.0"
    inside_of = Inside("x", ())
    assert inside_of.usable(first)
    assert inside_of.usable(f"{first}.post1")
    for version in (beyond, NEXT, f"{first}b1", f"{beyond}rc1", "unknown", ""):
        assert not inside_of.usable(version), version


def test_a_tested_version_that_lacks_a_name_does_not_count():
    assert not Inside("x", ((aiohttp.TCPConnector, "no_such_thing"),)).usable()


@pytest.mark.parametrize("off", [(), (AT_ONCE,), (BARE_PUSHES,), (AT_ONCE, BARE_PUSHES)])
async def test_what_is_off_is_logged_once_at_start_and_everything_works(
    off: tuple[Inside, ...], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, inside.__name__)
    off = tuple(short for short in (AT_ONCE, BARE_PUSHES) if short in off or not short.usable())
    monkeypatch.setattr(Inside, "usable", lambda self: self not in off)
    async with receiving() as receiver, started() as emu:
        emu.change({"callback_urls": {"nxcloud": f"{receiver.url}/dr"}})
        async with aiohttp.ClientSession() as client:
            for number in ("6281200010011", "6281200010012"):
                sent = GPSEND | {"phone": number}
                async with client.post(f"{emu.url}/api/voiceSms/gpsend", data=sent) as reply:
                    assert (await reply.json(content_type=None))["code"] == "0"
        attempts = (await emu.advance("1h")).callbacks
        assert [attempt.outcome.value for attempt in attempts] == ["delivered", "delivered"]
    told = [record for record in caplog.records if record.name == inside.__name__]
    assert [record.levelno for record in told] == [logging.INFO] * len(off)
    for record, short in zip(told, off, strict=True):
        assert record.getMessage().startswith(f"{short.what} is off")
        assert aiohttp.__version__ in record.getMessage()
