from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from voice_emulator.core.attempts import PushReply
from voice_emulator.providers.provider import PushRequest
from voice_emulator.providers.registry import discover
from voice_emulator.verify import model
from voice_emulator.verify.model import Answer, Evidence

KINDS = discover()["nxcloud"].receipts
GROUP = next(iter(KINDS.values()))
OTHER = replace(GROUP, url_key="elsewhere")


def answer(status: int | None = 200, body: bytes = b"success", kind: Any = GROUP) -> Answer:
    letter = model.TestPush(PushRequest("POST", "http://127.0.0.1:9/", (), b""), kind, {}, "id")
    reply = None if status is None else PushReply(status, (), body)
    return Answer(letter, reply, 0.1, "" if reply else "the connection was refused")


def test_answer_is_shown_in_a_few_words():
    assert answer().shown == "HTTP 200, body 'success'"
    assert answer(204, b"").shown == "HTTP 204, empty body"
    assert answer(200, b"\xff").shown == "HTTP 200, body '�'"
    assert len(answer(200, b"x" * 10_000).shown) < 200
    assert answer(None).shown == "the connection was refused"


def test_answer_is_acknowledged_as_its_provider_judges():
    assert answer().acknowledged
    assert not answer(500).acknowledged
    assert not answer(None).acknowledged


@pytest.mark.parametrize(
    ("given", "usual", "taken"),
    [
        (answer(), answer(500), True),
        # A receiver that never acknowledges properly is told so once: its usual answer counts as taking.
        (answer(200, b"thanks"), answer(200, b"thanks"), True),
        (answer(200, b"error"), answer(200, b"thanks"), False),
        (answer(500, b"oops"), answer(500, b"oops"), False),
        (answer(None), answer(), False),
        (answer(200, b"thanks"), answer(None), False),
        (answer(200, b"thanks", OTHER), answer(200, b"thanks"), False),
    ],
)
def test_evidence_tells_whether_a_letter_was_taken(given: Answer, usual: Answer, taken: bool):
    assert Evidence([[given]], usual).taken(given) is taken


def test_evidence_has_the_answers_of_all_stages_in_order():
    first, second, third = answer(), answer(201), answer(202)
    assert Evidence([[first], [second, third]], first).answers == [first, second, third]
