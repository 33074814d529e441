"""Entries of the journal, and the events of the live stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from voice_emulator.core.members import INSTANT, TEXT, WHOLE, Shape, member, original


@dataclass(frozen=True, slots=True)
class Entry(Shape):
    """One line of the journal. ``kind`` is request, callback, violation or system.

    ``document`` is the whole entry as the API shows it (:class:`~voice_emulator.core.shapes.JournalEntry`); the
    properties are shorthands.
    """

    id: int = member(WHOLE)
    kind: str = member(TEXT)
    at: datetime = member(INSTANT)
    document: Mapping[str, Any] = original()

    @property
    def subject(self) -> Mapping[str, Any]:
        """What it is about: the attempt of a callback, the finding of a violation, else the entry itself."""
        found = self.document.get(self.kind)
        return found if isinstance(found, Mapping) and self.kind != "request" else self.document

    def _request(self, name: str) -> Any:
        return (
            (self.document.get("request") or {}).get(name)
            if self.kind == "request"
            else self.subject.get(name)
        )

    @property
    def provider(self) -> str:
        """Id of the provider, empty where there is none."""
        return self.document.get("provider") or ""

    @property
    def operation(self) -> str:
        """Name of the operation, empty where there is none."""
        return self.document.get("operation") or ""

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields of the request, or of the receipt that was pushed; secrets are masked."""
        return self._request("fields") or {}

    @property
    def numbers(self) -> tuple[str, ...]:
        """The called numbers (at most 20 of them)."""
        number = self.subject.get("number")
        return tuple(self.document.get("numbers") or ((number,) if number else ()))

    @property
    def method(self) -> str:
        """HTTP method."""
        return self._request("method") or ""

    @property
    def path(self) -> str:
        """Path of the request, without its query."""
        return self._request("path") or ""

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Headers as they were sent, secrets masked."""
        return [(name, value) for name, value in self._request("headers") or ()]

    @property
    def body(self) -> str:
        """Body of the request or push."""
        return self._request("body") or ""

    @property
    def status(self) -> int | None:
        """HTTP status of the reply, as it went on the wire; None when none did."""
        found = self.subject.get("reply")
        return found.get("status") if isinstance(found, Mapping) else self.subject.get("status")

    @property
    def reply(self) -> str:
        """Body of the reply, as it went on the wire."""
        found = self.subject.get("reply")
        return found.get("body") or "" if isinstance(found, Mapping) else found or ""

    @property
    def reply_json(self) -> Any:
        """Body of the reply, decoded. Raises ValueError if it is not JSON."""
        return json.loads(self.reply)

    @property
    def code(self) -> str | None:
        """The provider's own result code in the reply."""
        code = self.document.get("code")
        return None if code is None else str(code)

    @property
    def refused(self) -> bool:
        """Whether the provider turned the request down."""
        return bool(self.document.get("refused"))

    @property
    def attributed(self) -> bool:
        """Whether the request carried credentials of this tenant."""
        return self.document.get("attributed") is not False

    @property
    def violations(self) -> tuple[Mapping[str, Any], ...]:
        """What was wrong with the request: ``code``, ``place``, ``message`` each."""
        return tuple(self.document.get("violations") or ())

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that rules applied."""
        fault = self.document.get("fault")
        return (str(fault),) if fault else tuple(self.subject.get("faults") or ())

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules that acted on it."""
        rule = self.subject.get("rule")
        found = rule.values() if isinstance(rule, Mapping) else (rule,)
        return tuple(dict.fromkeys(name for name in found if name)) if self.kind != "violation" else ()

    @property
    def calls(self) -> tuple[str, ...]:
        """Ids of the calls that a request placed or a push reports, or of the one a finding is about."""
        call = self.subject.get("call_id")
        several = self.subject.get("call_ids") if self.kind == "callback" else self.document.get("calls")
        return tuple(several or ((call,) if call else ()))


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of the live stream; ``id`` resumes the stream after it."""

    id: str
    kind: str
    data: Any


class StreamParser:
    """Server-sent events out of lines (HTML Living Standard, "Interpreting an event stream")."""

    def __init__(self) -> None:
        self._kind = ""
        self._id = ""
        self._data: list[str] = []

    def feed(self, line: str) -> StreamEvent | None:
        """Take one line without its end; the event that this line completes, if it does."""
        if not line:
            return self._complete()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._kind = value
        elif name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value
        return None

    def _complete(self) -> StreamEvent | None:
        kind, data = self._kind or "message", "\n".join(self._data)
        self._kind, self._data = "", []
        if not data:
            return None
        try:
            decoded = json.loads(data)
        except ValueError:
            decoded = data
        return StreamEvent(self._id, kind, decoded)
