"""The journal over the control API: entries, violations, report, HAR, events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Any, cast

from aiohttp import web

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.findings import Finding
from voice_emulator.core.journal import Entry
from voice_emulator.wire.control.har import har_parts
from voice_emulator.wire.control.problems import ControlError, missing, wrong
from voice_emulator.wire.control.query import Query
from voice_emulator.wire.control.request import ControlRequest, reply_apart, reply_json
from voice_emulator.wire.control.search import FindingIndex, entry_values, finding_values, request_row
from voice_emulator.wire.control.views import show_entry
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.turns import HEAVY, apart

#: What the entries of one page may weigh together; as JSON they take a few times as much.
PAGE_BYTES = 4 * 1024 * 1024
#: Entries that a filter looks at before others have their turn.
LOOKED_AT = 1_000
#: Real seconds of searching after which others get their turn.
_SLICE = 0.02
#: Bytes of an archive that are put together before they are sent, and real seconds a client may take over them.
_PIECE = 256 * 1024
_UNREAD = 60.0


def _about(entry: Entry, call_id: str) -> bool:
    """Whether an entry placed, reported or blames this call."""
    record = entry.record
    if isinstance(record, RequestRecord):
        return call_id in record.calls
    if isinstance(record, Attempt):
        return call_id in record.call_ids
    return isinstance(record, Finding) and record.call_id == call_id


def _weight(entry: Entry) -> int:
    """Bytes that an entry holds on to, its reply included."""
    reply = entry.record.reply if isinstance(entry.record, RequestRecord) else None
    return entry.record.weight + (len(reply.body) if reply is not None else 0)


async def list_journal(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/journal``. A page ends early where its entries are heavy: ``next`` goes on."""
    query, limit, tenant = request.query, request.query["limit"], request.tenant
    call_id, terms = query["call_id"], cast("Query | None", query["q"])
    findings, providers = FindingIndex(tenant), request.runtime.providers
    entries: list[Entry] = []
    weights: list[int] = []
    position = query["after"]
    following = None
    weight = 0
    turn = time.perf_counter()
    # A copy: entries may be forgotten between two slices of the search.
    for entry in list(tenant.journal.after(position, query["kind"])):
        if terms and time.perf_counter() - turn > _SLICE:
            await asyncio.sleep(0)
            turn = time.perf_counter()
        if query["provider"] is not None and _provider(entry) != query["provider"]:
            continue
        if call_id is not None and not _about(entry, call_id):
            continue
        if terms and not await apart(_weight(entry) > HEAVY, terms.matches, entry_values(entry, findings)):
            continue
        weight += _weight(entry)
        if len(entries) == limit or (entries and weight > PAGE_BYTES):
            following = str(position)
            break
        entries.append(entry)
        weights.append(_weight(entry))
        position = entry.id

    def show(entry: Entry) -> dict[str, Any]:
        record = entry.record
        if query["brief"] and isinstance(record, RequestRecord):
            return request_row(record, tenant, providers)
        return show_entry(entry)

    return await reply_apart(weights, lambda: {"entries": list(map(show, entries)), "next": following})


def _provider(entry: Entry) -> str:
    record = entry.record
    if isinstance(record, RequestRecord):
        return record.request.provider
    if isinstance(record, Attempt):
        return record.push.provider
    return record.provider if isinstance(record, Finding) else ""


async def list_violations(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/violations``: where the client under test broke the contract, oldest first."""
    query, limit = request.query, request.query["limit"]
    findings = request.tenant.findings.all()
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
    return reply_json({"violations": [finding.shown() for finding in shown], "next": following})


def _wanted(finding: Finding, query: Any) -> bool:
    terms: Query | None = query["q"]
    exact = all(
        query[name] is None or getattr(finding, name) == query[name]
        for name in ("severity", "rule", "provider")
    )
    return exact and (not terms or terms.matches(finding_values(finding)))


async def get_report(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/report``."""
    # Imported on first use: serving does not need it.
    from voice_emulator.report import gather, render_document

    document = gather(request.runtime, request.tenant)
    kind, body = await apart(True, render_document, document, request.query["format"])
    return web.Response(body=body, headers={"Content-Type": kind})


async def explain_entry(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/journal/{entry_id}/explain``."""
    # Imported on first use: serving does not need it.
    from voice_emulator.report.explanation import Unexplained, explain

    wanted = request.path["entry_id"]
    known = wanted.isascii() and wanted.isdigit() and len(wanted) < 19
    journal = request.tenant.journal
    entry = journal.get(int(wanted)) if known else None
    if entry is None:
        was = known and 0 < int(wanted) <= journal.last_id
        why = (
            f"no longer keeps entry {wanted}"
            if was
            else f"has no entry {wanted[:40]!r}; the newest is {journal.last_id}"
        )
        raise missing(f"the journal of tenant {request.tenant.id!r} {why}")
    try:
        return await reply_apart(
            [PAGE_BYTES], lambda: explain(request.tenant, request.runtime.providers, entry)
        )
    except Unexplained as error:
        raise missing(str(error)) from error


async def get_har(request: ControlRequest) -> web.StreamResponse:
    """``GET /v1/tenants/{id}/har``, in pieces: whole it would be several times the journal in memory."""
    tenant, runtime = request.tenant, request.runtime
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/json",
            "Content-Disposition": f'attachment; filename="{tenant.id}.har"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
    )
    try:
        await response.prepare(request.raw)
        if request.raw.method != "HEAD":
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


async def stream_events(request: ControlRequest) -> web.StreamResponse:
    """``GET /v1/tenants/{id}/events``."""
    if request.raw.method == "HEAD":
        raise ControlError(405, "a stream has no head alone", headers={"Allow": "GET"})
    after = request.query["after"]
    resumed = request.raw.headers.get("Last-Event-ID", "").strip()
    if resumed:
        if not (resumed.isascii() and resumed.isdigit() and len(resumed) < 19):
            raise wrong("Last-Event-ID", "is not the id of an event")
        after = int(resumed)
    query = request.query
    return await request.services.streams.serve(
        request.raw, request.tenant, after, query["kind"], brief=query["brief"]
    )


async def list_rules(request: ControlRequest) -> web.Response:
    """``GET /v1/rules``: the contract rules by id, with what each means and how to fix a finding of it."""
    # Imported on first use: serving does not need it.
    from voice_emulator.contract.rules.pages import rule_summaries

    return reply_json({"rules": rule_summaries(request.runtime.providers.values()), "next": None})
