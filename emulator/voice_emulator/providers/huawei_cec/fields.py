"""The JSON body: its members, and the result code of a schema violation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voice_emulator.providers.request import Problem, Request
from voice_emulator.schemas.validate import Violation

MALFORMED = "malformed"


def body_of(request: Request) -> Mapping[str, Any]:
    """The JSON object of the body, without query parameters; empty for any other body."""
    document = request.document
    return document if isinstance(document, dict) else {}


def text_of(request: Request, name: str) -> str:
    """A member as text; empty when it is absent, null or of another type."""
    document = request.document
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def check_body(request: Request) -> list[Problem]:
    """The body must not be empty, and some accounts require its Content-Type."""
    problems = []
    if not request.body:
        problems.append(Problem(MALFORMED, "the body is empty; a JSON object is expected"))
    if request.settings["content_type"] == "json":
        kind = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
        if kind != "application/json":
            message = f"the Content-Type is {kind or 'missing'}, not application/json"
            problems.append(Problem(MALFORMED, message, "header:Content-Type"))
    return problems


def explain_by(codes: Mapping[str, str]) -> Callable[[Request, Violation], Problem]:
    """``Operation.explain``: ``codes`` maps a top-level field to its result code.

    A wrong JSON type, and a field without a code, is the gateway's 400; a null where none is allowed
    counts as absent.
    """

    def explain(request: Request, violation: Violation) -> Problem:
        return Problem(code_of(violation, codes), violation.message, violation.pointer)

    return explain


def code_of(violation: Violation, codes: Mapping[str, str]) -> str:
    """The result code, or ``malformed``, for a violation."""
    if violation.keyword == "type" and not _is_null_member(violation):
        return MALFORMED
    return codes.get(violation.field, MALFORMED)


def _is_null_member(violation: Violation) -> bool:
    last = violation.pointer.rpartition("/")[2]
    return violation.value is None and bool(last) and not last.isdigit()
