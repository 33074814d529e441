from __future__ import annotations

from dataclasses import replace

import pytest

from voice_emulator.providers.provider import ErrorCode, first_problem
from voice_emulator.providers.registry import discover
from voice_emulator.providers.request import Problem

ANY = ErrorCode("busy", "7", "busy")
SEND = ErrorCode("busy", "8", "busy here", operations=frozenset({"send"}))
OTHER = ErrorCode("limited", "8", "limited", operations=frozenset({"query"}))
PROVIDER = replace(discover()["nxcloud"], errors=(ANY, SEND, OTHER))


@pytest.mark.parametrize(
    ("wanted", "operation", "found"),
    [
        ("busy", "send", SEND),  # the operation's own beats everybody's
        ("busy", "query", ANY),
        ("8", "send", SEND),
        ("8", "query", OTHER),
        ("7", "send", ANY),
        ("limited", "send", None),
        ("unknown", "send", None),
    ],
)
def test_find_error_by_name_or_code_as_the_operation_has_it(
    wanted: str, operation: str, found: ErrorCode | None
):
    assert PROVIDER.find_error(wanted, operation) is found


def test_first_problem_is_the_first_of_the_order_and_unlisted_codes_come_last():
    late, unlisted, early = Problem("9", "late"), Problem("x", "unlisted"), Problem("1", "early")
    assert first_problem([unlisted, late, early], ("1", "9")) is early
    assert first_problem([unlisted, late], ("1", "9")) is late
    again = Problem("9", "a second one of that code")
    assert first_problem([late, again], ("1", "9")) is late
    assert first_problem([unlisted, Problem("y", "")], ()) is unlisted


def test_credential_keys_leave_out_what_is_unset():
    keys = {
        kind
        for _, kind, _ in PROVIDER.credential_keys({"appkey": "a", "agent": {"appkey": ""}, "signed": None})
    }
    assert keys == {"appkey"}


def test_read_settings_names_the_provider():
    with pytest.raises(ValueError, match=r"^nxcloud\.batch_limit: must be a whole number"):
        PROVIDER.read_settings({"batch_limit": "many"})
