"""Rules about record queries and documented paces: how often a client asks, and whether it reads to the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from voice_emulator.contract.memory import Memory, Recent
from voice_emulator.core.clock import SECOND
from voice_emulator.providers.contract import Hit, Pages, When, finding
from voice_emulator.providers.rule_context import RuleContext


@finding("rate-limit-passed", "error", When.REFUSED)
def rate_limit_passed(context: RuleContext) -> Iterator[str]:
    """The provider refused a request because too many came before it.

    The account has a limit (requests per second, calls per hour to one number, uploads per second), and
    this request was over it. What is over a limit is not queued: it is lost unless the client sends it
    again later.

    How to fix it: keep count on the client's side, and stay below the documented pace.
    """
    if context.seen.reply_rule is None and context.refused_for(context.contract.limited):
        yield "refused: the limit of the account was passed"


@finding("polling-too-fast", "warning", When.ARRIVED)
def polling_too_fast(context: RuleContext) -> Iterator[Hit]:
    """An operation was used faster than its page allows.

    NXCloud documents one record query per second and application, one agent record query per two
    seconds and address; Huawei ten uploads per second. The emulator answers all the same unless the
    account is set to be strict, the real platform does not promise to.

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


@dataclass(slots=True)
class Diagnostics:
    """How far a client has read the answer to one question. ``until`` counts rows."""

    operation: str
    question: str
    until: int
    total: int
    entry_id: int
    at: int
    source: str
    provider: str


def _question(context: RuleContext, pages: Pages) -> str:
    fields = context.request.fields
    kept = sorted(
        (name, str(value)) for name, value in fields.items() if name not in (pages.page, pages.size)
    )
    return repr(kept)


def _whole(value: object, default: int) -> int:
    text = str(value) if value not in (None, "") else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


@finding("skipped-pages", "error", When.ARRIVED)
def skipped_pages(context: RuleContext) -> Iterator[Hit]:
    """A client that reads page by page left some out.

    A record query answers in pages. The client asked for a page beyond the one that follows the last it
    had read, or began another question while rows of the former one were still unread. Calls on the
    pages between are never seen, so the bill and the call list disagree. The former is an error; the
    latter a warning, since the client may have found what it looked for.

    How to fix it: ask for one page after the other until as many rows are read as the total says.
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
    readings: dict[str, Diagnostics] = memory.room("readings", dict)
    question = _question(context, pages)
    known = readings.get(context.operation)
    if known is not None and known.question == question:
        if first > known.until and first < known.total:
            yield Hit(f"rows {known.until + 1} to {first} of {total} were passed over")
        known.until = max(known.until, first + size)
        known.total = total
    else:
        if known is not None and known.until < known.total:
            yield unread(known)
        if first > 0 and first < total:
            yield Hit(f"reading began with row {first + 1} of {total}")
        source = operation.source
        readings[context.operation] = Diagnostics(
            context.operation, question, first + size, total, context.seen.entry_id, context.seen.at, source,
            context.request.provider,
        )  # fmt: skip


def unread(reading: Diagnostics) -> Hit:
    """The finding about an answer that was not read to its end."""
    return Hit(
        f"only {reading.until} of {reading.total} rows were read of the question begun by request {reading.entry_id}",
        severity="warning",
    )


RULES = (rate_limit_passed, polling_too_fast, skipped_pages)
