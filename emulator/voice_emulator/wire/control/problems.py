"""What the control API answers when it cannot do what was request: problem documents (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

MEDIA_TYPE = "application/problem+json"
#: A problem names at most so many errors, and says how many there are; a scenario has fewer findings.
ERRORS_LIMIT = 1_000


class ControlError(Exception):
    """A request that the control API refuses; says with which status, and why.

    ``errors`` are (JSON Pointer or parameter name, message) pairs of invalid input, or mappings with more
    members (line and column of a scenario's finding). ``kind`` distinguishes problems of one status.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str = "",
        errors: Iterable[tuple[str, str] | Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind or HTTPStatus(status).phrase.lower().replace(" ", "-")
        self.errors = [
            dict(error) if isinstance(error, Mapping) else {"pointer": error[0], "message": error[1]}
            for error in errors
        ]
        self.headers = dict(headers or {})

    def shown(self) -> dict[str, Any]:
        """The problem document."""
        document: dict[str, Any] = {
            "type": f"urn:voice-emulator:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = self.errors
        return document


def invalid(
    errors: Iterable[tuple[str, str] | Mapping[str, Any]], what: str = "the request is invalid"
) -> ControlError:
    """422: understood, and wrong. The first error stands in the sentence as well.

    Past :data:`ERRORS_LIMIT` errors are only counted.
    """
    found = list(errors)
    detail = what
    if found:
        first = found[0]
        pointer, message = (first["pointer"], first["message"]) if isinstance(first, Mapping) else first
        detail = f"{what}: {pointer}: {message}" if pointer else f"{what}: {message}"
        if len(found) > 1:
            detail += f" (and {len(found) - 1} more)"
    return ControlError(422, detail, kind="invalid-input", errors=found[:ERRORS_LIMIT])


def wrong(pointer: str, message: str) -> ControlError:
    """422 with one error."""
    return invalid([(pointer, message)])


def missing(what: str) -> ControlError:
    """404: no such tenant, call, scenario."""
    return ControlError(404, what)


def conflict(detail: str, errors: Iterable[tuple[str, str]] = ()) -> ControlError:
    """409: valid, but not in this state of things."""
    return ControlError(409, detail, errors=errors)


def respond(error: ControlError) -> web.Response:
    """The problem as a reply."""
    body = json.dumps(error.shown(), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    headers = {"Content-Type": MEDIA_TYPE, **error.headers}
    return web.Response(status=error.status, body=body, headers=headers)
