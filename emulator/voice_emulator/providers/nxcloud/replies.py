"""The JSON of every reply: each family of operations has its own shape and its own mark of success."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.errors import CHINESE_TEXTS, MESSAGE_TEXTS, SEND, find
from voice_emulator.providers.request import Problem, Reply, Request, json_reply

T = TypeVar("T")

#: Codes that go as JSON numbers.
_NUMERIC = frozenset({"uploadFile", "token", "makecall"})


def refuse(request: Request, problem: Problem) -> Reply:
    """The reply that turns a request down for ``problem``, in the shape and words of its operation."""
    operation = request.operation
    if problem.code == "method" or operation is None:
        return _not_served(problem)
    error = find(operation.name, problem.name or problem.code)
    code = error.code
    text = problem.text or _worded(operation.name, code, error.text, request.settings)
    return json_reply(_failure(request, operation.name, code, text), code=code, refused=True)


def accepted(request: Request, messageid: str) -> Reply:
    """The reply to an accepted submission."""
    settings = request.settings
    key = settings["dialect"]
    text = MESSAGE_TEXTS["0"] if key == "message" else chosen("Request succeeded", settings)
    return json_reply(_send_payload(key, "0", messageid, text), code="0")


def listed(code: str, found: Sequence[T], page: int, page_size: int, row: Callable[[T], Any]) -> Reply:
    """One page of everything ``found``, each rendered by ``row``."""
    first = (page - 1) * page_size
    rows = [row(each) for each in found[first : first + page_size]]
    info = {"total": len(found), "page": page, "pageSize": page_size, "rows": rows}
    return json_reply({"code": code, "info": info}, code=code)


def trace_id(request: Request) -> str:
    """Id of one request to the newer API."""
    return request.tenant.ids.drawn_hexadecimal(32, PROVIDER_ID, "trace", *request.key)


def chosen(text: str, settings: Mapping[str, Any]) -> str:
    """``text``, or its Chinese form where the account wants that and there is one."""
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


def _not_served(problem: Problem) -> Reply:
    """A wrong method or path is our own failure: no page says what the provider answers."""
    line = " ".join(problem.message.split()).encode("ascii", "backslashreplace").decode()
    status = 405 if problem.code == "method" else 404
    headers: tuple[tuple[str, str], ...] = (("Emulator-Error", line),)
    if status == 405:
        headers = (*headers, ("Allow", "POST"))
    return Reply(
        status, f"{line}\n".encode(), "text/plain; charset=utf-8", str(status), True, headers=headers
    )
