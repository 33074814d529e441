"""The other replicas: nothing is pushed to them, and nothing waits for one that is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from urllib.parse import urlsplit

from voice_emulator.errors import StateError
from voice_emulator.wire.ownership import Ownership, Replica
from voice_emulator.wire.relay.relay import NoOwner, Relay

log = logging.getLogger(__name__)

#: Real seconds between two looks while none comes or goes: a name may get another address.
EVERY = 2.0
Addresses = frozenset[tuple[str, int]]


class Siblings:
    """Tells ``know`` the addresses and ports of all replicas whenever they change."""

    def __init__(
        self, relay: Relay, ownership: Ownership, traffic: str, know: Callable[[Addresses], None]
    ) -> None:
        """``traffic`` is the base URL of this replica's traffic port."""
        self._relay = relay
        self._ownership = ownership
        self._know = know
        #: The traffic ports of replicas that have told theirs, by node URL.
        self._traffic: dict[str, int] = {}
        self._own_traffic = urlsplit(traffic).port or 0
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def open(self) -> None:
        """Begin; needs the running loop."""
        self._ownership.watch(self._replicas_changed)
        self._task = asyncio.ensure_future(self._run())

    def _replicas_changed(self, replicas: Collection[Replica]) -> None:
        self._relay.keep_only(replicas)
        self._changed.set()

    def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                self._know(await self.look())
            except StateError as error:
                log.debug("the other replicas are not known: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._changed.wait()

    async def look(self) -> Addresses:
        """Every address and port of a replica that is known."""
        found = await asyncio.gather(*map(self._addresses, await self._ownership.replicas()))
        return frozenset().union(*found)

    async def _addresses(self, replica: Replica) -> Addresses:
        parts = urlsplit(replica.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            known = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port)
        except OSError as error:
            log.debug("%s does not resolve: %s", replica.url, error)
            return frozenset()
        ports = {port, await self._traffic_port(replica)}
        return frozenset((str(each[4][0]), number) for each in known for number in ports if number)

    async def _traffic_port(self, replica: Replica) -> int:
        if replica.name == self._ownership.name:
            return self._own_traffic
        if replica.url not in self._traffic:
            try:
                status, document = await self._relay.ask(replica, "/v1/nodes")
            except NoOwner:
                return 0
            if status != 200:
                return 0
            self._traffic[replica.url] = urlsplit(document["nodes"][0]["traffic"]).port or 0
        return self._traffic[replica.url]
