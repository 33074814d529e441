from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from voice_emulator.providers.request import NOTHING, Request, json_reply


def request(**options: Any) -> Request:
    return Request("acme", "POST", "/", NOTHING, NOTHING, b"", "127.0.0.1", **options)


@pytest.mark.parametrize(("value", "text"), [("a", "a"), ("", ""), (5, ""), (None, ""), (["a"], "")])
def test_text_of_a_field_is_empty_unless_it_is_text(value: Any, text: str):
    assert request(fields={"phone": value}).text("phone") == text
    assert request().text("phone") == ""


def test_key_of_a_request_is_its_operation_first_number_and_count():
    operation: Any = SimpleNamespace(name="gpsend")
    asked = request(operation=operation, numbers=("62811", "62812"), ordinal=3)
    assert asked.key == ("acme", "gpsend", "62811", 3)
    assert request().key == ("acme", "", "", 0)


def test_json_reply_is_compact_and_keeps_the_order_of_keys():
    reply = json_reply({"b": "é", "a": [1, 2]}, code="0")
    assert reply.body == '{"b":"é","a":[1,2]}'.encode()
    assert (reply.status, reply.refused, reply.code) == (200, False, "0")
    escaped = json_reply({"b": "é"}, code="0", ascii_only=True)
    assert escaped.body == b'{"b":"\\u00e9"}'


def test_json_reply_sends_a_lone_surrogate_as_it_came():
    body = json_reply({"phone": "\ud800"}, code="1", refused=True).body
    assert json.loads(body.decode("utf-8", "surrogatepass")) == {"phone": "\ud800"}
