from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from voice_emulator.core.events import Events
from voice_emulator.wire.control.long_poll import Collector, NumberedSource, Waiters


def tenant() -> Any:
    return SimpleNamespace(id="t", resets=0)


class Numbers:
    """Numbered things that are given once each, as sources do."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def fresh(self) -> Iterator[tuple[int, int]]:
        while self.made:
            number = self.made.pop(0)
            yield number, number


def test_collector_takes_no_more_than_it_wants_and_tells_where_to_go_on():
    source = Numbers()
    collector = Collector(source, lambda thing: thing % 2 == 0, 2, tenant())
    source.made = [1, 2, 3]
    assert not collector.ready()
    assert (collector.things, collector.next) == ([2], 2)
    source.made = [4, 6, 8]
    assert collector.ready()
    assert (collector.things, collector.next) == ([2, 4], 4)
    assert collector.ready(), "it stays ready"
    assert source.made == [6, 8], "what it does not need is left for a following wait"


def test_collector_forgets_what_a_reset_forgets():
    source, owner = Numbers(), tenant()
    collector = Collector(source, lambda thing: True, 2, owner)
    source.made = [1]
    collector.ready()
    owner.resets = 1
    source.made = [7]
    assert not collector.ready()
    assert (collector.things, collector.next) == ([7], 7)
    assert Collector(Numbers(), lambda thing: True, 1, owner).next is None


def test_numbered_source_goes_on_after_what_it_gave_and_begins_anew_after_a_reset():
    owner = tenant()
    made = [1, 2, 3]
    source = NumberedSource(owner, lambda after: ((n, str(n)) for n in made if n > after), 1)
    assert list(source.fresh()) == [(2, "2"), (3, "3")]
    assert list(source.fresh()) == []
    made.append(4)
    assert list(source.fresh()) == [(4, "4")]
    owner.resets, made[:] = 1, [1]
    assert list(source.fresh()) == [(1, "1")]


def owner(name: str) -> Any:
    return SimpleNamespace(id=name, events=Events())


async def test_waiters_are_woken_by_events_of_their_kinds_alone_and_not_after_they_have_left():
    waiters, one = Waiters(), owner("a")
    calls, all_kinds = waiters.enter(one, ("call",)), waiters.enter(one)
    one.events.publish("request", 0, None)
    assert (calls.is_set(), all_kinds.is_set()) == (False, True)
    all_kinds.clear()
    waiters.leave(one, all_kinds)
    one.events.publish("call", 0, None)
    assert (calls.is_set(), all_kinds.is_set()) == (True, False)


async def test_waiters_are_woken_by_a_tenant_that_follows_one_of_the_same_id():
    waiters, follower = Waiters(), owner("a")
    waiters.enter(owner("a"))
    woken = waiters.enter(follower)
    follower.events.publish("clock", 0, None)
    assert woken.is_set()


async def test_waiters_are_woken_when_their_own_tenant_goes_or_all_close():
    waiters = Waiters()
    first, second = waiters.enter(owner("a")), waiters.enter(owner("b"))
    waiters.tenant_deleted(owner("a"))
    assert (first.is_set(), second.is_set()) == (True, False)
    waiters.close()
    assert second.is_set()
    assert waiters.enter(owner("a")).is_set(), "who comes while the emulator stops does not wait"


async def test_waiters_know_when_the_last_one_has_left():
    waiters = Waiters()
    await waiters.all_gone(0)
    one = owner("a")
    first, second = waiters.enter(one), waiters.enter(one)
    leaving = asyncio.ensure_future(waiters.all_gone(60))
    waiters.leave(one, first)
    await asyncio.sleep(0)
    assert not leaving.done()
    waiters.leave(one, second)
    await leaving
    waiters.leave(one, second)
