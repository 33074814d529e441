"""Recordings from logs: an HTTP archive (HAR) of a browser, a proxy or the emulator's journal, and pushes as JSON lines."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from voice_emulator.core.clock import parse_rfc3339
from voice_emulator.errors import UsageError
from voice_emulator.recording.exchanges import Exchange, Pairs, Reader

#: Of headers, those that only the transport of a browser or a proxy has.
_PSEUDO = ":"


def from_har(path: Path, reader: Reader) -> tuple[list[Exchange], int]:
    """The exchanges with a provider in an archive, and how many of its entries are with none.

    Raises UsageError for any other file.
    """
    try:
        archive = json.loads(_text(path))
        entries = archive["log"]["entries"]
        found = [_of_entry(entry, reader) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not an HTTP archive (HAR): {_said(error)}") from error
    return [one for one in found if one is not None], sum(one is None for one in found)


def from_pushes(path: Path, reader: Reader) -> list[Exchange]:
    """Pushes as JSON lines. Raises UsageError naming the line that is none."""
    found = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(_of_line(json.loads(line), reader))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path}:{number}: not a push: {_said(error)}") from error
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def _said(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _of_entry(entry: Mapping[str, Any], reader: Reader) -> Exchange | None:
    request, response = entry["request"], entry["response"]
    headers, body = _headers(request), _body_of_request(request)
    one = Exchange(
        "push" if entry.get("_kind") == "callback" else "request",
        str(entry.get("_provider") or ""),
        parse_rfc3339(str(entry["startedDateTime"])),
        str(request["method"]),
        str(request["url"]),
        headers,
        body,
        int(response["status"]),
        _headers(response),
        _content(response.get("content") or {}),
        int(float(entry.get("time") or 0) * 1_000),
    )
    if one.is_push:
        return one if one.provider in reader.providers else None
    found = reader.request(one.method, one.target, one.headers, one.body)
    return replace(one, provider=found.provider) if found is not None else None


def _headers(message: Mapping[str, Any]) -> Pairs:
    pairs = ((str(each["name"]), str(each["value"])) for each in message.get("headers") or ())
    return tuple(pair for pair in pairs if not pair[0].startswith(_PSEUDO))


def _body_of_request(request: Mapping[str, Any]) -> bytes:
    data = request.get("postData") or {}
    if data.get("text"):
        text = str(data["text"])
        return b64decode(text) if data.get("encoding") == "base64" else text.encode("utf-8", "replace")
    # Browsers leave the text of a form out and list its fields.
    pairs = [(str(each["name"]), str(each.get("value", ""))) for each in data.get("params") or ()]
    return urlencode(pairs).encode()


def _content(content: Mapping[str, Any]) -> bytes:
    text = str(content.get("text") or "")
    return b64decode(text) if content.get("encoding") == "base64" else text.encode("utf-8", "replace")


def _of_line(line: Mapping[str, Any], reader: Reader) -> Exchange:
    provider = str(line["provider"])
    if provider not in reader.providers:
        raise ValueError(f"there is no provider {provider!r}; write {', '.join(reader.providers)}")
    reply = line.get("reply") or {}
    return Exchange(
        "push",
        provider,
        parse_rfc3339(str(line["at"])),
        str(line["method"]),
        str(line["url"]),
        tuple(_given_headers(line.get("headers") or {})),
        _given_body(line.get("body")),
        int(reply.get("status", 0)),
        tuple(_given_headers(reply.get("headers") or {})),
        _given_body(reply.get("body")),
    )


def _given_headers(headers: Any) -> Iterator[tuple[str, str]]:
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        yield str(name), str(value)


def _given_body(body: Any) -> bytes:
    """A body as its log has it: text, or the JSON value itself."""
    if body is None or isinstance(body, str):
        return (body or "").encode("utf-8", "replace")
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
