from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from voice_emulator.core.attempts import PushReply
from voice_emulator.providers.provider import PushRequest
from voice_emulator.providers.registry import discover
from voice_emulator.verify import model
from voice_emulator.verify.model import Evidence, Response

PROVIDER = discover()["nxcloud"]
KINDS = PROVIDER.receipts
GROUP = next(iter(KINDS.values()))
OTHER = replace(GROUP, url_key="elsewhere")


def response(status: int | None = 200, body: bytes = b"success", kind: Any = GROUP) -> Response:
    push = model.TestPush(
        PushRequest("POST", "http://127.0.0.1:9/", (), b""), kind, {}, "id", PROVIDER.settings.defaults()
    )
    reply = None if status is None else PushReply(status, (), body)
    return Response(push, reply, 0.1, "" if reply else "the connection was refused")


def test_response_is_shown_in_a_few_words():
    assert response().shown == "HTTP 200, body 'success'"
    assert response(204, b"").shown == "HTTP 204, empty body"
    assert response(200, b"\xff").shown == "HTTP 200, body '�'"
    assert len(response(200, b"x" * 10_000).shown) < 200
    assert response(None).shown == "the connection was refused"


def test_response_is_acknowledged_as_its_provider_judges():
    assert response().acknowledged
    assert not response(500).acknowledged
    assert not response(None).acknowledged


@pytest.mark.parametrize(
    ("given", "usual", "accepted"),
    [
        (response(), response(500), True),
        # A receiver that never acknowledges properly is told so once: its usual response counts as acceptance.
        (response(200, b"thanks"), response(200, b"thanks"), True),
        (response(200, b"error"), response(200, b"thanks"), False),
        (response(500, b"oops"), response(500, b"oops"), False),
        (response(None), response(), False),
        (response(200, b"thanks"), response(None), False),
        (response(200, b"thanks", OTHER), response(200, b"thanks"), False),
    ],
)
def test_evidence_tells_whether_a_push_was_accepted(given: Response, usual: Response, accepted: bool):
    assert Evidence([[given]], usual).accepted(given) is accepted


def test_evidence_has_the_responses_of_all_stages_in_order():
    first, second, third = response(), response(201), response(202)
    assert Evidence([[first], [second, third]], first).responses == [first, second, third]
