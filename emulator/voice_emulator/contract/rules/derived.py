"""Rules about the present state, worked out whenever the findings are read."""

from __future__ import annotations

from collections.abc import Iterator

from voice_emulator.contract.memory import memory_of
from voice_emulator.contract.rules.queries import LAST_QUERIES, PagedQuery, is_paged, unread
from voice_emulator.core.conservation import Orphan
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import PushOutcome, Severity
from voice_emulator.providers.contract import Hit, When, finding

#: Outcomes of a push that never left the emulator because it had no target.
_NO_TARGET = frozenset({PushOutcome.NO_URL, PushOutcome.BLOCKED})


@finding("orphaned-call", "error", When.DERIVED)
def orphaned_call(orphan: Orphan) -> Iterator[Hit]:
    """A call ended, and the client does not know how.

    No push of its receipt was acknowledged, and no record query of the client showed it, so the call stays
    open in the client's books for ever: not billed, not repeated, not reported. It counts even when a rule of
    the scenario lost the receipt: providers lose receipts too, and a client has to notice that one is missing
    and ask for it.

    It is a warning where no receiver is configured, or where the emulator may not push to the receiver. It does
    not count when the emulator itself failed at the push.

    The finding goes away when a record query shows the client the call, or when a later push is acknowledged.

    How to fix it: when a call should have ended some minutes ago and no receipt came, look it up with the
    record query.
    """
    lost = f"lost by the rule {orphan.rule!r}" if orphan.last is PushOutcome.LOST and orphan.rule else None
    why = lost or (
        f"its last push was {orphan.last.value}" if orphan.last is not None else "it has no receipt"
    )
    if orphan.last is PushOutcome.NO_URL:
        why = "no receiver is configured"
    severity: Severity | None = "warning" if orphan.last in _NO_TARGET else None
    yield Hit(
        f"call to {orphan.number}: {why}, and no record query showed it",
        orphan.call_id,
        severity=severity,
    )


@finding("pages-unread", "warning", When.DERIVED, judges=is_paged)
def pages_unread(query: PagedQuery) -> Iterator[Hit]:
    """The last record query was not read to its end.

    The reply stated how many rows there are; the client read fewer and did not ask for more. It may still be
    reading, or have found what it looked for; or it takes the first page for all rows.

    How to fix it: ask for one page after the other until as many rows are read as the total says.
    """
    if query.until < query.total:
        yield unread(query)


def last_queries(tenant: Tenant) -> list[PagedQuery]:
    """The last paged query of each operation."""
    found: dict[str, PagedQuery] = memory_of(tenant).rooms.get(LAST_QUERIES, {})
    return list(found.values())


RULES = (orphaned_call, pages_unread)
