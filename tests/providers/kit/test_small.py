"""Fields, memory, settings, tables and the emulator's own failures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from voice_emulator.providers.kit import checks
from voice_emulator.providers.kit.fields import View, at
from voice_emulator.providers.kit.memory import Remembered
from voice_emulator.providers.kit.replies import file_reply, own_failure
from voice_emulator.providers.kit.tables import download, errors, operations, receipts, route
from voice_emulator.providers.provider import ErrorCode, ReceiptKind
from voice_emulator.providers.request import Operation


def _never(*arguments: Any) -> Any:
    raise AssertionError("a table calls no slot")


def test_a_view_renames_attributes_in_its_own_order():
    shown = View("id crmid=userid again=id")(SimpleNamespace(userid="u", id=7))
    assert list(shown.items()) == [("id", 7), ("crmid", "u"), ("again", 7)]


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"a": {"b": 3}}, 3),
        ({"a": {"b": "3"}}, None),
        ({"a": {}}, None),
        ({"a": [3]}, None),
        (None, None),
        ([], None),
    ],
)
def test_a_nested_value_of_the_right_type_is_found(payload: Any, found: int | None):
    assert at(payload, "a", "b", of=int) == found


def test_the_oldest_entry_is_forgotten_beyond_the_limit():
    kept: Remembered[int, str] = Remembered(3)
    for number in range(5):
        kept[number] = "x"
    kept[2] = "again"
    assert list(kept.items()) == [(2, "again"), (3, "x"), (4, "x")]


@pytest.mark.parametrize(
    ("check", "good", "bad", "reason"),
    [
        (checks.networks, ["10.0.0.0/8", "::1"], ["10.0.0.0/33"], "10.0.0.0/33"),
    ],
)
def test_a_setting_is_checked(check: Any, good: Any, bad: Any, reason: str):
    check(good)
    with pytest.raises(ValueError, match=reason):
        check(bad)


def test_schemas_and_url_keys_follow_from_the_names():
    slots: dict[str, Any] = {"identify": _never, "authenticate": _never, "explain": _never, "answer": _never}
    dial = Operation("dial", "Dial", "a page", frozenset({"json"}), **slots)
    found = operations(
        "acme", dial, Operation("hang", "Hang up", "a page", frozenset({"json"}), request="x", **slots)
    )
    assert [(each.request, each.reply) for each in found.values()] == [
        ("acme/dial.request", "acme/dial.reply"), ("x", "acme/hang.reply"),
    ]  # fmt: skip
    push: dict[str, Any] = {"fields": _never, "encode": _never, "judge": _never}
    kinds = receipts("acme", ReceiptKind("ended", "Ended", "a page", **push),
                     ReceiptKind("late", "Late", "a page", url_key="acme_late", **push))  # fmt: skip
    assert [(name, kind.schema, kind.url_key) for name, kind in kinds.items()] == [
        ("ended", "acme/ended.receipt", "acme"), ("late", "acme/late.receipt", "acme_late"),
    ]  # fmt: skip


def test_codes_belong_to_their_operations_and_paths_to_theirs():
    (one,) = errors("dial", ErrorCode("busy", "7", "Busy"))
    (two,) = errors(["dial", "hang"], ErrorCode("busy", "7", "Busy"))
    assert (one.operations, two.operations) == (frozenset({"dial"}), frozenset({"dial", "hang"}))
    assert route("/dial", "dial").select is not None
    assert (route("/dial", "dial").operations, download("/files/", _never).methods) == (
        ("dial",),
        frozenset({"GET"}),
    )


def test_a_failure_of_the_emulator_fits_a_header_whatever_it_says():
    reply = own_failure(405, "no such thing:\r\n Ünter\ud800" + "x" * 900, allow=("GET", "POST"))
    headers = dict(reply.headers)
    assert (reply.status, reply.code, reply.refused, headers["Allow"]) == (405, "405", True, "GET, POST")
    assert headers["Emulator-Error"].isascii()
    assert len(headers["Emulator-Error"]) == 500
    assert reply.body.decode().splitlines() == [headers["Emulator-Error"]]


def test_a_file_may_have_a_name():
    assert file_reply(b"RIFF", "audio/wav").headers == ()
    assert file_reply(b"RIFF", "audio/wav", name="a.wav").headers == (
        ("Content-Disposition", 'attachment; filename="a.wav"'),
    )
