"""Rules about rate limits and record queries: how often a client sends, and whether it reads all pages."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from voice_emulator.contract.memory import Memory, Recent
from voice_emulator.core.clock import SECOND
from voice_emulator.core.values import plain_record
from voice_emulator.core.words import counted
from voice_emulator.providers.contract import Contract, Hit, Pages, When, finding
from voice_emulator.providers.request import Operation
from voice_emulator.providers.rule_context import RuleContext


def is_paged(contract: Contract, operation: Operation) -> bool:
    """Whether an operation is a record query with pages."""
    return operation.name in contract.pages


@finding(
    "rate-limit-passed", "error", When.REFUSED, judges=lambda contract, operation: bool(contract.limited)
)
def rate_limit_passed(context: RuleContext) -> Iterator[str]:
    """The provider refused a request because it exceeded a limit of the account.

    The limits are requests per second, calls per hour to one number, uploads per second. What exceeds a limit
    is not queued: it is lost unless the client sends it again later. Refusals that a rule of the scenario made
    do not count.

    How to fix it: count requests in the client, and stay below the documented limit.
    """
    if context.seen.reply_rule is None and context.refused_for(context.contract.limited):
        yield "refused: over the limit of the account"


@finding(
    "polling-too-fast",
    "warning",
    When.ARRIVED,
    judges=lambda contract, operation: operation.name in contract.paces,
)
def polling_too_fast(context: RuleContext) -> Iterator[Hit]:
    """An operation was called more often than its page allows.

    NXCloud documents one record query per second and application, one agent record query per two seconds and
    address; Huawei ten uploads per second. The emulator replies anyway unless the account's settings enforce
    the limits; the real platform does not promise to.

    How to fix it: space the queries out, or ask for more rows at once.
    """
    pace = context.contract.paces.get(context.operation)
    if pace is None:
        return
    memory: Memory = context.memory
    asker = (context.operation, context.request.peer if pace.by_address else "")
    arrivals: Recent[tuple[str, str], deque[int]] = memory.room("paces", Recent)
    recent = arrivals.get(asker) or deque(maxlen=pace.count)
    now = context.seen.at
    too_fast = len(recent) == pace.count and now - recent[0] < pace.span
    recent.append(now)
    arrivals.put(asker, recent)
    if too_fast:
        per = f"{pace.count} in {pace.span / SECOND:g} s"
        yield Hit(f"more than {per}", source=pace.source)


#: The room with the last paged query of each operation.
LAST_QUERIES = "last-queries"


@plain_record
class PagedQuery:
    """How far a client has read the rows of one record query: ``until`` of ``total``.

    ``entry_id`` is the journal entry of its first page, 0 when an earlier process had it.
    """

    operation: str
    terms: str
    until: int
    total: int
    entry_id: int
    at: int
    source: str
    provider: str


def _terms(context: RuleContext, pages: Pages) -> str:
    """What a query asks for, whatever the page."""
    fields = context.request.fields
    kept = sorted(
        (name, str(value)) for name, value in fields.items() if name not in (pages.page, pages.size)
    )
    return repr(kept)


def _whole(value: object, default: int) -> int:
    text = str(value) if value not in (None, "") else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


@finding("skipped-pages", "error", When.ARRIVED, judges=is_paged)
def skipped_pages(context: RuleContext) -> Iterator[Hit]:
    """A client that reads page by page skipped some.

    A record query replies in pages. The client asked for a page beyond the next one, which is an error: calls
    on the pages between are never seen, so the bill and the call list disagree. Or it began another query
    while rows of the one before were unread, which is a warning: it may have found what it looked for.

    How to fix it: ask for one page after the other until the total is reached.
    """
    pages = context.contract.pages.get(context.operation)
    reply, operation = context.seen.reply, context.request.operation
    if pages is None or reply is None or reply.refused or reply.payload is None or operation is None:
        return
    fields = context.request.fields
    size = _whole(fields.get(pages.size), pages.size_default)
    begin = _whole(fields.get(pages.page), 0 if pages.by_row else 1)
    first = begin if pages.by_row else (begin - 1) * size
    total = pages.total(reply.payload)
    if total is None:
        return
    memory: Memory = context.memory
    queries: dict[str, PagedQuery] = memory.room(LAST_QUERIES, dict)
    terms = _terms(context, pages)
    known = queries.get(context.operation)
    if known is not None and known.terms == terms:
        if first > known.until and first < known.total:
            yield Hit(f"rows {known.until + 1} to {first} of {total} were skipped")
        known.until = max(known.until, first + size)
        known.total = total
    else:
        if known is not None and known.until < known.total:
            yield unread(known)
        if first > 0 and first < total:
            yield Hit(f"the first page asked for begins at row {first + 1} of {total}")
        source = operation.source
        queries[context.operation] = PagedQuery(
            context.operation, terms, first + size, total, context.seen.entry_id, context.seen.at, source,
            context.request.provider,
        )  # fmt: skip


def unread(query: PagedQuery) -> Hit:
    """The finding about a record query that was not read to its end."""
    read = f"{query.until:,} of {counted(query.total, 'row')}"
    began = f"request {query.entry_id}" if query.entry_id else "a request before the restart"
    return Hit(f"only {read} read of the query that {began} began", severity="warning")


RULES = (rate_limit_passed, polling_too_fast, skipped_pages)
