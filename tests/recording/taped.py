"""Recordings of the emulator, for tests: a run of a client, by its journal's archive."""

from __future__ import annotations

import json
from pathlib import Path

from tests.rig import Running
from voice_emulator.providers.registry import discover
from voice_emulator.recording.bundle import Recording, read, write
from voice_emulator.recording.exchanges import Reader
from voice_emulator.recording.imports import from_har
from voice_emulator.recording.masking import Masking

READER = Reader(discover())


async def taped(running: Running, folder: Path, own: str = "62812*") -> Recording:
    """What the journal of the tenant ``default`` has, as a bundle that was written and read again."""
    async with running.client.get(f"{running.control}/v1/tenants/default/har") as reply:
        (folder / "journal.har").write_bytes(await reply.read())
    exchanges, _ = from_har(folder / "journal.har", READER)
    write(folder / "x.vrec", exchanges, Masking(READER, [own]), [own])
    return read(folder / "x.vrec")


def json_bytes(value: object) -> bytes:
    """A JSON body."""
    return json.dumps(value).encode()
