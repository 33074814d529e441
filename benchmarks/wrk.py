"""The load by wrk, where it is installed: it costs the machine less than any load written in Python."""

from __future__ import annotations

import asyncio
import json
import shutil
from itertools import chain
from pathlib import Path

from benchmarks.ceilings import CONNECTIONS
from benchmarks.load import Load
from benchmarks.requests import Kind
from benchmarks.rows import expect

_SCRIPT = Path(__file__).with_name("wrk.lua")


def wrk_is_installed() -> bool:
    """Whether there is a wrk on the PATH."""
    return shutil.which("wrk") is not None


async def send_by_wrk(
    port: int, seconds: int, kind: Kind, first: int, expected: str, connections: int = CONNECTIONS
) -> Load:
    """Requests of ``kind`` from ``first`` on, for so many seconds. Raises RuntimeError for an answer that failed.

    What is on the wire at the end is cut off: up to as many requests as there are connections are carried out and
    not counted.
    """
    process = await asyncio.create_subprocess_exec(
        "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--script", str(_SCRIPT),
        f"http://127.0.0.1:{port}", "--", kind.path, kind.body, str(first), expected,
        "Content-Type", kind.content_type, *chain.from_iterable(kind.headers), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    expect(process.returncode == 0, f"wrk ended with {process.returncode}: {said.decode()[-300:]}")
    told = json.loads(said.decode().splitlines()[-1])
    expect(told["failed"] == 0, f"wrk had {told['failed']} connections fail")
    return Load(told["answered"], told["microseconds"] / 1e6, told["wrong"])
