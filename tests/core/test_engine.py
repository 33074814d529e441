from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.engine import Engine
from voice_emulator.core.listeners import Listener, Listeners


def test_what_is_due_happens_in_order_of_time_then_of_scheduling():
    engine, seen = Engine(), []
    for name, due in (("c", 3), ("a1", 1), ("a2", 1), ("later", 9)):
        engine.schedule(due, lambda argument, at: seen.append((argument, at)), name)
    assert engine.fire(5) == 3
    assert seen == [("a1", 1), ("a2", 1), ("c", 3)]
    assert engine.next_due() == 9
    assert len(engine) == 1


def test_what_an_action_schedules_for_now_happens_in_the_same_go():
    engine, seen = Engine(), []

    def again(argument: int, at: int) -> None:
        seen.append(argument)
        if argument:
            engine.schedule(at, again, argument - 1)

    engine.schedule(1, again, 3)
    assert engine.fire(1) == 4
    assert seen == [3, 2, 1, 0]


def test_one_go_can_be_bounded():
    engine = Engine()
    for _ in range(10):
        engine.schedule(1, lambda argument, at: None, None)
    assert [engine.fire(1, at_most=4) for _ in range(4)] == [4, 4, 2, 0]


def test_listeners_are_told_of_each_new_earliest():
    heard: list[tuple[str, int]] = []

    class Timer(Listener):
        def due_earlier(self, tenant: str, due: int) -> None:
            heard.append((tenant, due))

    listeners = Listeners()
    engine = Engine(listeners)
    engine.schedule(7, lambda argument, at: None, None)
    listeners.bind(Listeners(Timer()), "mine")
    for due in (9, 5, 6, 5, 1):
        engine.schedule(due, lambda argument, at: None, None)
    assert heard == [("mine", 5), ("mine", 1)]
    engine.fire(9)
    engine.schedule(20, lambda argument, at: None, None)
    assert heard[-1] == ("mine", 20)


@given(st.lists(st.integers(0, 50)))
def test_whatever_is_scheduled_happens_in_order(instants: list[int]):
    engine, seen = Engine(), []
    for number, due in enumerate(instants):
        engine.schedule(due, lambda argument, at: seen.append((at, argument)), number)
    assert engine.next_due() == min(instants, default=None)
    assert engine.fire(50) == len(instants)
    assert seen == sorted((due, number) for number, due in enumerate(instants))
    engine.schedule(1, lambda argument, at: None, None)
    engine.clear()
    assert engine.next_due() is None
