from __future__ import annotations

from typing import Any

import pytest

from voice_emulator.providers.request import NOTHING, Request
from voice_emulator.wire.traffic import lazy_fields
from voice_emulator.wire.traffic.decoding import decode
from voice_emulator.wire.traffic.lazy_fields import LazyFields

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def request(body: bytes, content_type: str, query: str = "") -> Request:
    made = Request("acme", "POST", "/", NOTHING, {"content-type": content_type}, body, "", raw_query=query)
    decode(made, content_type)
    return made


@pytest.mark.parametrize(
    ("body", "content_type", "query"),
    [
        (b"a=1&b=%E5%8F%B7&b=2", FORM, ""),
        (b'{"a": {"b": [1, null]}}', JSON, "c=3"),
        (b"", "", "a=1&b="),
        (b"", "", ""),
        (b"\xff=\xfe", FORM, ""),
        (b'{"a": ', JSON, ""),
        (b"a=" + b"x" * (lazy_fields.CACHED_LIMIT + 1), FORM, ""),
    ],
)
def test_lazy_fields_equal_the_fields_they_stand_for(body: bytes, content_type: str, query: str):
    asked = request(body, content_type, query)
    lazy = LazyFields(asked)
    before: Any = dict(asked.fields)
    assert dict(lazy.items()) == before
    assert dict(lazy) == before
    assert len(lazy) == len(before)
    assert {name: lazy[name] for name in before} == before
    assert "no such field" not in lazy


def test_lazy_fields_hold_no_request():
    asked = request(b"a=1", FORM)
    lazy = LazyFields(asked)
    assert not any(getattr(lazy, name) is asked for name in LazyFields.__slots__)
