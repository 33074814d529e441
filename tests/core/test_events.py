from __future__ import annotations

from tests.core.accounts import Heard
from voice_emulator.core.events import Events
from voice_emulator.core.listeners import Listeners


def make_events(limit: int) -> tuple[Events, Heard]:
    listeners, heard = Listeners(), Heard()
    listeners.bind(Listeners(heard), "tenant")
    return Events(limit, listeners), heard


def test_events_are_numbered_remembered_and_told():
    events, heard = make_events(limit=3)
    for number in range(5):
        events.publish("call", number, f"s{number}")
    events.publish("clock", 9, None, "advanced")
    assert heard.events == [*(("call", f"s{number}") for number in range(5)), ("clock", None)]
    assert [event.id for event in events.since(0)] == [4, 5, 6]
    assert [event.id for event in events.since(5)] == [6]
    assert events.since(6) == []


def test_heavy_subjects_are_forgotten_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr("voice_emulator.core.events.BYTE_LIMIT", 300_000)
    events, heard = make_events(limit=100)
    for number in range(1, 11):
        events.publish("call", number, None)
        events.publish("request", number, f"heavy {number}", weight=100_000)
    assert len(heard.events) == 20
    kept = events.since(0)
    assert [event.subject for event in kept if event.subject] == ["heavy 8", "heavy 9", "heavy 10"]
    # What is light is bounded by its number alone.
    for number in range(50):
        events.publish("request", number, None, weight=1_000)
    assert len(events.since(0)) == len(kept) + 50
    # One that is too heavy by itself is told and not kept.
    events.publish("request", 0, "heaviest", weight=400_000)
    assert heard.events[-1] == ("request", "heaviest")
    assert events.since(0) == []
    events.publish("call", 0, "next")
    assert [event.subject for event in events.since(0)] == ["next"]
