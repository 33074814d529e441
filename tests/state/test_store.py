"""What every store does: the same tests for each backend. A new one is another entry of ``BACKENDS``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from uuid import uuid4

import pytest

from tests.state.stories import place, story
from tests.valkey_server import common_server, fresh_prefix
from voice_emulator.errors import StateError
from voice_emulator.replicas.store import Owned, SharedStore, packed
from voice_emulator.settings import StoreAddress
from voice_emulator.state.database import StateFile
from voice_emulator.state.store import Changes, Row, Store


class InMemory:
    """A store without a file: what is committed is in ``disk``, which outlives the owner."""

    name = "the memory of the tests"

    def __init__(self, disk: dict[str, dict[tuple[str, str], str]]) -> None:
        self.disk = disk
        self.owned = False

    def tenants(self) -> list[str]:
        return [tenant for tenant, rows in self.disk.items() if rows]

    def load(self, tenant: str) -> list[Row]:
        return [(*key, value) for key, value in self.disk[tenant].items()]

    def open(self) -> None:
        self.owned = True

    def commit(self, changes: Mapping[str, Changes]) -> None:
        self.check()
        done = deepcopy(self.disk)
        for tenant, each in changes.items():
            rows = done.setdefault(tenant, {})
            if each.only is not None:
                rows = done[tenant] = {key: value for key, value in rows.items() if key[0] in each.only}
            for kind, key, value in each.put:
                (kind + key + value).encode()
                rows[kind, key] = value
            for dropped in each.drop:
                rows.pop(dropped, None)
            for kind, count in each.newest.items():
                mine = [key for key in rows if key[0] == kind]
                for old in mine[: max(0, len(mine) - count)]:
                    del rows[old]
        self.disk.clear()
        self.disk.update(done)

    def check(self) -> None:
        if not self.owned:
            raise StateError(f"{self.name} belongs to nobody")

    def close(self) -> None:
        self.owned = False


class Shared:
    """The store that replicas share, as one owner after the other uses it."""

    name = "a shared store"

    def __init__(self, address: StoreAddress, loop: asyncio.AbstractEventLoop) -> None:
        self._run = loop.run_until_complete
        self._store = SharedStore(address, 60)
        self._session = uuid4().hex
        self._owned: dict[str, Owned] = {}
        self._closed = False
        self._run(self._store.join(self._session, "[]", {}))

    def tenants(self) -> list[str]:
        # Not those that were created, and got no rows.
        return [tenant for tenant in self._run(self._store.tenants()) if self.load(tenant)]

    def load(self, tenant: str) -> list[Row]:
        return self._run(self._store.load(tenant))

    def open(self) -> None:
        self._owned = self._run(self._store.claim(self._session, self.tenants()))

    def commit(self, changes: Mapping[str, Changes]) -> None:
        for tenant in changes:
            if tenant not in self._owned:
                made = self._run(self._store.create(self._session, tenant, []))
                assert isinstance(made, Owned)
                self._owned[tenant] = made
        owned = self._owned
        numbered = [
            (tenant, owned[tenant].epoch, [(owned[tenant].commits + 1, packed(each))])
            for tenant, each in changes.items()
        ]
        outcomes = self._run(self._store.commit(self._session, numbered))
        for tenant, each in changes.items():
            assert outcomes[tenant].word == "kept"
            owned[tenant].commits += 1
            if each.only == () and not each.put:
                del owned[tenant]

    def check(self) -> None:
        self._run(self._store.renew(self._session, ""))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._run(self._store.release(self._session, {}, leave=True))
            self._run(self._store.close())


def in_memory(_: Path) -> Iterator[Callable[[], Store]]:
    disk: dict[str, dict[tuple[str, str], str]] = {}
    yield lambda: InMemory(disk)


def in_a_file(folder: Path) -> Iterator[Callable[[], Store]]:
    yield lambda: StateFile(folder / "state.db")


def shared(kind: str) -> Callable[[Path], Iterator[Callable[[], Store]]]:
    def made(_: Path) -> Iterator[Callable[[], Store]]:
        address = common_server(kind).address(fresh_prefix())
        loop = asyncio.new_event_loop()
        yield lambda: Shared(address, loop)
        loop.close()

    return made


BACKENDS = {"memory": in_memory, "file": in_a_file, "valkey": shared("valkey"), "redis": shared("redis")}


def contents(store: Store) -> dict[str, list[Row]]:
    """All rows by tenant."""
    return {tenant: store.load(tenant) for tenant in store.tenants()}


class Owner:
    """One owner of the store after the other."""

    def __init__(self, make: Callable[[], Store]) -> None:
        self._make = make
        self.store = make()
        self.found = contents(self.store)
        self.store.open()

    def again(self) -> dict[str, list[Row]]:
        """What the next owner finds."""
        self.store.close()
        self.store = self._make()
        self.found = contents(self.store)
        self.store.open()
        return self.found

    def commit(self, **changes: Changes) -> None:
        self.store.commit(changes)


@pytest.fixture(params=list(BACKENDS.values()), ids=list(BACKENDS))
def owner(request, tmp_path: Path) -> Iterator[Owner]:
    for make in request.param(tmp_path):
        made = Owner(make)
        yield made
        made.store.close()


def test_a_new_store_is_empty(owner):
    assert owner.found == {}
    assert owner.again() == {}


def test_what_is_committed_is_found_in_its_order(owner):
    owner.commit(b=Changes(put=[("call", "2", "two"), ("call", "1", "one")]))
    owner.commit(a=Changes(put=[("push", "1", "")]), b=Changes(put=[("call", "0", "zero")]))
    found = owner.again()
    assert found == {
        "b": [("call", "2", "two"), ("call", "1", "one"), ("call", "0", "zero")],
        "a": [("push", "1", "")],
    }
    assert list(found) == ["b", "a"], "the oldest tenant first"


def test_a_new_value_stays_in_the_place_of_the_old_one(owner):
    owner.commit(a=Changes(put=[("call", "1", "one"), ("call", "2", "two")]))
    owner.commit(a=Changes(put=[("call", "1", "other"), ("call", "1", "last")]))
    assert owner.again() == {"a": [("call", "1", "last"), ("call", "2", "two")]}


def test_kinds_and_tenants_do_not_share_keys(owner):
    rows = [("call", "1", "a"), ("push", "1", "b"), ("cal", "l1", "c")]
    owner.commit(a=Changes(put=rows), b=Changes(put=rows))
    owner.commit(a=Changes(drop=[("call", "1"), ("push", "none")]))
    assert owner.again() == {"a": rows[1:], "b": rows}


def test_the_members_of_a_change_are_carried_out_in_order(owner):
    owner.commit(a=Changes(put=[("tenant", "", "t"), ("call", "1", "old"), ("push", "1", "p")]))
    changes = Changes(
        only=["tenant"],
        put=[("call", "3", "3"), ("call", "2", "2"), ("call", "1", "new")],
        drop=[("call", "2")],
        newest={"call": 1},
    )
    owner.commit(a=changes)
    assert owner.again() == {"a": [("tenant", "", "t"), ("call", "1", "new")]}


def test_a_forgotten_tenant_is_gone_and_others_are_not(owner):
    owner.commit(a=Changes(put=[("call", "1", "x")]), b=Changes(put=[("call", "1", "y")]))
    owner.commit(a=Changes(only=()))
    assert owner.again() == {"b": [("call", "1", "y")]}


@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_the_newest_of_a_kind_stay(owner, count: int):
    rows = [("count", str(number), "1") for number in range(4)]
    owner.commit(a=Changes(put=[("call", "1", ""), *rows]), b=Changes(put=rows))
    owner.commit(a=Changes(put=[("count", "0", "2")], newest={"count": count, "none": 3}))
    stay = [("count", "0", "2"), *rows[1:]][4 - count :]
    assert owner.again() == {"a": [("call", "1", ""), *stay], "b": rows}


def test_a_commit_that_fails_changes_nothing(owner):
    owner.commit(a=Changes(put=[("call", "1", "x")]))
    with pytest.raises((StateError, UnicodeError)):
        owner.commit(b=Changes(put=[("call", "1", "y")]), a=Changes(only=(), put=[("call", "2", "\ud800")]))
    assert owner.again() == {"a": [("call", "1", "x")]}


@pytest.mark.parametrize(
    "text", ["", "\0", "é\u4e2d\U0001f600", "a" * 100_000, "'\";--\n", "NULL", "1", "1.0"]
)
def test_every_text_comes_back(owner, text: str):
    owner.commit(a=Changes(put=[("kind", text, text)]))
    assert owner.again() == {"a": [("kind", text, text)]}


def test_a_store_can_be_asked_whether_it_is_still_there(owner):
    owner.store.check()
    owner.again()
    owner.store.check()
    owner.store.close()
    owner.store.close()


async def test_an_emulator_needs_no_more_of_a_store_than_these_methods(tmp_path, monkeypatch):
    """It is killed with a receipt to push: the store has what was committed until then."""
    disk: dict[str, dict[tuple[str, str], str]] = {}
    monkeypatch.setattr("voice_emulator.state.database.StateFile", lambda _: InMemory(disk))
    async with story(tmp_path) as told:
        await place(told, "6281200010111", "6281200010112")
        committed = deepcopy(disk)
        await told.end()
        disk.clear()
        disk.update(committed)
        await told.begin()
        assert told.receiver.received == []
        await told.emu.settle()
        assert sorted(push.fields["phone"] for push in told.receiver.received) == [
            "6281200010111",
            "6281200010112",
        ]
        await told.end()
        await told.begin()
        await told.emu.settle()
        assert len(told.receiver.received) == 2
    assert list(tmp_path.iterdir()) == []
