"""The journal as an HTTP archive (HAR 1.2), for a browser's developer tools. Secrets are masked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.clock import rfc3339
from voice_emulator.core.journal import Entry
from voice_emulator.wire.traffic.exchange import RequestRecord


def har_parts(entries: Iterable[Entry], base_url: str, version: str) -> Iterator[bytes]:
    """The JSON of an archive, entry by entry: requests to ``base_url`` and the emulator's own pushes, in order."""
    creator = {"name": "voice-emulator", "version": version}
    yield b'{"log": {"version": "1.2", "creator": ' + _json(creator) + b', "pages": [], "entries": ['
    between = b""
    for entry in entries:
        if isinstance(entry.record, RequestRecord):
            yield between + _json(_request_entry(entry, entry.record, base_url))
        elif isinstance(entry.record, Attempt) and entry.record.method:
            yield between + _json(_push_entry(entry, entry.record))
        else:
            continue
        between = b", "
    yield b"]}}\n"


def _json(value: Any) -> bytes:
    # A lone surrogate (a header byte that was no UTF-8) must not keep the rest from being read.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _request_entry(entry: Entry, record: RequestRecord, base_url: str) -> dict[str, Any]:
    seen = record.shown()
    request, replied = seen["request"], seen["reply"]
    return _entry(
        entry, "request", seen["duration_ms"],
        _request(request["method"], base_url + request["target"], request["headers"], request["body"]),
        _response(replied["status"] if replied else None, replied["headers"] if replied else [],
                  replied["body"] if replied else "", replied["note"] if replied else "no reply yet"),
        {"_operation": seen["operation"], "_provider": seen["provider"]},
    )  # fmt: skip


def _push_entry(entry: Entry, attempt: Attempt) -> dict[str, Any]:
    seen = attempt.shown()
    reply = attempt.reply
    masker = attempt.masker
    headers = masker.headers(reply.headers) if reply and masker else []
    return _entry(
        entry, "callback", seen["duration_ms"],
        _request(seen["method"], seen["url"] or "", seen["headers"], seen["body"]),
        _response(seen["status"], headers, seen["reply"] or "", seen["reason"]),
        {"_operation": seen["kind"], "_provider": seen["provider"]},
    )  # fmt: skip


def _entry(
    entry: Entry,
    kind: str,
    milliseconds: float,
    request: dict[str, Any],
    response: dict[str, Any],
    more: dict[str, Any],
) -> dict[str, Any]:
    return {
        "startedDateTime": rfc3339(entry.at),
        "time": milliseconds,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": f"journal entry {entry.id}",
        "_kind": kind,
        "_resourceType": "fetch",
        **more,
    }


def _request(method: str, url: str, headers: list[list[str]], body: str) -> dict[str, Any]:
    try:
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        query = []
    shown: dict[str, Any] = {
        "method": method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "queryString": [{"name": name, "value": value} for name, value in query],
        "headersSize": -1,
        "bodySize": len(body.encode("utf-8", "replace")),
    }
    if body:
        shown["postData"] = {"mimeType": _kind(headers) or "application/octet-stream", "text": body}
    return shown


def _response(status: int | None, headers: list[list[str]], body: str, note: str) -> dict[str, Any]:
    size = len(body.encode("utf-8", "replace"))
    # What Chromium shows in place of a status.
    error = {} if status else {"_error": note}
    return {
        # 0 is what browsers write where no reply came.
        "status": status or 0,
        "statusText": _phrase(status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "content": {"size": size, "mimeType": _kind(headers) or "x-unknown", "text": body},
        "redirectURL": next((value for name, value in headers if name.lower() == "location"), ""),
        "headersSize": -1,
        "bodySize": size,
        "comment": note,
        **error,
    }


def _pairs(headers: list[list[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _kind(headers: list[list[str]]) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _phrase(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""
