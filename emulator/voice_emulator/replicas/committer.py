"""Commits what happens to the store that replicas share: one command for all that happened in a round of the loop.

While a command is on its way, further changes gather for the next one. The changes of a tenant are numbered, and the
store carries out each number once; so a command whose reply was lost is simply sent again, before anything later. Those
of the last seconds are kept, for a store that loses its last second when it is killed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND, TimeSource
from voice_emulator.core.tenants import Tenant
from voice_emulator.errors import StateError, Unreachable
from voice_emulator.replicas.lease import Lease
from voice_emulator.replicas.store import Fenced, Outcome, Owned, SessionLost, SharedStore, packed
from voice_emulator.state import documents as kinds
from voice_emulator.state.changes import ChangeCollector, Kept, PendingChanges
from voice_emulator.state.codec import encode
from voice_emulator.state.store import Changes
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.traffic.exchange import Keeping, RequestRecord

log = logging.getLogger(__name__)

#: Real seconds between two attempts to reach the store.
PAUSE = 0.1
#: Attempts to commit after which the replies that wait for it are 503.
ATTEMPTS = 2
#: Real seconds for which changes are kept that the store has. With ``appendfsync everysec`` it may lose the last two.
REDO = 3.0
#: Latencies that are kept until the next scrape.
LATENCIES = 100_000


class Member(Protocol):
    """The replica, as far as the committer needs it."""

    session: str

    async def rejoin(self, lost: str) -> None:
        """Begin a new session, unless that has happened since ``lost``."""

    def drop(self, tenant_id: str, why: str) -> None:
        """Another replica owns the tenant."""


@dataclass(slots=True)
class Log:
    """The numbered changes of one tenant.

    ``owned.commits`` is the number that the store has for certain, ``last`` the newest. ``replies`` and ``pushes`` wait for
    a number; those in ``following`` for the next.
    """

    owned: Owned
    last: int
    entries: deque[tuple[int, dict[str, Any], float]] = field(default_factory=deque)
    replies: deque[tuple[int, asyncio.Future[StateError | None]]] = field(default_factory=deque)
    pushes: deque[tuple[int, asyncio.Future[None]]] = field(default_factory=deque)
    next_reply: asyncio.Future[StateError | None] | None = None
    next_push: asyncio.Future[None] | None = None

    @property
    def behind(self) -> list[tuple[int, dict[str, Any]]]:
        """What the store does not have for certain, in order."""
        found = []
        for number, changes, _ in reversed(self.entries):
            if number <= self.owned.commits:
                break
            found.append((number, changes))
        found.reverse()
        return found

    def add(self, changes: Changes, now: float) -> None:
        """Number ``changes``; whoever waits for the next number waits for this one."""
        self.last += 1
        self.entries.append((self.last, packed(changes), now))
        if self.next_reply is not None:
            self.replies.append((self.last, self.next_reply))
            self.next_reply = None
        if self.next_push is not None:
            self.pushes.append((self.last, self.next_push))
            self.next_push = None

    def has(self, commits: int, now: float) -> None:
        """The store has everything up to this number."""
        self.owned.commits = commits
        while self.entries and self.entries[0][0] <= commits and self.entries[0][2] < now - REDO:
            self.entries.popleft()
        for waiting in (self.replies, self.pushes):
            while waiting and waiting[0][0] <= commits:
                _, done = waiting.popleft()
                if not done.done():
                    done.set_result(None)

    def lost(self, commits: int) -> bool:
        """The store has nothing after this number. Returns whether the rest can be sent again."""
        self.owned.commits = commits
        return self.last == commits or (bool(self.entries) and self.entries[0][0] <= commits + 1)

    def fail_replies(self, why: StateError) -> None:
        """Whoever waits to reply does not wait any longer."""
        waiting = [done for _, done in self.replies]
        if self.next_reply is not None:
            waiting.append(self.next_reply)
        self.replies.clear()
        self.next_reply = None
        for done in waiting:
            if not done.done():
                done.set_result(why)

    def end(self, why: StateError) -> None:
        """The tenant is not here any more: no reply, no push."""
        self.fail_replies(why)
        for done in (*(done for _, done in self.pushes), self.next_push):
            if done is not None and not done.done():
                done.cancel()
        self.pushes.clear()


class Committer(ChangeCollector):
    """Keeps the tenants that this replica owns."""

    def __init__(
        self, store: SharedStore, runtime: Runtime, source: TimeSource, lease: Lease, member: Member
    ) -> None:
        """Keep nothing yet; :meth:`begin` and :meth:`adopt` say what."""
        super().__init__(runtime, source, {})
        self._store = store
        self._lease = lease
        self._member = member
        self.logs: dict[str, Log] = {}
        #: Tenants that are about to be opened, and whether as new ones.
        self._opening: dict[str, Owned | None] = {}
        #: Those whose changes the store does not have for certain.
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._issuing: set[str] = set()
        #: Why the store did not answer the last time; None as long as it does.
        self.away: Unreachable | None = None
        self.fenced = 0
        #: Real microseconds of the commits since somebody asked, as far as there is room.
        self.latencies: list[int] = []

    def start(self) -> None:
        """Commit from now on; needs the running loop."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Commit no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def _plan(self) -> None:
        self._planned = self
        self._wake.set()

    def _changed(self, tenant: Tenant) -> PendingChanges:
        # A tenant that is being opened, or that has gone, changes without notes; it may be back as another object.
        return super()._changed(tenant) if self._log(tenant) is not None else PendingChanges()

    def _log(self, tenant: Tenant) -> Log | None:
        return self.logs.get(tenant.id) if not tenant.closed else None

    # --- tenants ------------------------------------------------------------------------------

    def begin(self, tenant_id: str, owned: Owned) -> None:
        """The tenant that is opened next is new, and ``owned`` by this replica."""
        self._opening[tenant_id] = owned

    def restore(self, tenant_id: str) -> None:
        """The tenant that is opened next is restored; :meth:`adopt` follows."""
        self._opening[tenant_id] = None

    def adopt(self, tenant: Tenant, kept: Kept, owned: Owned) -> None:
        """Keep a tenant that was restored."""
        self._kept[tenant.id] = kept
        self.logs[tenant.id] = Log(owned, owned.commits)

    def opened(self, tenant_id: str) -> None:
        """The tenant was opened, or could not be."""
        self._opening.pop(tenant_id, None)

    def tenant_opened(self, tenant: Tenant) -> None:
        """Keep a new tenant."""
        owned = self._opening.get(tenant.id)
        if owned is not None:
            self.logs[tenant.id] = Log(owned, owned.commits)
            super().tenant_opened(tenant)
        elif tenant.id not in self._opening:
            log.error("tenant %r is not kept: it was created without asking the store", tenant.id)

    def tenant_deleted(self, tenant: Tenant) -> None:
        """Forget the tenant; its log remains until the store has forgotten it, too."""
        found = self.logs.get(tenant.id)
        self._kept.pop(tenant.id, None)
        self._changes.pop(tenant.id, None)
        if found is not None:
            found.add(Changes(only=()), self._lease.clock())
            self._dirty.add(tenant.id)
            self._plan()

    def tenant_left(self, tenant: Tenant) -> None:
        """Commit nothing of it any more."""
        self._kept.pop(tenant.id, None)
        self._forget_log(tenant.id)

    def _forget_log(self, tenant_id: str) -> None:
        self._changes.pop(tenant_id, None)
        self._dirty.discard(tenant_id)
        found = self.logs.pop(tenant_id, None)
        if found is not None:
            found.end(Fenced(tenant_id))

    def session_changed(self, kept: Mapping[str, Owned]) -> None:
        """A new session has begun, to which these tenants belong; the others are lost."""
        for tenant_id, found in list(self.logs.items()):
            owned = kept.get(tenant_id)
            if owned is None:
                self._give_up(tenant_id, "another replica has taken it over")
                continue
            found.owned.epoch = owned.epoch
            self._resend(tenant_id, found, owned.commits)

    def _resend(self, tenant_id: str, found: Log, commits: int) -> None:
        """The store has the changes up to this number: send what follows again."""
        if commits < found.owned.commits:
            log.warning(
                "%s has lost the last %d commits of tenant %r", self._store.name,
                found.owned.commits - commits, tenant_id,
            )  # fmt: skip
        if not found.lost(commits):
            self._give_up(tenant_id, "the store has lost more than can be sent again")
        elif found.last > commits:
            self._dirty.add(tenant_id)
            self._plan()
        else:
            found.has(commits, self._lease.clock())

    def _give_up(self, tenant_id: str, why: str) -> None:
        self.fenced += 1
        self._forget_log(tenant_id)
        self._kept.pop(tenant_id, None)
        self._member.drop(tenant_id, why)

    # --- what waits for a commit --------------------------------------------------------------

    def id_issued(self, tenant: Tenant, key: Any) -> None:
        """Note the id; the reply that names it must be kept."""
        self._issuing.add(tenant.id)
        super().id_issued(tenant, key)

    def reply_ready(self, tenant: Tenant, record: RequestRecord, calls: Sequence[Call]) -> Keeping | None:
        """Have a request's calls, tokens and ids committed.

        Raises Unreachable if they cannot be at the moment. A reply that accepts nothing then does not wait.
        """
        needed = bool(calls) or tenant.id in self._issuing
        self._issuing.discard(tenant.id)
        self._note_request(tenant, record, calls)
        found = self._log(tenant)
        if found is None or self.away is not None or not self._lease.held:
            if needed:
                raise self.away or Fenced(tenant.id)
            return None
        if found.next_reply is None:
            found.next_reply = asyncio.get_running_loop().create_future()
        return Keeping(found.next_reply, needed)

    async def attempt_starting(self, tenant: Tenant, attempt: Attempt) -> None:
        """Return once it is committed that this attempt is on the wire, and the tenant is still ours."""
        found, push = self._log(tenant), attempt.push
        if found is not None and not push.by_hand:
            self._changed(tenant).pushes[push.id] = (push, attempt.at)
            if found.next_push is None:
                found.next_push = asyncio.get_running_loop().create_future()
            await asyncio.shield(found.next_push)
        while not self._lease.held and not tenant.closed:
            await self._lease.renewal()
        if tenant.closed:
            # As for whatever else of this tenant is in progress.
            raise asyncio.CancelledError

    async def settled(self, tenants: Collection[str] | None = None) -> None:
        """Wait until everything is kept that has changed so far, of these tenants or of all.

        Raises Unreachable when it cannot be now.
        """
        if self.away is not None:
            raise self.away
        self._take()
        # Also for what could have waited for the next commit.
        self._wake.set()
        waiting = []
        for tenant_id in list(self.logs if tenants is None else tenants):
            found = self.logs.get(tenant_id)
            if found is not None and found.last > found.owned.commits:
                done: asyncio.Future[StateError | None] = asyncio.get_running_loop().create_future()
                found.replies.append((found.last, done))
                waiting.append(done)
        for done in waiting:
            why = await done
            if why is not None:
                raise why

    # --- committing ---------------------------------------------------------------------------

    async def _run(self) -> None:
        failures = 0
        while True:
            if not self._dirty:
                await self._wake.wait()
            self._wake.clear()
            self._take()
            if not self._dirty:
                continue
            try:
                await self._commit()
            except SessionLost:
                await self._begin_again()
            except Unreachable as error:
                failures += 1
                if failures >= ATTEMPTS:
                    self._fail(error)
                await asyncio.sleep(PAUSE)
            except (StateError, TypeError, ValueError) as error:
                self._break(error)
                return
            else:
                failures, self.away = 0, None

    async def _begin_again(self) -> None:
        try:
            await self._member.rejoin(self._member.session)
            self.away = None
        except Unreachable as error:
            self._fail(error)
            await asyncio.sleep(PAUSE)

    def _fail(self, error: Unreachable) -> None:
        """What cannot be kept in time is refused. It is still sent first when the store is back."""
        if self.away is None:
            log.warning("%s; nothing is accepted or pushed until it does", error)
        self.away = error
        for found in self.logs.values():
            found.fail_replies(error)

    def _break(self, error: Exception) -> None:
        why = (
            str(error) if isinstance(error, StateError) else f"{self._store.name} cannot be written: {error}"
        )
        log.critical("%s", why, exc_info=not isinstance(error, StateError))
        self.away = Unreachable(why)
        self._fail(self.away)
        for told in self._runtime.tenancy.listeners.state_lost:
            told(why)

    def _take(self) -> None:
        """Number what has changed."""
        self._planned = None
        if not self._changes:
            return
        changed, self._changes = self._changes, {}
        now = self._lease.clock()
        for tenant_id, changes in self._rows(changed).items():
            found = self.logs.get(tenant_id)
            if found is not None:
                found.add(changes, now)
                self._dirty.add(tenant_id)

    def _rows_of(self, tenant: Tenant, noted: PendingChanges, kept: Kept) -> Changes:
        rows = super()._rows_of(tenant, noted, kept)
        if noted.configured:
            rows.keys = self._runtime.tenancy.directory.credentials(tenant)
            rows.put.append((kinds.OPTIONS, "", encode(tenant.options)))
        return rows

    async def _commit(self) -> None:
        sent = [(tenant_id, found.owned.epoch, found.behind) for tenant_id, found in self._unsent()]
        if not sent:
            return
        begun = self._lease.clock()
        outcomes = await self._store.commit(self._member.session, sent)
        now = self._lease.clock()
        if len(self.latencies) < LATENCIES:
            self.latencies.append(int((now - begun) * SECOND))
        for tenant_id, epoch, behind in sent:
            found = self.logs.get(tenant_id)
            if found is not None and found.owned.epoch == epoch:
                self._conclude(tenant_id, found, outcomes[tenant_id], behind[-1][0], now)

    def _unsent(self) -> list[tuple[str, Log]]:
        found = [
            (tenant_id, self.logs[tenant_id]) for tenant_id in tuple(self._dirty) if tenant_id in self.logs
        ]
        self._dirty = {tenant_id for tenant_id, each in found if each.last > each.owned.commits}
        return [pair for pair in found if pair[0] in self._dirty]

    def _conclude(self, tenant_id: str, found: Log, outcome: Outcome, newest: int, now: float) -> None:
        # Of a deleted one, a reply may have been lost.
        deleted = tenant_id not in self._kept
        if outcome.word == "kept" or (deleted and outcome.word == "fenced"):
            found.has(newest, now)
            if found.last == newest:
                self._dirty.discard(tenant_id)
                if deleted:
                    self._forget_log(tenant_id)
        elif outcome.word == "behind":
            self._resend(tenant_id, found, outcome.commits)
        elif outcome.word == "taken":
            # Reserved beforehand, unless something other than the control API has changed it.
            log.error("tenant %r does not get its credentials: %s", tenant_id, outcome.error)
            for _, changes in found.behind:
                changes.pop("keys", None)
        else:
            self._give_up(tenant_id, "another replica has taken it over")
