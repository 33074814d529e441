"""What the shared store holds and does, as methods: see store.lua, which does it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voice_emulator.core.accounts import ISSUED, Key
from voice_emulator.core.directory import KeyTaken
from voice_emulator.core.tenancy import TenantTaken
from voice_emulator.errors import StateError, Unreachable
from voice_emulator.replicas.connection import Connection
from voice_emulator.settings import StoreAddress
from voice_emulator.state.store import Changes, Row

#: The version of what store.lua describes, and of the texts in it.
LAYOUT = "1"


class SessionLost(Unreachable):
    """The lease of this replica has expired: it must begin another session."""

    def __init__(self) -> None:
        super().__init__("the lease of this replica has expired")


class Fenced(Unreachable):
    """Another replica owns the tenant now."""

    def __init__(self, tenant_id: str) -> None:
        """``tenant_id`` is the tenant."""
        super().__init__(f"another replica owns tenant {tenant_id!r} now")


@dataclass(slots=True)
class Owned:
    """A tenant that a session owns: since which take-over, and how many commits there are."""

    epoch: str
    commits: int


@dataclass(slots=True)
class View:
    """What a renewal has found: all sessions that are alive, and the owners by tenant unless nothing changed.

    ``ends`` is in how many real seconds the first lease of another replica does, if it is not renewed.
    """

    sessions: dict[str, Any]
    version: str
    owners: dict[str, str] | None
    ends: float


@dataclass(slots=True)
class Outcome:
    """The result of one tenant's part of a commit: ``kept``, ``fenced``, ``behind`` or ``taken``.

    ``behind``: the store has lost what came after commit number ``commits``. ``taken``: by ``error``.
    """

    word: str
    commits: int = 0
    error: KeyTaken | None = None


def packed(changes: Changes) -> dict[str, Any]:
    """Changes as the store takes them."""
    found: dict[str, Any] = {}
    if changes.only is not None:
        found["only"] = list(changes.only)
    if changes.keys is not None:
        found["keys"] = [key_text(key) for key in changes.keys]
    if changes.put:
        found["put"] = changes.put
    if changes.drop:
        found["drop"] = changes.drop
    if changes.newest:
        found["newest"] = changes.newest
    return found


def key_text(key: Key) -> str:
    """A key of the directory as one text; of an issued id, what its row has."""
    return json.dumps(key[1:] if key[0] == ISSUED else key)


class SharedStore:
    """Valkey, as one session of one replica at a time uses it.

    Every method raises Unreachable when it does not answer: what was asked may have been done. Commits have a connection
    of their own.
    """

    def __init__(self, address: StoreAddress, lease: float) -> None:
        """``lease`` is in real seconds."""
        self._asking = Connection(address)
        self._committing = Connection(address)
        self._lease = int(lease * 1000)
        self.name = self._asking.name

    async def close(self) -> None:
        """Close all connections."""
        await self._asking.close()
        await self._committing.close()

    # --- sessions -----------------------------------------------------------------------------

    async def join(self, session: str, node: str, tenants: Mapping[str, str]) -> dict[str, Owned]:
        """Begin ``session`` of the replica that ``node`` describes.

        ``tenants`` are those of its last session, each with session and epoch; returns which it keeps. Raises StateError
        for a store of another layout.
        """
        reply = await self._asking.run(
            "join", session=session, node=node, lease=self._lease, layout=LAYOUT, tenants=dict(tenants) or None
        )  # fmt: skip
        if "layout" in reply:
            raise StateError(
                f"{self.name} was written by another version (layout {reply['layout']}, this one reads {LAYOUT}): use "
                "another prefix"
            )
        return _owned(reply["tenants"])

    async def renew(self, session: str, version: str) -> View:
        """Renew the lease. Raises SessionLost."""
        reply = _of_session(
            await self._asking.run("renew", session=session, lease=self._lease, version=version)
        )
        sessions = {name: json.loads(node) for name, node in reply["sessions"].items()}
        return View(sessions, reply["version"], reply.get("owners"), reply.get("ends", self._lease) / 1000)

    async def claim(self, session: str, tenants: Sequence[str]) -> dict[str, Owned]:
        """Take over those of ``tenants`` that nobody owns. Raises SessionLost."""
        if not tenants:
            return {}
        reply = _of_session(await self._asking.run("claim", session=session, tenants=tenants))
        return _owned(reply["tenants"])

    async def release(self, session: str, tenants: Mapping[str, str], *, leave: bool = False) -> None:
        """Give up tenants, each with session and epoch; with ``leave`` also the session."""
        await self._asking.run("release", session=session, tenants=dict(tenants), leave=leave or None)

    # --- tenants ------------------------------------------------------------------------------

    async def create(
        self, session: str, tenant: str, keys: Iterable[Key], start: str | None = None
    ) -> Owned | str:
        """Make a tenant that ``session`` owns, or return the ``start`` of the one that is there.

        Raises KeyTaken and SessionLost.
        """
        reply = _of_session(
            await self._asking.run(
                "create", session=session, tenant=tenant, keys=[key_text(key) for key in keys], start=start
            )
        )
        if "exists" in reply:
            there: str = reply["exists"]
            return there
        _refuse_taken(reply)
        epoch, commits = reply["owned"]
        return Owned(epoch, int(commits))

    async def reserve(self, session: str, tenant: str, epoch: str, keys: Iterable[Key]) -> None:
        """Let nobody else have these credentials. Raises KeyTaken and Fenced."""
        texts = [key_text(key) for key in keys]
        reply = await self._asking.run("reserve", session=session, tenant=tenant, epoch=epoch, keys=texts)
        if "fenced" in reply:
            raise Fenced(tenant)
        _refuse_taken(reply)

    async def commit(
        self, session: str, tenants: Sequence[tuple[str, str, Sequence[tuple[int, dict[str, Any]]]]]
    ) -> dict[str, Outcome]:
        """Carry out changes: of each tenant its epoch, and numbered changes in their order.

        What was carried out before is not carried out again. Raises SessionLost.
        """
        reply = _of_session(await self._committing.run("commit", session=session, tenants=tenants))
        return {tenant: _outcome(*result) for tenant, result in reply["done"].items()}

    async def load(self, tenant: str) -> list[Row]:
        """The rows of a tenant, oldest first."""
        found: list[tuple[int, Row]] = []
        for kind in (await self._asking.run("kinds", tenant=tenant))["kinds"] or ():
            flat = (await self._asking.run("load", tenant=tenant, kind=kind))["rows"]
            for at in range(0, len(flat), 2):
                number, _, value = flat[at + 1].partition(":")
                found.append((int(number), (kind, flat[at], value)))
        found.sort()
        return [row for _, row in found]

    async def find(self, keys: Iterable[Key]) -> list[str | None]:
        """The tenant of each key, None where it has none."""
        wanted = [("ids" if key[0] == ISSUED else "keys", key_text(key)) for key in keys]
        reply = await self._asking.run("find", keys=wanted)
        return [found or None for found in reply["found"]]

    async def tenants(self) -> list[str]:
        """The ids of all tenants, the oldest first."""
        return list((await self._asking.run("tenants"))["tenants"])


def _of_session(reply: dict[str, Any]) -> dict[str, Any]:
    if "lost" in reply:
        raise SessionLost
    return reply


def _owned(reply: Mapping[str, Any]) -> dict[str, Owned]:
    return {tenant: Owned(epoch, int(commits)) for tenant, (epoch, commits) in reply.items()}


def _taken(key: str, owner: str) -> KeyTaken:
    provider, kind, value = json.loads(key)
    return KeyTaken((provider, kind, value), owner)


def _refuse_taken(reply: Mapping[str, Any]) -> None:
    if "taken" in reply:
        raise _taken(*reply["taken"])


def _outcome(word: str, *rest: Any) -> Outcome:
    if word == "taken":
        return Outcome(word, error=_taken(*rest))
    return Outcome(word, int(rest[0]) if rest else 0)


def already(tenant: str) -> TenantTaken:
    """The error for a tenant that another replica has."""
    return TenantTaken(f"there is already a tenant {tenant!r}")
