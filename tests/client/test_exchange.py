from __future__ import annotations

import pytest

from voice_emulator.client.errors import (
    Conflict,
    ControlError,
    Forbidden,
    InputError,
    Invalid,
    NotFound,
    Unauthorized,
    UnexpectedReply,
)
from voice_emulator.client.exchange import Exchange, Reply, ask, path, query, refusal

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid), (401, Unauthorized), (403, Forbidden), (404, NotFound), (409, Conflict),
        (413, Invalid), (421, Forbidden), (422, Invalid), (503, ControlError),
    ],
)  # fmt: skip
def test_each_status_has_its_exception(status, kind):
    error = refusal(Reply(status, PROBLEM, b'{"title": "No", "status": %d}' % status))
    assert type(error) is kind
    assert isinstance(error, ControlError)
    assert error.status == status


def test_a_problem_is_told_in_full():
    body = b"""{"type": "urn:x", "title": "Unprocessable Content", "detail": "the body is invalid",
                "errors": [{"pointer": "/clock", "message": "unknown clock"},
                           {"pointer": "", "message": "too much"}]}"""
    error = refusal(Reply(422, PROBLEM, body))
    assert isinstance(error, Invalid)
    assert error.errors == (InputError("/clock", "unknown clock"), InputError("", "too much"))
    assert error.type == "urn:x"
    assert str(error) == (
        "422 Unprocessable Content: the body is invalid\n  /clock: unknown clock\n  /: too much"
    )


@pytest.mark.parametrize(
    "reply", [Reply(502, "text/html", b"<html>"), Reply(500, PROBLEM, b"[]"), Reply(500, PROBLEM, b"{")]
)
def test_what_is_no_problem_document_did_not_come_from_the_control_api(reply):
    with pytest.raises(UnexpectedReply):
        raise refusal(reply)


def test_a_success_that_is_no_object_is_unexpected():
    with pytest.raises(UnexpectedReply, match="expected a JSON object"):
        Reply(200, "application/json", b"[1]").document()


def test_a_flow_asks_and_is_answered_without_any_io():
    flow = ask(Exchange("GET", "/health"))
    assert next(flow) == Exchange("GET", "/health")
    with pytest.raises(StopIteration) as stopped:
        flow.send(Reply(200, "application/json", b"{}"))
    assert stopped.value.value.status == 200


def test_targets_are_escaped():
    exchange = Exchange("GET", path("v1", "tenants", "a/b?c d"), query(number="62*", after=None, limit=5))
    assert exchange.target == "/v1/tenants/a%2Fb%3Fc%20d?number=62%2A&limit=5"
