from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from voice_emulator.client.entries import Entry, StreamEvent, StreamParser
from voice_emulator.core.members import Shape
from voice_emulator.core.shapes import SHAPES, ActingRules, Callback, JournalEntry, ReceivedRequest, SentReply

REQUEST = {
    "id": 4,
    "kind": "request",
    "at": "2026-01-05T01:00:00.000000+00:00",
    "provider": "nxcloud",
    "operation": "gpsend",
    "attributed": True,
    "request": {
        "method": "POST",
        "path": "/api/voiceSms/gpsend",
        "headers": [["Host", "127.0.0.1"]],
        "fields": {"phone": "6281200000486"},
        "body": "phone=6281200000486",
    },
    "numbers": ["6281200000486"],
    "violations": [{"code": "2", "place": "/url", "message": "is required"}],
    "rule": {"reply": "slow", "fault": "slow"},
    "fault": "latency",
    "code": "2",
    "refused": True,
    "reply": {"status": 200, "body": '{"code":"2"}', "note": ""},
    "calls": [],
}
CALLBACK = {
    "id": 9,
    "kind": "callback",
    "at": "2026-01-05T01:00:01.000000+00:00",
    "provider": "nxcloud",
    "operation": None,
    "callback": {
        "number": "6281200000486",
        "call_id": "c1",
        "method": "POST",
        "fields": {"hangup_cause": "USER_BUSY"},
        "faults": ["lost"],
        "outcome": "lost",
        "status": None,
        "reply": None,
        "rule": "a rule",
    },
}


def test_a_request_entry_has_shorthands_for_what_tests_ask():
    entry = Entry.read(REQUEST)
    assert (entry.id, entry.provider, entry.operation, entry.numbers) == (
        4,
        "nxcloud",
        "gpsend",
        ("6281200000486",),
    )
    assert (entry.method, entry.path, entry.body) == ("POST", "/api/voiceSms/gpsend", "phone=6281200000486")
    assert entry.fields["phone"] == "6281200000486"
    assert entry.headers == [("Host", "127.0.0.1")]
    assert (entry.status, entry.reply_json, entry.code, entry.refused) == (200, {"code": "2"}, "2", True)
    assert (entry.rules, entry.faults, entry.calls) == (("slow",), ("latency",), ())
    assert entry.violations[0]["place"] == "/url"
    assert entry.document is REQUEST


def test_a_callback_entry_speaks_of_its_attempt():
    entry = Entry.read(CALLBACK)
    assert entry.subject["outcome"] == "lost"
    assert entry.fields == {"hangup_cause": "USER_BUSY"}
    assert (entry.numbers, entry.calls, entry.method) == (("6281200000486",), ("c1",), "POST")
    assert (entry.status, entry.reply, entry.rules, entry.faults) == (None, "", ("a rule",), ("lost",))


def test_a_request_without_reply_has_no_status():
    assert Entry.read({**REQUEST, "reply": None}).status is None


class Watched(dict[str, Any]):
    """An object that notes which of its members are read."""

    def __init__(self, document: Mapping[str, Any], read: set[str], shape: type[Shape]) -> None:
        inner = {"request": ReceivedRequest, "reply": SentReply, "rule": ActingRules, "callback": Callback}
        super().__init__(
            {
                n: Watched(v, read, inner[n]) if isinstance(v, dict) and n in inner else v
                for n, v in document.items()
            }
        )
        self.read, self.shape = read, shape

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(f"{self.shape.__name__}.{name}")
        return super().get(name, default)


@pytest.mark.parametrize("document", [REQUEST, CALLBACK], ids=["request", "callback"])
def test_the_shorthands_read_declared_members_only(document: dict[str, Any]):
    read: set[str] = set()
    entry = Entry.read(Watched(document, read, JournalEntry))
    for name, found in vars(Entry).items():
        if isinstance(found, property) and name != "reply_json":
            getattr(entry, name)
    declared = {f"{shape.__name__}.{name}" for shape in SHAPES for name in shape.schema()["properties"]}
    # Each shorthand looks for a member under both kinds; only a request has a path, only a push one number and call.
    assert read - declared <= {
        "Callback.path",
        "JournalEntry.number",
        "JournalEntry.call_id",
        "JournalEntry.faults",
    }
    assert len(read & declared) > 10


def events(text: str) -> list[StreamEvent]:
    parser = StreamParser()
    return [event for line in text.split("\n") if (event := parser.feed(line)) is not None]


def test_the_stream_is_read_event_by_event():
    assert events(
        'retry: 1000\n\nid: 7\nevent: call\ndata: {"a": 1}\n\n: still here\n\nid: 8\ndata: x\n\n'
    ) == [
        StreamEvent("7", "call", {"a": 1}),
        StreamEvent("8", "message", "x"),
    ]


def test_an_event_of_several_data_lines_is_one_document():
    assert events('data: {"a":\ndata:1}\n\n') == [StreamEvent("", "message", {"a": 1})]


@pytest.mark.parametrize("value", ["äöü", "a\u2028b", {"nested": ["x:y"]}])
def test_data_survives(value):
    text = f"id: 1\nevent: request\ndata: {json.dumps(value, ensure_ascii=False)}\n\n"
    assert events(text) == [StreamEvent("1", "request", value)]
