"""Hunts for the bugs of the clients in ``tests/swarm/clients``, all in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from tests.swarm.clients.mutants import EVERY, provider_of
from tests.swarm.clients.service import Server, Service
from tests.swarm.clients.wires import Account
from voice_emulator.client import Client
from voice_emulator.embedded import Embedded, embedded
from voice_emulator.providers.registry import receiver_keys
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.swarm import oracles
from voice_emulator.swarm.hunt import Hunt, Outcome
from voice_emulator.swarm.oracles import Failure
from voice_emulator.swarm.runner import Runner
from voice_emulator.swarm.session import make_catalogue
from voice_emulator.swarm.space import make_space, numbers
from voice_emulator.swarm.subject import Stage


@cache
def catalogue() -> Catalogue:
    """The installed providers, read once."""
    return make_catalogue()


class InProcess:
    """A client as the subject of runs: a new one for each, its port served by a thread."""

    steps = True
    service: Service
    server: Server

    def __init__(self, name: str) -> None:
        self._name = name

    def begin(self, stage: Stage) -> Iterable[Failure]:
        client = EVERY[self._name]
        self.service = client.service(client.wire(Account(stage.environment)))
        self.server = Server(self.service, stage.port)
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.005,), daemon=True)
        self._thread.start()
        return ()

    def drive(self, stage: Stage) -> Iterable[Failure]:
        return _guarded("CMD", self.service.dial, list(stage.numbers))

    def stepped(self, stage: Stage, now: str) -> Iterable[Failure]:
        return _guarded("tick", self.service.tick, datetime.fromisoformat(now))

    def check(self, stage: Stage) -> Iterable[Failure]:
        return _guarded("--check", self.service.check)

    def end(self, stage: Stage) -> Iterable[Failure]:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
        return ()


def _guarded(name: str, step: Callable[..., Any], *arguments: Any) -> list[Failure]:
    try:
        well = step(*arguments)
    except Exception as error:  # noqa: BLE001 - a bug of the client is what is looked for
        return [Failure("command", name, message=repr(error))]
    return [Failure("command", name, message="calls are still open")] if well is False else []


#: To be closed with their emulator.
_clients: list[Client] = []


@contextmanager
def serving() -> Iterator[Embedded]:
    """An emulator for many runs."""
    own = embedded()
    own.start()
    try:
        yield own
    finally:
        for client in _clients:
            client.close()
        _clients.clear()
        own.stop()


def make_runner(own: Embedded, name: str) -> Runner:
    """A runner of one client; its books are read directly."""
    subject = InProcess(name)
    client = Client(own.control_url)
    _clients.append(client)
    return Runner(
        client, own.url, subject, tuple(receiver_keys(catalogue().providers)),
        books=lambda stage, record: oracles.probe(record, subject.service.books()),
    )  # fmt: skip


def hunt(
    own: Embedded,
    name: str,
    seeds: Iterable[int],
    *,
    way: str = "subsets",
    first: bool = True,
    shrink: bool = True,
    jobs: int = 1,
) -> Outcome:
    """Run seeds on one client."""
    runners = [make_runner(own, name) for _ in range(jobs)]
    space = make_space(catalogue(), providers=[provider_of(name)], way=way)
    return Hunt(space, runners, list(seeds), numbers(6), 3_600, first=first, shrink=shrink).run()
