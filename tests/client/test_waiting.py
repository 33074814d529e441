from __future__ import annotations

import pytest

from voice_emulator.client.entries import Entry
from voice_emulator.client.waiting import wait_result
from voice_emulator.core.shapes import Call, Callback

AT = "2026-01-05T09:00:00+08:00"


@pytest.mark.parametrize(("kind", "cls"), [("callbacks", Callback), ("calls", Call), ("requests", Entry)])
def test_wait_result_reads_items_of_its_kind(kind: str, cls: type):
    result = wait_result(
        kind, {"satisfied": True, "items": [{"id": "1", "at": AT, "submitted_at": AT}], "next": 12}
    )
    assert result
    assert [type(item) for item in result] == [cls]
    assert result.next == "12"


def test_wait_result_is_false_when_there_were_not_enough():
    result = wait_result("calls", {"satisfied": False, "items": None, "next": None})
    assert not result
    assert (list(result), result.next) == ([], None)
    assert not wait_result("calls", {})


def test_wait_result_of_an_unknown_kind_is_an_error():
    with pytest.raises(KeyError):
        wait_result("pushes", {})
