"""From bytes to fields: query, urlencoded and multipart forms, JSON, and forms without a Content-Type.

Decoding never raises. What is wrong becomes a problem with the code ``malformed``; what can be read is kept, so that the
journal shows it and the request can still be attributed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from voice_emulator.core.encodings import begins_with_mark, foreign
from voice_emulator.providers.request import Problem, Request, UploadedFile
from voice_emulator.wire.http.strict_json import JsonRefused, read_json
from voice_emulator.wire.traffic.form_data import UnreadableForm, parts_of

MALFORMED = "malformed"
MULTIPART = "multipart/form-data"
#: More parameters than any operation has; a form with more is refused unread.
FIELD_LIMIT = 1_000
#: More percent signs than a file of 8 MB in Base64 has; each costs a hundred bytes while a form is unescaped.
ESCAPE_LIMIT = 500_000
_PLAIN_JSON = frozenset(
    {"application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"}
)


def _kind(content_type: str) -> str:
    return content_type.split(";", 1)[0].strip().lower()


def decode(request: Request, content_type: str) -> None:
    """Fill ``fields``, ``files``, ``document``, ``encoding``, ``repeated`` and ``faulty`` of a request.

    Body fields win over query fields of the same name. In a repeated name the first value counts,
    as in the servlet containers the providers run on.
    """
    if request.body and _is_foreign(request):
        request.encoding = "json" if "json" in _kind(content_type) else "text"
        _merge(request, {}, [])
        return
    if request.body and not request.raw_query and content_type in _PLAIN_JSON:
        request.encoding = "json"
        request.fields = _json(request)
        return
    repeated: list[str] = []
    body: dict[str, Any] = {}
    if request.body:
        kind = _kind(content_type)
        if kind == MULTIPART:
            request.encoding = "multipart"
            body = _multipart(request, content_type, repeated)
        elif kind == "application/json" or kind.endswith("+json") or _looks_like_json(request.body):
            request.encoding = "json"
            body = _json(request)
        else:
            request.encoding = "urlencoded" if kind == "application/x-www-form-urlencoded" else "text"
            body = _form(request, request.body, repeated)
    _merge(request, body, repeated)


def _is_foreign(request: Request) -> bool:
    """Whether the body is compressed or not UTF-8: then a problem says what it is, and nothing of it is read."""
    named = request.headers.get("content-encoding")
    coding = named.strip().lower() if named else ""
    if coding and coding != "identity":
        _fault(
            request, f"the body is compressed (Content-Encoding: {coding[:40]}), which no provider documents"
        )
        return True
    body = request.body
    if body[0] < 0x80 and body[0] not in (0, 0x1F, 0x28) and body[1:2] != b"\0":
        return False
    what = foreign(body)
    if what:
        _fault(request, f"the body is {what}, not UTF-8")
    elif begins_with_mark(body):
        _fault(request, "the body begins with a byte order mark (BOM), which neither JSON nor a form allows")
    return bool(request.faulty)


def _merge(request: Request, body: dict[str, Any], repeated: list[str]) -> None:
    if request.raw_query:
        query = _form(request, request.raw_query.encode("utf-8", "surrogateescape"), repeated)
        request.query = query
        request.fields = {**query, **body}
    else:
        request.fields = body
    request.repeated = tuple(repeated)


def _looks_like_json(body: bytes) -> bool:
    """Whether a body is a JSON object or array, by its first character.

    "Creating a Voice Outbound Call (V2.0.0)" (Huawei CEC) lists no Content-Type, and a client that sets none sends its
    library's default. No form begins with a brace.
    """
    return body.lstrip()[:1] in (b"{", b"[")


def _fault(request: Request, message: str) -> None:
    request.faulty = (*request.faulty, Problem(MALFORMED, message, ""))


def _first_values(pairs: Iterable[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            repeated.append(name)
        else:
            fields[name] = value
    return fields


def _form(request: Request, raw: bytes, repeated: list[str]) -> dict[str, Any]:
    if raw.count(b"&") >= FIELD_LIMIT or raw.count(b"%") > ESCAPE_LIMIT:
        _fault(request, f"the form has more than {FIELD_LIMIT} fields, or more than {ESCAPE_LIMIT} escapes")
        return {}
    try:
        text = raw.decode("utf-8")
        pairs = form_pairs(text, "strict")
    except UnicodeDecodeError as error:
        _fault(request, f"the form is not UTF-8: {error.reason} at byte {error.start}")
        lenient = raw.decode("utf-8", "replace")
        pairs = form_pairs(lenient, "replace")
    return _first_values(pairs, repeated)


def form_pairs(text: str, errors: str) -> list[tuple[str, str]]:
    """What ``parse_qsl`` makes of a form, in a third of the time: most names and values have nothing to unescape.

    Raises UnicodeDecodeError when ``errors`` is ``strict``.
    """
    pairs = []
    for part in text.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        if "%" in part or "+" in part:
            name = unquote(name.replace("+", " "), errors=errors)
            value = unquote(value.replace("+", " "), errors=errors)
        pairs.append((name, value))
    return pairs


def _json(request: Request) -> dict[str, Any]:
    try:
        document = read_json(request.body)
    except JsonRefused as refused:
        _fault(request, f"the body {refused}")
        return {}
    request.document = document
    return document if isinstance(document, dict) else {}


def _multipart(request: Request, content_type: str, repeated: list[str]) -> dict[str, Any]:
    pairs: list[tuple[str, Any]] = []
    files: dict[str, UploadedFile] = {}
    request.files = files
    nameless = False
    try:
        for part in parts_of(content_type, request.body):
            if part.name is None:
                nameless = True
            elif part.filename is not None:
                files[part.name] = UploadedFile(part.filename, part.content_type, part.content)
            else:
                pairs.append((part.name, part.content.decode("utf-8")))
    except UnicodeDecodeError as error:
        _fault(request, f"a part of the multipart body is not UTF-8: {error.reason}")
    except UnreadableForm as error:
        _fault(request, str(error))
    if nameless:
        _fault(request, "a part of the multipart body has no name")
    return _first_values(pairs, repeated)
