"""Receipts on the wire: the request that carries the fields, and the replies that acknowledge it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.calls import Call
from voice_emulator.core.pushes import Push
from voice_emulator.core.values import plain_value
from voice_emulator.providers.provider import Envelope, PushRequest
from voice_emulator.providers.request import JSON_TYPE, compact_json

FORM_TYPE = "application/x-www-form-urlencoded"


@plain_value
class Encoder:
    """Encodes a push as POST; the value of ``ReceiptKind.encode``. One of a kind with ``array`` is a JSON array.

    ``encoding`` is ``json``, ``form``, ``multipart`` or ``query`` (everything in the URL, no body);
    the account setting named ``setting`` overrides it, and a scenario's ``encoding`` overrides both.
    With ``field``, form, multipart and query carry the JSON text of all fields in that one field.
    ``quote`` escapes names and values: ``urllib.parse.quote`` (space as %20) or ``quote_plus``.
    """

    encoding: str = "json"
    setting: str = ""
    json_type: str = JSON_TYPE
    form_type: str = FORM_TYPE
    quote: Callable[..., str] = quote
    field: str = ""

    def __call__(self, envelope: Envelope) -> PushRequest:
        """The request, with the wrong content type where a scenario asks for it."""
        provider, default = envelope.push.provider, self.encoding
        if self.setting:
            default = envelope.tenant.settings[provider][self.setting]
        encoding = envelope.effect.encoding or default
        url, fields = envelope.url, envelope.fields
        if self.field and encoding != "json":
            fields = {self.field: compact_json(fields)}
        if encoding == "json":
            content_type, body = self.json_type, _utf8(compact_json(envelope.content))
        elif encoding == "form":
            content_type, body = self.form_type, self._form(fields).encode()
        elif encoding == "multipart":
            boundary = (
                f"----{envelope.tenant.ids.drawn_hexadecimal(24, provider, 'boundary', envelope.push.id)}"
            )
            content_type, body = f"multipart/form-data; boundary={boundary}", _multipart(fields, boundary)
        else:
            url, content_type, body = with_query(url, self._form(fields)), "", b""
        if envelope.effect.wrong_content_type:
            content_type = "text/plain"
        return PushRequest("POST", url, (("Content-Type", content_type),) if content_type else (), body)

    def _form(self, fields: Mapping[str, Any]) -> str:
        quote = self.quote
        return "&".join(
            f"{quote(name, safe='')}={quote(_utf8(_text(value)), safe='')}" for name, value in fields.items()
        )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _multipart(fields: Mapping[str, Any], boundary: str) -> bytes:
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{_text(value)}\r\n'
        for name, value in fields.items()
    )
    return _utf8("".join(parts) + f"--{boundary}--\r\n")


def with_query(url: str, query: str) -> str:
    """``url`` with ``query`` added to the query it has; a fragment is dropped, since it is never sent."""
    parts = urlsplit(url)
    joined = f"{parts.query}&{query}" if parts.query else query
    return urlunsplit(parts._replace(query=joined, fragment=""))


def by_status(*statuses: int) -> Callable[[PushReply], str | None]:
    """A ``ReceiptKind.judge``: these statuses acknowledge, without any every 2xx. The body does not matter."""
    wanted = " or ".join(map(str, statuses)) or "2xx"

    def judge(reply: PushReply) -> str | None:
        good = reply.status in statuses if statuses else 200 <= reply.status < 300
        return None if good else f"HTTP status {reply.status}, expected {wanted}"

    return judge


def call_of(push: Push) -> Call:
    """The call that a push reports. Raises ValueError for a push about something else."""
    if push.call is None:
        raise ValueError(f"push {push.id} reports no call")
    return push.call
