from __future__ import annotations

import json

from voice_emulator.wire.control import problems
from voice_emulator.wire.control.problems import ControlError, conflict, invalid, missing, respond, wrong


def test_invalid_tells_its_first_error_in_the_sentence_and_counts_the_others():
    error = invalid([("/seed", "must be a whole number"), ("/id", "is taken")])
    assert error.detail == "the request is invalid: /seed: must be a whole number (and 1 more)"
    assert error.shown()["errors"] == [
        {"pointer": "/seed", "message": "must be a whole number"},
        {"pointer": "/id", "message": "is taken"},
    ]
    assert wrong("", "is not an object").detail == "the request is invalid: is not an object"
    assert invalid([], "the query is invalid").detail == "the query is invalid"


def test_invalid_keeps_what_an_error_says_beyond_its_place():
    error = invalid([{"pointer": "/rules/0", "message": "no", "line": 3}])
    assert error.errors[0]["line"] == 3
    assert ": /rules/0: no" in error.detail


def test_invalid_names_a_bounded_number_of_errors(monkeypatch):
    monkeypatch.setattr(problems, "ERRORS_LIMIT", 2)
    error = invalid((f"/{number}", "no") for number in range(5))
    assert len(error.errors) == 2
    assert error.detail.endswith("(and 4 more)")


def test_problem_has_the_type_and_title_of_its_status_and_no_empty_list():
    assert missing("there is no call").shown() == {
        "type": "urn:voice-emulator:problem:not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no call",
    }
    assert conflict("is being advanced").shown()["type"] == "urn:voice-emulator:problem:conflict"
    assert ControlError(400, "no", kind="malformed-json").shown()["type"].endswith(":malformed-json")


def test_respond_sends_a_problem_whatever_its_text_holds():
    response = respond(ControlError(408, "a lone \ud800 and é", headers={"Connection": "close"}))
    assert response.content_type == "application/problem+json"
    assert response.headers["Connection"] == "close"
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["detail"] == "a lone ? and é"
