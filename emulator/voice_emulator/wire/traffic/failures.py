"""Replies that no provider makes: the emulator's own failures, and replies that a scenario gives verbatim."""

from __future__ import annotations

from aiohttp import web

from voice_emulator.core.scenario import ReplyEffect
from voice_emulator.providers.kit.replies import one_line, own_failure
from voice_emulator.providers.request import Reply
from voice_emulator.wire.http.response_writer import has_no_body


def failure_reply(status: int, message: str) -> Reply:
    """A failure of the emulator itself: ``Emulator-Error`` says so, and the body is not a provider's."""
    return own_failure(status, message, code=f"emulator-{status}")


def unread_failure(status: int, message: str) -> web.Response:
    """The same for a request that was not read to its end: the connection closes."""
    line = one_line(message)
    return web.Response(
        status=status, text=line + "\n", headers={"Emulator-Error": line, "Connection": "close"}
    )


def verbatim_reply(effect: ReplyEffect) -> Reply:
    """The reply of a rule's ``reply``, unchanged."""
    kind = next(
        (value for name, value in effect.headers if name.lower() == "content-type"), "application/json"
    )
    rest = tuple((name, value) for name, value in effect.headers if name.lower() != "content-type")
    status = effect.status or 200
    body = b"" if has_no_body(status) else (effect.body or "").encode()
    return Reply(status, body, " ".join(kind.split()), f"verbatim-{status}", headers=rest)
