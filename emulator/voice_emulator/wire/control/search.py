"""What the query language of lists can look at: the values of calls, journal entries and findings by key.

The web page filters by itself, with the same language over the same values: those of a request come with its
row (:func:`request_row`), those of a call with the call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.findings import Finding
from voice_emulator.core.journal import Entry
from voice_emulator.core.shapes import ActingRules, JournalEntry, ReceivedRequest, SentReply
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Provider
from voice_emulator.wire.control.query import Values, values_by
from voice_emulator.wire.control.refusals import advice, reasons
from voice_emulator.wire.traffic.exchange import RequestRecord

#: Words of one request or push that are searched in, and characters of each.
WORD_LIMIT = 100
LENGTH_LIMIT = 200
#: Replies beyond so many bytes (a recording, thousands of rows) are not taken apart.
REPLY_LIMIT = 64 * 1024
#: Characters of a token that are not secret.
TAIL = 4
#: Shorter texts are not tokens, and hiding all but four characters of them would hide nothing.
_SHORTEST_TOKEN = 8

ENTRY_KEYS = (
    "id", "kind", "provider", "operation", "number", "code", "rule", "fault", "outcome", "status", "method",
    "path", "has", "finding",
)  # fmt: skip
VIOLATION_KEYS = ("rule", "severity", "provider", "operation", "message", "entry", "call_id")


class FindingIndex:
    """The findings of a tenant by the call or the journal entry they are about, read when first asked for."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._found: dict[str | int, list[Finding]] | None = None

    def about(self, thing: str | int) -> list[Finding]:
        """The findings about a call id or the number of an entry."""
        if self._found is None:
            self._found = {}
            for finding in self._tenant.findings.all():
                for key in (finding.call_id, finding.entry):
                    if key is not None:
                        self._found.setdefault(key, []).append(finding)
        return self._found.get(thing, [])

    def rules(self, thing: str | int) -> list[str]:
        """Values of the key ``finding``."""
        return list(dict.fromkeys(finding.rule for finding in self.about(thing)))

    def has(self, thing: str | int) -> list[str]:
        """Values of the key ``has``: ``finding``, and the severities among them."""
        found = self.about(thing)
        return ["finding", *dict.fromkeys(finding.severity for finding in found)] if found else []


def entry_values(entry: Entry, findings: FindingIndex) -> Callable[[str], Values]:
    """The values of an entry by key; worked out when first asked for."""
    known: dict[str, Any] = {}

    def read(key: str) -> Any:
        if not known:
            known.update(_entry(entry))
        if key == "finding":
            return findings.rules(entry.id)
        return findings.has(entry.id) if key == "has" else known.get(key)

    return values_by(read, [key for key in ENTRY_KEYS if key not in ("kind", "status", "method", "has")])


def _entry(entry: Entry) -> Mapping[str, Any]:
    record = entry.record
    found: dict[str, Any] = {"id": [entry.id], "kind": entry.kind}
    if isinstance(record, RequestRecord):
        found |= {
            "id": [entry.id, *words(record)],
            "number": record.request.numbers,
            **_request(record),
        }
    elif isinstance(record, Attempt):
        receipts = (record.fields, *record.others)
        shown = [each if record.masker is None else record.masker.mapping(each) for each in receipts]
        found |= {
            "id": [entry.id, record.id, *record.call_ids, *_bounded(_leaves(shown))],
            "provider": record.push.provider, "operation": record.push.kind, "rule": record.push.by_rule,
            "number": record.numbers, "outcome": record.outcome.value,
            "status": record.reply.status if record.reply is not None else None,
            "fault": list(record.faults), "method": record.method, "path": record.url,
        }  # fmt: skip
    elif isinstance(record, Finding):
        found |= {
            "id": [entry.id, record.call_id],
            "provider": record.provider,
            "operation": record.operation,
            "rule": record.rule,
        }
    return found


def _request(record: RequestRecord) -> dict[str, Any]:
    sent = record.sent
    return {
        "provider": record.request.provider or None,
        "operation": record.operation,
        "method": record.request.method,
        "path": record.request.path,
        "status": sent.status if sent is not None else None,
        "code": record.reply.code if record.reply else None,
        "outcome": "refused" if record.refused else "accepted",
        "fault": record.fault,
        "rule": record.reply_rule or record.fault_rule,
    }


def request_row(record: RequestRecord, tenant: Tenant, providers: Mapping[str, Provider]) -> dict[str, Any]:
    """A request as one line of a list: its entry without headers and bodies.

    ``numbers`` and ``calls`` are complete; ``words`` is what else a search may find the request by; ``why`` says
    why it was refused, ``fix`` what to do about it.
    """
    line = _line(record, providers)
    return JournalEntry.shown(
        **line,
        attributed=record.request.attributed,
        refused=record.refused,
        rule=ActingRules.shown(reply=record.reply_rule, fault=record.fault_rule),
        numbers=record.request.numbers,
        calls=record.calls,
        fix=advice(record, tenant, providers) if line["why"] else [],
        words=words(record),
    )


def traffic_row(record: RequestRecord, providers: Mapping[str, Provider]) -> dict[str, Any]:
    """The part of a row that is printed as a line (:mod:`voice_emulator.report.traffic_line`)."""
    return JournalEntry.shown(**_line(record, providers))


def _line(record: RequestRecord, providers: Mapping[str, Provider]) -> dict[str, Any]:
    masker = record.masker
    path = masker.text(record.request.path, masker.secret_values(record.request.fields))
    return {
        "id": record.entry_id,
        "kind": "request",
        "at": record.at,
        "provider": record.request.provider or None,
        "operation": record.operation,
        "request": ReceivedRequest.shown(method=record.request.method, path=path),
        "reply": SentReply.shown(status=record.sent.status) if record.sent is not None else None,
        "code": record.reply.code if record.reply else None,
        "fault": record.fault,
        "duration_ms": round(record.duration / 1000, 3),
        "why": reasons(record, providers) if record.refused and record.sent is not None else [],
    }


def words(record: RequestRecord) -> list[str]:
    """The values in a request and its reply, each once: ids of every kind. Of a token only its last characters."""
    request, masker = record.request, record.masker
    found = _bounded(_words(record))
    secrets = masker.secret_values(request.fields)
    return [masker.text(word, secrets) for word in found]


def _words(record: RequestRecord) -> Iterator[str]:
    request, masker = record.request, record.masker
    for name, value in request.headers.items():
        if masker.is_secret(name):
            yield from _tail(value.rpartition(" ")[2])
    yield from _shown_leaves(record, request.fields)
    sent = record.sent
    if sent is not None and len(sent.body) <= REPLY_LIMIT and sent.body[:1] in (b"{", b"["):
        try:
            yield from _shown_leaves(record, json.loads(sent.body))
        except (ValueError, RecursionError):
            return


def _shown_leaves(record: RequestRecord, value: Any) -> Iterator[str]:
    numbers = record.request.numbers[:1]
    for name, leaf in _named_leaves(value, ""):
        if name and record.masker.is_secret(name):
            if "token" in name.lower():
                yield from _tail(leaf)
        elif not (numbers and leaf.startswith(numbers[0])):
            # Called numbers have a place of their own.
            yield leaf


def _tail(token: str) -> Iterator[str]:
    if len(token) >= _SHORTEST_TOKEN:
        yield token[-TAIL:]


def _leaves(value: Any) -> Iterator[str]:
    return (leaf for _, leaf in _named_leaves(value, ""))


def _named_leaves(value: Any, name: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    if depth > 8:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _named_leaves(inner, str(key), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _named_leaves(inner, name, depth + 1)
    elif value is not None and value != "" and not isinstance(value, bool):
        yield name, str(value)


def _bounded(found: Iterable[str]) -> list[str]:
    kept: dict[str, None] = {}
    for word in found:
        kept[word[:LENGTH_LIMIT]] = None
        if len(kept) == WORD_LIMIT:
            break
    return list(kept)


def finding_values(finding: Finding) -> Callable[[str], Values]:
    """The values of a finding by key."""
    return values_by(lambda name: getattr(finding, name) or "", VIOLATION_KEYS)
