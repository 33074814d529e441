"""The two envelopes, and which of them a reply uses.

Envelope K, ``{"code", "msg", "data"}``, is for PlayVoice called with appid and accesskey ("Batch IVR - Call
out ivr voice in batches"); everything else uses envelope R, ``{"ret", "data", "msg"}``. The HTTP status is
200 in both, whatever the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND
from voice_emulator.providers.infin8linx.texts import translated
from voice_emulator.providers.request import Reply, Request, json_reply

CONTENT_TYPE = "application/json;charset=utf-8"


def is_batch(request: Request) -> bool:
    """Whether a PlayVoice request is the batch flavour: both credentials, or no token at all."""
    if request.text("appid") and request.text("accesskey"):
        return True
    return "token" not in request.fields


def uses_envelope_k(request: Request) -> bool:
    """Whether the reply to the request uses envelope K."""
    return request.operation_name == "PlayVoice" and is_batch(request)


def language(request: Request) -> str:
    """The account's language."""
    return str(request.settings["language"])


def done(request: Request, result: Any = None, shown_calls: Sequence[Call] = ()) -> Reply:
    """Success in envelope R; ``result`` is left out when None."""
    seconds = request.now // SECOND
    data: dict[str, Any] = {"status": 0, "desc": translated(language(request), request.operation_name)}
    if result is not None:
        data["result"] = result
    data |= {"reqtime": seconds, "rsptime": seconds}
    return _send({"ret": 200, "data": data, "msg": ""}, "200", shown_calls=shown_calls)


def accepted(request: Request) -> Reply:
    """Success in envelope K."""
    seconds = request.now // SECOND
    data = {"desc": translated(language(request), "PlayVoice"), "reqtime": seconds, "rsptime": seconds}
    return _send({"code": 200, "msg": translated(language(request), "accepted"), "data": data}, "200")


def refused(request: Request, code: str, text: str) -> Reply:
    """A refusal: the code is in ``ret``, or in ``code`` in envelope K; without data."""
    empty: Any = [] if request.settings["empty_data"] == "list" else {}
    if uses_envelope_k(request):
        return _send({"code": int(code), "msg": text, "data": empty}, code, refused=True)
    return _send({"ret": int(code), "data": empty, "msg": text}, code, refused=True)


def failed(request: Request, code: str, text: str) -> Reply:
    """The operation failed: ``ret`` 200, ``status`` 1 and an error code of its own (envelope R)."""
    seconds = request.now // SECOND
    number: int | str = int(code) if request.settings["numeric_error_codes"] else code
    data = {
        "status": 1,
        "desc": translated(language(request), f"{request.operation_name} failed"),
        "errors": {"code": number, "codemsg": text},
        "reqtime": seconds,
        "rsptime": seconds,
    }
    return _send({"ret": 200, "data": data, "msg": ""}, code, refused=True)


def _send(payload: dict[str, Any], code: str, **more: Any) -> Reply:
    # The framework's JSON encoder writes everything beyond ASCII as \uXXXX.
    return json_reply(payload, code=code, content_type=CONTENT_TYPE, ascii_only=True, **more)
