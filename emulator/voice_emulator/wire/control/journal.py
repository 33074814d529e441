"""The journal over the control API: entries, violations, report, HAR, events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from aiohttp import web

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.findings import Finding
from voice_emulator.core.journal import Entry
from voice_emulator.wire.control.har import har_parts
from voice_emulator.wire.control.problems import ControlError, missing, wrong
from voice_emulator.wire.control.query import Query
from voice_emulator.wire.control.request import ControlRequest, reply_apart, reply_json
from voice_emulator.wire.control.views import show_entry, show_finding
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.turns import apart

ENTRY_KEYS = (
    "id",
    "kind",
    "provider",
    "operation",
    "number",
    "code",
    "rule",
    "fault",
    "outcome",
    "status",
    "path",
)
VIOLATION_KEYS = ("rule", "severity", "provider", "operation", "message", "entry", "call_id")
#: What the entries of one page may weigh together; as JSON they take a few times as much.
PAGE_BYTES = 4 * 1024 * 1024
#: Entries that a filter looks at before others have their turn.
LOOKED_AT = 1_000
#: Bytes of an archive that are put together before they are sent, and real seconds a client may take over them.
_PIECE = 256 * 1024
_UNREAD = 60.0


def entry_value(entry: Entry) -> Callable[[str], str]:
    """The values of an entry that queries can ask for; a request's number is all its numbers, joined."""

    def value(key: str) -> str:
        return _entry_text(entry, key)

    return value


def _entry_text(entry: Entry, key: str) -> str:
    if key in ("id", "kind"):
        return str(getattr(entry, key))
    record = entry.record
    found: Any = None
    if isinstance(record, RequestRecord):
        sent = record.sent
        found = {
            "provider": record.request.provider, "operation": record.operation, "path": record.request.path,
            "number": ",".join(record.request.numbers[:20]),
            "code": record.reply.code if record.reply else None,
            "rule": record.reply_rule or record.fault_rule, "fault": record.fault,
            "status": sent.status if sent is not None else None,
            "outcome": "refused" if record.refused else "accepted",
        }.get(key)  # fmt: skip
    elif isinstance(record, Attempt):
        call = record.push.call
        found = {
            "provider": record.push.provider, "operation": record.push.kind, "rule": record.push.rule,
            "number": call.number if call is not None else None, "outcome": record.outcome.value,
            "status": record.reply.status if record.reply is not None else None,
            "fault": " ".join(record.faults),
        }.get(key)  # fmt: skip
    elif isinstance(record, Finding):
        found = {"provider": record.provider, "operation": record.operation, "rule": record.rule}.get(key)
    return str(found) if found is not None else ""


def _about(entry: Entry, call_id: str) -> bool:
    """Whether an entry placed, reported or blames this call."""
    record = entry.record
    if isinstance(record, RequestRecord):
        return call_id in record.calls
    return isinstance(record, Attempt | Finding) and record.call_id == call_id


def _weight(entry: Entry) -> int:
    """Bytes that an entry holds on to, its reply included."""
    reply = entry.record.reply if isinstance(entry.record, RequestRecord) else None
    return entry.record.weight + (len(reply.body) if reply is not None else 0)


async def list_journal(asked: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/journal``. A page ends early where its entries are heavy: ``next`` goes on."""
    query, limit = asked.query, asked.query["limit"]
    provider, call_id = query["provider"], query["call_id"]
    terms: Query | None = query["q"]
    entries: list[Entry] = []
    position = query["after"]
    following = None
    weight = 0
    weights: list[int] = []
    for index, entry in enumerate(list(asked.tenant.journal.after(position, query["kind"]))):
        if index % LOOKED_AT == LOOKED_AT - 1:
            await asyncio.sleep(0)
        if provider is not None and _entry_text(entry, "provider") != provider:
            continue
        if call_id is not None and not _about(entry, call_id):
            continue
        if terms and not terms.matches(entry_value(entry)):
            continue
        weight += _weight(entry)
        if len(entries) == limit or (entries and weight > PAGE_BYTES):
            following = str(position)
            break
        entries.append(entry)
        weights.append(_weight(entry))
        position = entry.id
    return await reply_apart(
        weights, lambda: {"entries": [show_entry(entry) for entry in entries], "next": following}
    )


async def list_violations(asked: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/violations``: where the client under test broke the contract, oldest first."""
    query, limit = asked.query, asked.query["limit"]
    findings = asked.tenant.findings.all()
    shown: list[Finding] = []
    following = None
    position = query["after"]
    for index in range(position, len(findings)):
        if index % LOOKED_AT == LOOKED_AT - 1:
            await asyncio.sleep(0)
        finding = findings[index]
        if not _wanted(finding, query):
            continue
        if len(shown) == limit:
            following = str(position)
            break
        shown.append(finding)
        position = index + 1
    return reply_json({"violations": [show_finding(finding) for finding in shown], "next": following})


def _wanted(finding: Finding, query: Any) -> bool:
    terms: Query | None = query["q"]
    exact = all(
        query[name] is None or getattr(finding, name) == query[name]
        for name in ("severity", "rule", "provider")
    )
    return exact and (not terms or terms.matches(lambda key: str(getattr(finding, key) or "")))


async def get_report(asked: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/report``."""
    # Imported on first use: serving does not need it.
    from voice_emulator.report import gather, render_document

    document = gather(asked.runtime, asked.tenant)
    kind, body = await apart(True, render_document, document, asked.query["format"])
    return web.Response(body=body, headers={"Content-Type": kind})


async def explain_entry(asked: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/journal/{entry_id}/explain``."""
    # Imported on first use: serving does not need it.
    from voice_emulator.report.explanation import Unexplained, explain

    wanted = asked.path["entry_id"]
    known = wanted.isascii() and wanted.isdigit() and len(wanted) < 19
    entry = asked.tenant.journal.get(int(wanted)) if known else None
    if entry is None:
        raise missing(f"the journal of tenant {asked.tenant.id!r} has no entry {wanted[:40]!r} any more")
    try:
        return await reply_apart([PAGE_BYTES], lambda: explain(asked.tenant, asked.runtime.providers, entry))
    except Unexplained as error:
        raise missing(str(error)) from error


async def get_har(asked: ControlRequest) -> web.StreamResponse:
    """``GET /v1/tenants/{id}/har``, in pieces: whole it would be several times the journal in memory."""
    tenant, runtime = asked.tenant, asked.runtime
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/json",
            "Content-Disposition": f'attachment; filename="{tenant.id}.har"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
    )
    try:
        await response.prepare(asked.raw)
        if asked.raw.method != "HEAD":
            pieces = _pieces(har_parts(list(tenant.journal), runtime.traffic, runtime.version))
            while piece := await apart(True, next, pieces, b""):
                async with asyncio.timeout(_UNREAD):
                    await response.write(piece)
        await response.write_eof()
    except (ConnectionError, TimeoutError):
        # The reader is gone or does not read: the connection goes with the reply.
        response.force_close()
    return response


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """``parts`` in pieces fit for a socket: small ones joined, large ones cut, so that no more is buffered."""
    small = b""
    for part in parts:
        small += part
        if len(small) > _PIECE:
            for begin in range(0, len(small), _PIECE):
                yield small[begin : begin + _PIECE]
            small = b""
    yield small


async def stream_events(asked: ControlRequest) -> web.StreamResponse:
    """``GET /v1/tenants/{id}/events``."""
    if asked.raw.method == "HEAD":
        raise ControlError(405, "a stream has no head alone", headers={"Allow": "GET"})
    after = asked.query["after"]
    resumed = asked.raw.headers.get("Last-Event-ID", "").strip()
    if resumed:
        if not (resumed.isascii() and resumed.isdigit() and len(resumed) < 19):
            raise wrong("Last-Event-ID", "is no id of an event")
        after = int(resumed)
    return await asked.services.streams.serve(asked.raw, asked.tenant, after, asked.query["kind"])
