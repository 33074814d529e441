"""One reader of JSON for both ports; they differ in repeated keys alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voice_emulator.providers.request import Request
from voice_emulator.wire.control.problems import ControlError
from voice_emulator.wire.control.request import parse_json
from voice_emulator.wire.http.strict_json import (
    DEPTH_LIMIT,
    DIGITS_LIMIT,
    MEMBER_LIMIT,
    VALUE_LIMIT,
    JsonRefused,
    read_json,
)  # fmt: skip
from voice_emulator.wire.traffic.decoding import decode


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


REFUSED: list[tuple[bytes, str]] = [
    (b"{", "is not JSON: .* at line 1, column 2"),
    (b'{"a": 1,}', "is not JSON"),
    (b"{} x", "is not JSON: Extra data"),
    (b"", "is not JSON"),
    (b'{"a": NaN}', "NaN is not a JSON number"),
    (b"[-Infinity]", "-Infinity is not a JSON number"),
    (b'{"a": 1e999}', "too large"),
    (b'{"a": ' + b"9" * 5000 + b"}", "a number is too large"),
    (b'{"a": "\xff"}', "is not UTF-8: .* at byte 7"),
    (b'{"a": "\\ud800"}', "half of a surrogate pair"),
    (b'{"\\udfff": 1}', "half of a surrogate pair"),
    (nested(DEPTH_LIMIT + 1), f"deeper than {DEPTH_LIMIT} levels"),
    (b"[" * 100_000, f"deeper than {DEPTH_LIMIT} levels"),
    (b'{"a":' * 70 + b"1" + b"}" * 70, f"deeper than {DEPTH_LIMIT} levels"),
    (b"[" + b"1," * VALUE_LIMIT + b"1]", f"more than {VALUE_LIMIT} values"),
]


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize(("body", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_no_port_takes_is_refused_alike(body: bytes, says: str, unique: bool):
    with pytest.raises(JsonRefused, match=says) as refused:
        read_json(body, unique=unique)
    assert (refused.value.place is not None) is ("is not JSON" in says)


@pytest.mark.parametrize(("body", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_both_ports_say_the_same(body: bytes, says: str):
    with pytest.raises(ControlError) as refused:
        parse_json(body)
    if not body:
        return  # without a body there is nothing to decode
    request = Request("p", "POST", "/x", {}, {}, body, "")
    decode(request, "application/json")
    assert [problem.message for problem in request.faulty] == [refused.value.detail]


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": [1, -1.5, None, True, "é\U0001f600"]},
        [],
        "x",
        5,
        json.loads(nested(DEPTH_LIMIT)),
        [[{}]] * 100,
    ],
)
def test_what_is_json_is_read(value: Any, unique: bool):
    for text in (json.dumps(value), f" {json.dumps(value, ensure_ascii=False)}\n"):
        assert read_json(text.encode(), unique=unique) == value


def test_of_a_repeated_key_the_last_counts_unless_keys_must_be_unique():
    assert read_json(b'{"a": 1, "a": 2}') == {"a": 2}
    with pytest.raises(JsonRefused, match="'a' appears twice"):
        read_json(b'[{"a": 1, "a": 2}]', unique=True)


def test_unique_bounds_members_and_digits():
    many = json.dumps({f"k{n}": n for n in range(MEMBER_LIMIT + 1)}).encode()
    assert len(read_json(many)) == MEMBER_LIMIT + 1
    with pytest.raises(JsonRefused, match=f"more than {MEMBER_LIMIT} members"):
        read_json(many, unique=True)
    with pytest.raises(JsonRefused, match="a number is too large"):
        read_json(b"9" * (DIGITS_LIMIT + 1), unique=True)
