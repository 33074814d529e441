"""This process as one of several replicas: its session, which tenants it owns, taking over and handing over.

A session is a lease of all tenants of a replica: as long as the store has it, nobody takes them over. When it is lost, the
next session keeps those that no other replica has taken meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random  # noqa: TID251 - nothing that a run repeats
import uuid
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from voice_emulator.core.accounts import Key
from voice_emulator.core.directory import KeyTaken
from voice_emulator.core.tenants import DEFAULT_TENANT
from voice_emulator.errors import StateError, Unreachable
from voice_emulator.replicas.committer import Committer
from voice_emulator.replicas.lease import Lease
from voice_emulator.replicas.restoring import Restoring
from voice_emulator.replicas.store import Owned, SessionLost, SharedStore, already
from voice_emulator.wire.machine_time import MachineTime
from voice_emulator.wire.ownership import Figures, Replica
from voice_emulator.wire.runtime import Runtime

log = logging.getLogger(__name__)

#: Real seconds between two looks for tenants that nobody owns; each third of a lease, if that is shorter.
SWEEP = 1.0
#: Real seconds after the end of a lease that is not renewed.
AFTER = 0.02
#: Real seconds between two attempts to take over a share of what is left.
SHARE_PAUSE = 0.05
#: Real seconds for which a replica that starts tries to reach the store.
PATIENCE = 10.0
#: Keys of other replicas' tenants that are remembered.
KEYS_LIMIT = 100_000


class Membership:
    """A replica; implements :class:`voice_emulator.wire.ownership.Ownership`."""

    def __init__(
        self, store: SharedStore, runtime: Runtime, machine: MachineTime, lease: Lease, node_url: str
    ) -> None:
        """A replica at ``node_url``, which has joined nothing yet."""
        self._store = store
        self._runtime = runtime
        self._lease = lease
        self.me = Replica(urlsplit(node_url).netloc, node_url)
        self.session = ""
        self.committer = Committer(store, runtime, machine.now, lease, self)
        self._restoring = Restoring(store.name, runtime, machine, self.committer)
        self._version = ""
        #: By tenant its owner's session; and the replicas that are alive, by session.
        self._owners: dict[str, str] = {}
        self._sessions: dict[str, Replica] = {}
        self._told: Callable[[Collection[Replica]], None] = lambda _: None
        self._known: dict[Key, str] = {}
        self._taking: dict[str, asyncio.Task[None]] = {}
        #: Tenants that this version cannot read, which others may.
        self._unreadable: set[str] = set()
        self._making: set[str] = set()
        self._rejoining = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._answered = False
        #: By session, since when another one has the URL of this replica; None once that was told.
        self._twins: dict[str, float] | None = {}
        #: In how many real seconds the first lease of another replica ended, when they were last looked at.
        self._ends = lease.seconds
        self.take_overs = 0

    # --- joining and leaving ------------------------------------------------------------------

    async def join(self) -> None:
        """Begin: join the others. Raises StateError when the store cannot be used."""
        most = int(PATIENCE / SWEEP)
        for tries in range(most, -1, -1):
            try:
                await self.rejoin("")
                await self.look()
                break
            except Unreachable as error:
                if not tries:
                    raise StateError(str(error)) from error
                told = logging.WARNING if tries == most else logging.DEBUG
                log.log(told, "%s; trying for %g seconds", error, PATIENCE)
                await asyncio.sleep(SWEEP)
        self.committer.start()
        self._task = asyncio.create_task(self._sweep())

    async def rejoin(self, lost: str) -> None:
        """Begin a new session, unless that has happened since ``lost``. What no other replica has taken is kept."""
        async with self._rejoining:
            if self.session != lost:
                return
            session, sent = uuid.uuid4().hex, self._lease.clock()
            tenants = {name: f"{lost} {each.owned.epoch}" for name, each in self.committer.logs.items()}
            node = json.dumps([self.me.name, self.me.url])
            while True:
                try:
                    kept = await self._store.join(session, node, tenants)
                    break
                except Unreachable:
                    # Perhaps it was done: the same session again.
                    if not lost:
                        raise
                    await asyncio.sleep(SWEEP / 4)
            if lost:
                log.warning("the lease was lost; of %d tenants, %d are still here", len(tenants), len(kept))
            self.session, self._version = session, ""
            self.committer.session_changed(kept)
            self._lease.renewed(sent)

    async def make_default(self, start: str) -> str | None:
        """Make the tenant ``default`` if there is none, or say with which ``start`` another replica made it."""
        tenancy, runtime = self._runtime.tenancy, self._runtime
        keys = tenancy.directory.rehearse(runtime.open_default)
        found = await self._store.create(self.session, DEFAULT_TENANT, keys, start)
        if isinstance(found, str):
            return found
        self.committer.begin(DEFAULT_TENANT, found)
        try:
            runtime.open_default()
        finally:
            self.committer.opened(DEFAULT_TENANT)
        return None

    async def hand_over(self, grace: float) -> None:
        """Give all tenants up: each when none of its pushes is on the wire, or when ``grace`` real seconds have passed."""
        self._stopping = True
        driver, tenancy = self._runtime.driver, self._runtime.tenancy
        driver.stop()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        if self._taking:
            await asyncio.wait(set(self._taking.values()), timeout=grace)
        while len(tenancy):
            idle = [tenant.id for tenant in tenancy if not tenant.outbox.in_flight]
            late = loop.time() >= deadline
            if idle or late:
                await self._give_up(idle if not late else [tenant.id for tenant in tenancy])
            if len(tenancy):
                await driver.some_ended(min(0.1, max(0.0, deadline - loop.time())))

    async def _give_up(self, names: list[str]) -> None:
        with suppress(Unreachable):
            # Else others take over when the lease ends, and have what was kept.
            await self.committer.settled(names)
        holders = {
            name: f"{self.session} {each.owned.epoch}"
            for name in names
            if (each := self.committer.logs.get(name)) is not None
        }
        for name in names:
            self._runtime.tenancy.leave(name)
            self._owners.pop(name, None)
        await self._release(holders)

    async def _release(self, holders: dict[str, str], *, leave: bool = False) -> None:
        """Tell the store. While it does not answer, others see what they need when the lease ends."""
        if self.committer.away is None:
            with suppress(StateError):
                await self._store.release(self.session, holders, leave=leave)

    async def close(self) -> None:
        """Leave. What was not handed over is taken over when the lease ends."""
        self._stopping = True
        tasks = {*self._taking.values(), *([self._task] if self._task is not None else [])}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.committer.close()
        if self.session:
            await self._release({}, leave=True)
        self._lease.give_up()
        await self._store.close()

    # --- sweeping -----------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """Renew the lease, and take over what nobody owns."""
        every = min(SWEEP, self._lease.seconds / 3)
        await asyncio.sleep(random.uniform(0, every))  # noqa: S311 - replicas do not look at the same time
        while True:
            try:
                await self.look()
                await self._take_free()
            except SessionLost:
                with suppress(Unreachable):
                    await self.rejoin(self.session)
                    continue
            except Unreachable as error:
                log.debug("%s", error)
            except Exception:
                log.exception("a look at the other replicas failed")
            # Whoever renews in time never lets its lease come so close to its end.
            await asyncio.sleep(min(every, self._ends + AFTER))

    async def look(self) -> None:
        """Renew the lease, and see who is there and who owns what. Raises Unreachable."""
        sent, session = self._lease.clock(), self.session
        try:
            view = await self._store.renew(session, self._version)
        except SessionLost:
            raise
        except Unreachable:
            self._answered = False
            raise
        self._answered = True
        if session != self.session:
            return
        self._lease.renewed(sent)
        self._ends = view.ends
        before, self._sessions = (
            self._sessions,
            {name: Replica(*node) for name, node in view.sessions.items()},
        )
        if before.keys() != self._sessions.keys():
            self._told(self._sessions.values())
        self._tell_of_twins()
        if view.owners is not None:
            self._version = view.version
            self._owners = {tenant: holder.partition(" ")[0] for tenant, holder in view.owners.items()}

    def _tell_of_twins(self) -> None:
        """Warn once of a replica with the same URL. That of an earlier start is there until its lease ends."""
        if self._twins is None:
            return
        now, known = self._lease.clock(), self._twins
        others = {name for name, each in self._sessions.items() if each == self.me and name != self.session}
        self._twins = {name: known.get(name, now) for name in others}
        if any(now - since > self._lease.seconds for since in self._twins.values()):
            log.warning(
                "another replica has the same URL, %s, so requests for its tenants end here: give each its own --node-url",
                self.me.url,
            )
            self._twins = None

    async def _take_free(self) -> None:
        """Take over a fair share of what nobody owns, until nothing is left."""
        if DEFAULT_TENANT not in self._owners and not self._stopping:
            # The store was emptied.
            await self.make_default("")
        while free := [name for name in self._owners if self._is_free(name)]:
            if self._stopping:
                return
            share = -(-len(free) // max(1, len(self._sessions)))
            await self._take(free[:share])
            if share == len(free):
                return
            await asyncio.sleep(SHARE_PAUSE)
            await self.look()

    def _is_free(self, name: str) -> bool:
        if name in self.committer.logs or name in self._making or name in self._unreadable:
            return False
        session = self._owners[name]
        # If it is this one, a command took it over whose reply was lost.
        return name not in self._taking if session == self.session else session not in self._sessions

    async def _take(self, names: Iterable[str]) -> None:
        """Take these over; those that are being taken over already are waited for."""
        wanted = list(names)
        others = {self._taking[name] for name in wanted if name in self._taking}
        mine = [name for name in wanted if name not in self._taking and name not in self.committer.logs]
        if mine and not self._stopping:
            # Noted before anything is waited for, so nobody else begins with these, too; and a task of its own, which
            # goes on when the client that asked for a tenant goes away.
            task = asyncio.create_task(self._take_over(mine))
            self._taking.update(dict.fromkeys(mine, task))
            task.add_done_callback(self._taken)
            await asyncio.shield(task)
        if others:
            await asyncio.wait(others)

    def _taken(self, task: asyncio.Task[None]) -> None:
        self._taking = {name: each for name, each in self._taking.items() if each is not task}
        if not task.cancelled():
            task.exception()  # whoever still waits for it has got it

    async def _take_over(self, names: list[str]) -> None:
        session = self.session
        owned = await self._store.claim(session, names)
        for name, each in owned.items():
            rows = await self._store.load(name)
            if session != self.session:
                return
            self._owners[name] = session
            try:
                opened = self._restoring.open(name, rows, each)
            except (StateError, KeyTaken) as error:
                log.error("tenant %r cannot be taken over: %s", name, error)
                self._unreadable.add(name)
                await self._store.release(session, {name: f"{session} {each.epoch}"})
                continue
            if opened:
                self.take_overs += 1
            else:
                # It was being created when its replica died, and nobody was told of it.
                await self._store.commit(session, [(name, each.epoch, [(each.commits + 1, {"only": []})])])
                self._owners.pop(name, None)

    def drop(self, tenant_id: str, why: str) -> None:
        """Another replica owns the tenant: stop everything of it at once."""
        log.warning("tenant %r is not here any more: %s", tenant_id, why)
        self._owners.pop(tenant_id, None)
        self._version = ""
        self._runtime.tenancy.leave(tenant_id)

    # --- Ownership ----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        return self.me.name

    @property
    def reachable(self) -> bool:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        return self._answered and self.committer.away is None

    def figures(self) -> Figures:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        committer = self.committer
        latencies, committer.latencies = committer.latencies, []
        held = len(committer.logs) if self._lease.held else 0
        return Figures(held, self.take_overs, committer.fenced, latencies)

    def owns(self, tenant_id: str) -> bool:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        return self._lease.held and tenant_id in self.committer.logs

    def known_owner(self, keys: Iterable[Key]) -> Replica | None:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        for key in keys:
            tenant_id = self._known.get(key)
            if tenant_id is not None:
                return self._elsewhere(tenant_id)
        return None

    def _elsewhere(self, tenant_id: str) -> Replica | None:
        """The replica that owns the tenant and is not this one, as far as is known."""
        session = self._owners.get(tenant_id, "")
        return self._sessions.get(session) if session != self.session else None

    async def find(self, keys: Iterable[Key]) -> str:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        wanted = list(keys)
        found: list[str | None] = []
        for key in wanted:
            tenant = self._runtime.tenancy.directory.owner(key)
            found.append(tenant.id if tenant is not None else self._remembered(key))
            if found[-1] is not None:
                break
        if any(each is None for each in found):
            found = await self._store.find(wanted)
            if len(self._known) > KEYS_LIMIT:
                self._known.clear()
            self._known.update((key, each) for key, each in zip(wanted, found, strict=True) if each)
        return next((each for each in found if each is not None), DEFAULT_TENANT)

    def _remembered(self, key: Key) -> str | None:
        """The tenant that the store named for a key. One that is here now has no such key any more."""
        known = self._known.get(key)
        return known if known not in self.committer.logs else None

    async def locate(self, tenant_id: str) -> Replica | None:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        if self.owns(tenant_id):
            return None
        elsewhere = self._elsewhere(tenant_id)
        if elsewhere is not None:
            return elsewhere
        try:
            await self.look()
        except SessionLost:
            await self.rejoin(self.session)
            await self.look()
        if tenant_id not in self._owners:
            raise LookupError(f"there is no tenant {tenant_id!r}")
        if self._is_free(tenant_id) or tenant_id in self._taking:
            if self._stopping:
                raise Unreachable("this replica is stopping")
            await self._take([tenant_id])
        if self.owns(tenant_id):
            return None
        elsewhere = self._elsewhere(tenant_id)
        if elsewhere is None:
            raise Unreachable(f"no replica owns tenant {tenant_id!r} at the moment")
        return elsewhere

    def moved(self, tenant_id: str) -> None:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        if self._owners.get(tenant_id) != self.session:
            self._owners.pop(tenant_id, None)
        self._version = ""
        self._known = {key: name for key, name in self._known.items() if name != tenant_id}

    async def tenants(self) -> list[str]:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        return await self._store.tenants()

    async def replicas(self) -> list[Replica]:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        await self.look()
        return sorted(self._sessions.values(), key=lambda each: each.name)

    def watch(self, told: Callable[[Collection[Replica]], None]) -> None:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        self._told = told

    async def create(self, tenant_id: str, keys: Iterable[Key]) -> None:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        self._making.add(tenant_id)
        try:
            found = await self._store.create(self.session, tenant_id, keys)
        except BaseException:
            self._making.discard(tenant_id)
            raise
        if isinstance(found, Owned):
            self.committer.begin(tenant_id, found)
            return
        self._making.discard(tenant_id)
        raise already(tenant_id)

    def created(self, tenant_id: str) -> None:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        self._making.discard(tenant_id)
        self.committer.opened(tenant_id)
        self._owners[tenant_id] = self.session

    async def reserve(self, tenant_id: str, keys: Iterable[Key]) -> None:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        found = self.committer.logs.get(tenant_id)
        if found is None:
            raise Unreachable(f"this replica does not own tenant {tenant_id!r} any more")
        await self._store.reserve(self.session, tenant_id, found.owned.epoch, keys)

    async def settled(self) -> None:
        """See :class:`~voice_emulator.wire.ownership.Ownership`."""
        await self.committer.settled()
