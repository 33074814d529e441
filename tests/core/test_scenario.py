from __future__ import annotations

import pytest

from voice_emulator.core.scenario import CORRUPTIONS, RETRIES, ReceiptEffect, ReplyEffect


def test_an_effect_names_what_it_does_wrong():
    assert ReceiptEffect().faults == ()
    assert ReceiptEffect(lost=True, copies=2, corrupt=CORRUPTIONS[0]).faults == ("lost", "copies", "corrupt")
    assert RETRIES["hourly-6"].attempts == 6
    assert RETRIES["minute-60"].attempts == 61


def test_retry_counts_the_first_push():
    assert [RETRIES[name].attempts for name in ("once", "minute-60", "hourly-6", "fast-ladder")] == [
        1,
        61,
        6,
        5,
    ]


@pytest.mark.parametrize(
    ("effect", "places"),
    [
        (ReplyEffect(), True),
        (ReplyEffect(body="{}"), True),
        (ReplyEffect(error="system_error"), False),
        (ReplyEffect(error="system_error", placed=True), True),
        (ReplyEffect(body="{}", placed=False), False),
    ],
)
def test_reply_effect_places_calls_behind_a_verbatim_reply_only_by_default(effect: ReplyEffect, places: bool):
    assert effect.places is places
