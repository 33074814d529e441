from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.engine import Engine


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


def test_a_listener_hears_of_each_new_earliest_and_of_what_is_pending_when_it_comes():
    engine, heard = Engine(), []
    engine.schedule(7, lambda argument, at: None, None)
    engine.on_earlier(heard.append)
    for due in (9, 5, 6, 5):
        engine.schedule(due, lambda argument, at: None, None)
    assert heard == [7, 5]
    listener = engine.detach()
    engine.schedule(1, lambda argument, at: None, None)
    engine.on_earlier(listener)
    assert heard == [7, 5, 1]


@given(st.lists(st.integers(0, 50)))
def test_the_future_can_be_listed_in_the_order_it_will_happen(instants: list[int]):
    engine = Engine()

    def happen(argument: int, at: int) -> None: ...

    for number, due in enumerate(instants):
        engine.schedule(due, happen, number)
    expected = sorted(range(len(instants)), key=lambda n: (instants[n], n))
    assert [(due, argument) for due, _, argument in engine.upcoming(1_000)] == [
        (instants[n], n) for n in expected
    ]
    assert all(action == "happen" for _, action, _ in engine.upcoming(3))
    engine.clear()
    assert engine.next_due() is None
