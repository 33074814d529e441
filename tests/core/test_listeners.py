from __future__ import annotations

import pytest

from voice_emulator.core.listeners import Listener, Listeners


class Named(Listener):
    def __init__(self, name: str, told: list[str]) -> None:
        self.name = name
        self.told = told

    def push_due(self, tenant: str) -> None:
        self.told.append(f"{self.name} {tenant}")


def test_listeners_are_told_in_the_order_of_registration_and_only_of_what_they_override():
    told: list[str] = []
    listeners = Listeners(Named("first", told), Listener(), Named("second", told))
    assert len(listeners.push_due) == 2
    assert listeners.call_ended == ()
    for tell in listeners.push_due:
        tell("t")
    assert told == ["first t", "second t"]


def test_the_parts_of_a_tenant_need_not_know_it_and_are_silent_once_it_is_closed():
    told: list[str] = []
    listeners, mine = Listeners(), Listeners()
    listeners.add(Named("a", told))
    mine.bind(listeners, "t1")
    for tell in mine.push_due:
        tell()
    assert told == ["a t1"]
    mine.clear()
    assert mine.push_due == ()
    assert len(listeners.push_due) == 1


def test_an_unknown_notice_is_an_error():
    with pytest.raises(AttributeError, match="push_dew"):
        _ = Listeners().push_dew
