"""The JSON of every reply: each family of operations has its own shape and its own code for success."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from voice_emulator.providers.kit.replies import own_failure
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.errors import CHINESE_TEXTS, MESSAGE_TEXTS, SEND, find
from voice_emulator.providers.request import Problem, Reply, Request, json_reply

T = TypeVar("T")

#: Operations whose code is a JSON number.
_NUMERIC = frozenset({"uploadFile", "token", "makecall"})


def refuse(request: Request, problem: Problem) -> Reply:
    """The reply that refuses a request for ``problem``, in the shape of its operation."""
    operation = request.operation_name
    # No page says what the provider replies to a wrong method or path.
    if problem.code == "method":
        return own_failure(405, problem.message, allow=("POST",))
    if not operation:
        return own_failure(404, problem.message)
    error = find(operation, problem.name or problem.code)
    text = problem.text or _worded(operation, error.code, error.text, request.settings)
    return json_reply(_failure(request, operation, error.code, text), code=error.code, refused=True)


def accepted(request: Request, messageid: str) -> Reply:
    """The reply to an accepted submission."""
    settings = request.settings
    key = settings["dialect"]
    text = MESSAGE_TEXTS["0"] if key == "message" else chosen("Request succeeded", settings)
    return json_reply(_send_payload(key, "0", messageid, text), code="0")


def one_page(request: Request, found: Sequence[T]) -> Sequence[T]:
    """Those of ``found`` that are on the page asked for."""
    page, size = int(request.text("page")), int(request.text("page_size"))
    return found[(page - 1) * size : page * size]


def listed(request: Request, code: str, found: Sequence[T], row: Callable[[T], Any]) -> Reply:
    """The page asked for of everything ``found``, each rendered by ``row``."""
    page, size = int(request.text("page")), int(request.text("page_size"))
    rows = [row(each) for each in one_page(request, found)]
    info = {"total": len(found), "page": page, "pageSize": size, "rows": rows}
    return json_reply({"code": code, "info": info}, code=code)


def trace_id(request: Request) -> str:
    """Id of one request to the newer API."""
    return request.tenant.ids.drawn_hexadecimal(32, PROVIDER_ID, "trace", *request.key)


def chosen(text: str, settings: Mapping[str, Any]) -> str:
    """``text``, or its Chinese form if the account uses it and there is one."""
    return CHINESE_TEXTS.get(text, text) if settings["reply_language"] == "zh" else text


def _worded(operation: str, code: str, text: str, settings: Mapping[str, Any]) -> str:
    if operation in SEND and settings["dialect"] == "message":
        return MESSAGE_TEXTS.get(code, text)
    return chosen(text, settings)


def _failure(request: Request, operation: str, code: str, text: str) -> dict[str, Any]:
    if operation in SEND:
        return _send_payload(request.settings["dialect"], code, "", text)
    if operation in ("uploadVoiceFile", "getBalance"):
        return {"code": code, "result": text}
    if operation == "uploadFile":
        return {"code": int(code), "message": text, "traceId": trace_id(request)}
    return {"code": int(code) if operation in _NUMERIC else code, "info": text}


def _send_payload(key: str, code: str, messageid: str, text: str) -> dict[str, Any]:
    # Key order as in the samples of the two pages.
    if key == "message":
        return {"code": code, "messageid": messageid, "message": text}
    return {"result": text, "messageid": messageid, "code": code}
