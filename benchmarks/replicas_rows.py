"""What a shared store costs, and what it costs to pass requests on between replicas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.ceilings import CONNECTIONS
from benchmarks.load import Load, drive
from benchmarks.processes import Ours, cpu_of, get_json, running
from benchmarks.requests import Kind, notify
from benchmarks.requests_rows import RINGING, ROOM, send
from benchmarks.rows import Row, Say, Size, expect, most
from tests.valkey_server import BINARIES, StoreServer

#: One connection waits for the store with each request, so fewer of them take as long.
FEWER = 8


@contextmanager
def _valkey() -> Iterator[StoreServer]:
    binary = BINARIES["valkey"]() or BINARIES["redis"]()
    expect(binary is not None, "neither a Valkey nor a Redis server is installed")
    with TemporaryDirectory(prefix="voice-emulator-bench-") as folder:
        store = StoreServer(str(binary), Path(folder), ("--appendonly", "yes"))
        store.start()
        try:
            yield store
        finally:
            store.kill()


async def shared(size: Size, say: Say) -> list[Row]:
    """createVoiceNotification with a Valkey, against the same without one."""
    with _valkey() as store:
        sharing, plain = Ours(RINGING, "--state", store.url("shared")), Ours(RINGING)
        store_cpu = lambda: cpu_of(store.process.pid)  # noqa: E731 - one word for it, below
        with running(sharing, plain):
            rows = []
            for connections, target in ((CONNECTIONS, 1.8), (1, None)):
                own, together = [], []
                for number in range(size.rounds + 1):
                    first = 8_800_000_000 + number * ROOM + connections * 50 * ROOM
                    without = await _cost(plain, connections, first, size, lambda: plain.cpu)
                    before = store_cpu()
                    cost = await _cost(sharing, connections, first, size, lambda: sharing.cpu)
                    if number:
                        its_share = (store_cpu() - before) / cost.answered
                        own.append(cost.each / without.each)
                        together.append((cost.each + its_share) / without.each)
                        say(f"  {connections} connections: {cost} with, {without} without, Valkey {1e6 * its_share:.0f} µs")
                name = f"createVoiceNotification with Valkey, {connections} connection{'s' if connections > 1 else ''}; CPU of the emulator to without"
                rows.append(_times(name, own, target, together))
    return rows


async def relayed(size: Size, say: Say) -> list[Row]:
    """Two replicas, each request at its owner, and all passed on by the other; against one replica."""
    with _valkey() as store:
        one = Ours(RINGING, "--state", store.url("one"))
        pair = [Ours(RINGING, "--state", store.url("two")) for _ in range(2)]
        with running(one, *pair):
            alone = [_tenant(one, name) for name in ("first", "second")]
            kinds = [_tenant(replica, name) for replica, name in zip(pair, ("first", "second"), strict=True)]
            at_owner, passed_on = [], []
            for number in range(size.rounds + 1):
                first = 8_800_000_000 + number * 4 * ROOM
                rounds = (
                    (one, one, alone, lambda: one.cpu),
                    (pair[0], pair[1], kinds, lambda: sum(each.cpu for each in pair)),
                    (pair[1], pair[0], kinds, lambda: sum(each.cpu for each in pair)),
                )
                costs = []
                for position, (here, there, whose, cpu) in enumerate(rounds):
                    spent = cpu()
                    answered = 0
                    for offset, (server, kind) in enumerate(((here, whose[0]), (there, whose[1]))):
                        start = first + position * ROOM + offset * ROOM // 2
                        answered += (await send(server.port, size, kind, start, kind.carried_out)).answered
                    costs.append((cpu() - spent) / answered)
                if number:
                    at_owner.append(costs[1] / costs[0])
                    passed_on.append(costs[2] / costs[0])
                    say(
                        f"  one {1e6 * costs[0]:.0f} µs, two {1e6 * costs[1]:.0f} µs, two with relays {1e6 * costs[2]:.0f} µs"
                    )
            relays = sum(_relays(each) for each in pair)
            expect(relays > 0, "no request was passed on")
    name = "createVoiceNotification, two replicas, CPU of both to that of one"
    return [
        _times(f"{name}; each request at its owner", at_owner, 1.15),
        _times(f"{name}; all passed on", passed_on, 2.3),
    ]


class _Cost:
    """Seconds of CPU for each request of a load."""

    def __init__(self, load: Load, cpu: float) -> None:
        self.answered = load.answered
        self.each = cpu / load.answered

    def __str__(self) -> str:
        return f"{1e6 * self.each:.0f} µs"


async def _cost(server: Ours, connections: int, first: int, size: Size, cpu: Callable[[], float]) -> _Cost:
    kind, spent = notify(server.token()), cpu()
    if connections == CONNECTIONS:
        load = await send(server.port, size, kind, first, kind.carried_out)
    else:
        count = max(1, size.requests // FEWER)
        load = await drive(server.port, kind.requests(first), count, connections, kind.carried_out.encode())
        expect(load.answered == count and not load.wrong, f"{load.wrong} of {load.answered} were wrong")
    return _Cost(load, cpu() - spent)


def _tenant(server: Ours, name: str) -> Kind:
    """A tenant that this replica makes and therefore owns, and its requests."""
    made: dict[str, Any] = server.api("POST", "/tenants", {"id": name, "scenario_yaml": RINGING})
    keys = made["credentials"]["huawei_cec"]
    return notify(server.token(keys["app_key"], keys["app_secret"]), keys["app_key"])


def _relays(server: Ours) -> float:
    """How many requests a replica has passed on, by its metrics."""
    text = get_json(f"{server.control}/metrics", text=True)
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("voice_emulator_relays_total{")
    )


def _times(name: str, ratios: Sequence[float], target: float | None, together: Sequence[float] = ()) -> Row:
    """A row of ratios, which should stay below ``target``; ``together`` are those with the store's own CPU."""
    said = f"{median(together):.2f} x with Valkey's own" if together else ""
    return most(name, median(ratios), target, " x", said, ratios)
