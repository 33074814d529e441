"""Replies that are the emulator's own, or a scenario's word for word: no provider's code made them."""

from __future__ import annotations

from aiohttp import web

from voice_emulator.core.scenario import ReplyEffect
from voice_emulator.providers.kit.replies import one_line, own_failure
from voice_emulator.providers.request import Reply
from voice_emulator.wire.http.response_writer import has_no_body


def failure_reply(status: int, message: str) -> Reply:
    """A failure of the emulator itself: it says so in ``Emulator-Error`` and wears no provider's body."""
    return own_failure(status, message, code=f"emulator-{status}")


def hasty_failure(status: int, message: str) -> web.Response:
    """The same for a request that was not even read to its end: the connection is closed behind it."""
    line = one_line(message)
    return web.Response(
        status=status, text=line + "\n", headers={"Emulator-Error": line, "Connection": "close"}
    )


def verbatim_reply(effect: ReplyEffect) -> Reply:
    """What a rule's ``reply`` says, as it stands."""
    kind = next(
        (value for name, value in effect.headers if name.lower() == "content-type"), "application/json"
    )
    rest = tuple((name, value) for name, value in effect.headers if name.lower() != "content-type")
    status = effect.status or 200
    body = b"" if has_no_body(status) else (effect.body or "").encode()
    return Reply(status, body, " ".join(kind.split()), f"verbatim-{status}", headers=rest)
