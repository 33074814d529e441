from __future__ import annotations

from voice_emulator.core.faults import FAULTS, NO_FAULT, FaultEffect, HttpStatus, Reset
from voice_emulator.core.scenario import ReplyEffect


def test_whether_a_call_happens_behind_a_spoilt_reply():
    assert FaultEffect(fault=Reset()).places
    assert not FaultEffect(fault=HttpStatus()).places
    assert FaultEffect(fault=HttpStatus(), placed=True).places
    assert not ReplyEffect(error="x").places
    assert ReplyEffect(status=500).places
    assert not ReplyEffect(status=500, placed=False).places
    assert set(FAULTS) >= {"reset", "hang", "slow_body", "http_status"}


def test_faults_are_found_by_their_words_and_the_absent_one_has_none():
    assert all(kind.name == word and word.islower() for word, kind in FAULTS.items())
    assert NO_FAULT.name not in FAULTS
    # A gateway that answers in the provider's place has not passed the request on.
    assert {word for word, kind in FAULTS.items() if not kind.placed_by_default} == {
        "http_status",
        "html_error",
        "token_expired",
    }
