from __future__ import annotations

from emulator.core.events import Events


def test_events_are_numbered_remembered_and_told():
    events, heard = Events(limit=3), []
    stop = events.listen(heard.append)
    for number in range(5):
        events.publish("call", number, f"s{number}")
    stop()
    stop()
    events.publish("clock", 9, None, "unheard")
    assert [event.id for event in heard] == [1, 2, 3, 4, 5]
    assert [event.id for event in events.since(0)] == [4, 5, 6]
    assert [event.id for event in events.since(5)] == [6]
    assert events.since(6) == []
