"""``python -m benchmarks``: ours against the ceilings. ``peers`` and ``soak`` measure the other things.

``page`` measures nothing: it puts the tables that ``ours`` and ``peers`` have written into docs/performance.md.

Ratios of interleaved rounds count; absolute numbers say more about the machine. Nothing fails when a target
is missed, but everything does when the work was not really done.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

import uvloop

from benchmarks import (
    installing,
    page,
    peers,
    pushes_rows,
    replicas_rows,
    requests_rows,
    resources_rows,
    soak,
)
from benchmarks.rows import Row, Size
from benchmarks.table import write

RESULTS = Path(__file__).parent / "results"
MEASUREMENTS = (
    requests_rows.replies, requests_rows.kept, requests_rows.receipts,
    replicas_rows.shared, replicas_rows.replicas,
    pushes_rows.batches, pushes_rows.advance, pushes_rows.lateness,
    resources_rows.starting, resources_rows.growth, resources_rows.pending, resources_rows.tenants,
)  # fmt: skip


def measure(size: Size, only: list[str]) -> list[Row]:
    """Run the measurements, or those named."""
    rows: list[Row] = []
    for measurement in MEASUREMENTS:
        if only and measurement.__name__ not in only:
            continue
        print(f"{measurement.__name__}: {(measurement.__doc__ or '').splitlines()[0]}", flush=True)
        rows += uvloop.run(_one(measurement, size))
    return rows


async def _one(measurement: object, size: Size) -> list[Row]:
    return await measurement(size, lambda text: print(text, flush=True))  # type: ignore[operator]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["ours", "peers", "soak", "page"], default="ours")
    parser.add_argument("--only", action="append", default=[], choices=[m.__name__ for m in MEASUREMENTS])
    parser.add_argument("--quick", action="store_true", help="see that it works; the numbers mean nothing")
    parser.add_argument("--seconds", type=float, default=600, help="how long the soak lasts")
    parser.add_argument("--rate", type=int, default=2_000, help="requests per second of the soak")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for tables and charts")
    asked = parser.parse_args()
    if asked.what == "page":
        print(page.update())
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    size = Size.quick() if asked.quick else Size()
    if asked.what == "peers":
        installing.install()
        text = asyncio.run(peers.run(size))
        (asked.out / "peers.md").write_text(text)
        print(text)
    elif asked.what == "soak":
        text = uvloop.run(soak.run(asked.seconds, asked.rate))
        (asked.out / "soak.md").write_text(text)
        print(text)
    else:
        rows = measure(size, asked.only)
        print(write(asked.out, rows, partial=bool(asked.only) or asked.quick))
    print(f"{time.perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    main()
