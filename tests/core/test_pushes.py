from __future__ import annotations

from typing import Any

from voice_emulator.core.engine import Engine
from voice_emulator.core.pushes import Outbox, Push
from voice_emulator.core.scenario import ReceiptEffect, Retry
from voice_emulator.core.vocabulary import PushOutcome


def push(name: str, due: int = 0, **options: Any) -> Push:
    return Push(name, "acme", "bill", None, None, due, **options)


def take_all(outbox: Outbox) -> list[str]:
    taken = []
    while (found := outbox.take()) is not None:
        taken.append(found.id)
    return taken


def test_outbox_gives_each_due_push_once_and_knows_what_is_in_flight():
    engine = Engine()
    outbox = Outbox(engine)
    outbox.schedule(push("late", 20))
    outbox.schedule(push("early", 10))
    engine.fire(15)
    first = outbox.take()
    assert first is not None
    assert (first.id, outbox.take(), outbox.idle) == ("early", None, False)
    assert outbox.in_flight == {("early", 1): first}
    outbox.settle(first, PushOutcome.DELIVERED, 15)
    assert first.acknowledged
    assert outbox.idle, "what only the engine knows of is not due yet"
    engine.fire(20)
    assert take_all(outbox) == ["late"]


def test_settle_schedules_the_next_attempt_only_where_trying_again_can_help():
    for outcome in PushOutcome:
        engine = Engine()
        outbox = Outbox(engine)
        one = push("p", retry=Retry((5, 7)))
        outbox.push_now(one)
        outbox.take()
        outbox.settle(one, outcome, 100)
        again = outcome in (PushOutcome.REFUSED, PushOutcome.FAILED)
        assert (engine.next_due(), one.attempt) == ((105, 2) if again else (None, 1)), outcome


def test_settle_gives_up_after_the_last_attempt():
    engine = Engine()
    outbox = Outbox(engine)
    one = push("p", retry=Retry((5, 7)))
    outbox.push_now(one)
    now = 0
    due = []
    while outbox.take() is not None:
        outbox.settle(one, PushOutcome.FAILED, now)
        if (following := engine.next_due()) is not None:
            now = following
            due.append(now)
            engine.fire(now)
    assert due == [5, 12]
    assert one.attempt == 3


def test_held_push_goes_after_as_many_others_as_it_waits_for():
    engine = Engine()
    outbox = Outbox(engine)
    outbox.schedule(push("held", 1, effect=ReceiptEffect(hold=2)))
    for number in range(2, 6):
        outbox.schedule(push(str(number), number))
    engine.fire(10)
    assert take_all(outbox) == ["2", "3", "held", "4", "5"]


def test_held_push_goes_when_nothing_is_left_that_could_overtake_it():
    engine = Engine()
    outbox = Outbox(engine)
    outbox.schedule(push("held", 1, effect=ReceiptEffect(hold=3)))
    outbox.schedule(push("other", 2))
    engine.fire(5)
    assert [each.id for each in outbox.held] == ["held"]
    other = outbox.take()
    assert other is not None
    assert outbox.take() is None
    outbox.settle(other, PushOutcome.DELIVERED, 5)
    assert take_all(outbox) == ["held"]


def test_push_by_hand_is_never_held():
    engine = Engine()
    outbox = Outbox(engine)
    outbox.schedule(push("now", 1, effect=ReceiptEffect(hold=3), by_hand=True))
    outbox.schedule(push("other", 2))
    engine.fire(1)
    assert take_all(outbox) == ["now"]
