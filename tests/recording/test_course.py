"""Courses: a receipt that the emulator renders tells how its call went, whatever provider renders it."""

from __future__ import annotations

import pytest

from tests.recording.taped import READER
from voice_emulator.core.vocabulary import CONNECTED, RINGS, Outcome, Party
from voice_emulator.recording.course import BEGIN, Courses, Way

KINDS = [
    (provider.id, operation.name, kind)
    for provider in READER.providers.values()
    for operation in provider.operations.values()
    if operation.places_calls
    for kind in operation.receipts
]
COURSES = {provider.id: Courses(provider, READER.schemas) for provider in READER.providers.values()}


@pytest.mark.parametrize(("provider", "operation", "kind"), KINDS)
def test_course_of_every_outcome_renders_the_same_receipt_again(provider: str, operation: str, kind: str):
    courses = COURSES[provider]
    if courses.power(operation, kind) < 2:
        pytest.skip("its receipts do not say how a call went")
    for outcome in Outcome:
        for party in (Party.CALLER, Party.CALLEE) if outcome is Outcome.ANSWERED else (None,):
            receipt = courses._render(operation, kind, Way(outcome, None, party), 7, 41, "")
            assert receipt is not None
            told = courses.tell(operation, kind, receipt, BEGIN)
            assert told is not None
            assert (told.unlike, told.extra, told.missing) == ({}, {}, ())
            assert told.talk == (41 if outcome in CONNECTED else None)
            if told.ring is not None:
                assert (told.ring, outcome in RINGS) == (7, True)
            again = courses._render(operation, kind, told.way, told.ring or 7, told.talk or 10, "")
            assert again == receipt


def test_cause_of_its_own_and_keys_are_told():
    courses = COURSES["nxcloud"]
    receipt = courses._render("gpsend", "group", Way(Outcome.NO_ANSWER, "NO_USER_RESPONSE"), 7, 41, "")
    assert receipt is not None
    told = courses.tell("gpsend", "group", receipt, BEGIN)
    assert told is not None
    assert (told.way.outcome, told.way.cause) == (Outcome.NO_ANSWER, "NO_USER_RESPONSE")
    keyed = courses._render("gpsend", "group", Way(Outcome.ANSWERED, None, Party.CALLER), 7, 41, "12#")
    assert keyed is not None
    told = courses.tell("gpsend", "group", keyed, BEGIN)
    assert told is not None
    assert told.keys == "12#"


def test_what_no_call_of_ours_has_is_told_as_unlike_extra_and_missing():
    receipt = dict(COURSES["nxcloud"]._render("gpsend", "group", Way(Outcome.BUSY), 3, 10, "") or {})
    receipt |= {"hangup_cause": "BRAND_NEW", "carrier": "x"}
    del receipt["countryCode"]
    told = COURSES["nxcloud"].tell("gpsend", "group", receipt, BEGIN)
    assert told is not None
    assert (told.unlike, told.extra, told.missing) == (
        {"hangup_cause": "BRAND_NEW"}, {"carrier": "x"}, ("countryCode",),
    )  # fmt: skip
