from __future__ import annotations

from voice_emulator.core.events import Events


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


def test_heavy_subjects_are_forgotten_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr("voice_emulator.core.events.BYTE_LIMIT", 300_000)
    events, heard = Events(limit=100), []
    events.listen(heard.append)
    for number in range(1, 11):
        events.publish("call", number, None)
        events.publish("request", number, f"heavy {number}", weight=100_000)
    assert len(heard) == 20
    kept = events.since(0)
    assert [event.subject for event in kept if event.subject] == ["heavy 8", "heavy 9", "heavy 10"]
    # What is light is bounded by its number alone.
    for number in range(50):
        events.publish("request", number, None, weight=1_000)
    assert len(events.since(0)) == len(kept) + 50
    # One that is too heavy by itself is told and not kept.
    events.publish("request", 0, "heaviest", weight=400_000)
    assert heard[-1].subject == "heaviest"
    assert events.since(0) == []
    events.publish("call", 0, "next")
    assert [event.subject for event in events.since(0)] == ["next"]
