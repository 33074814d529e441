"""Rules that look at where things stand, worked out whenever somebody asks."""

from __future__ import annotations

from collections.abc import Iterator

from voice_emulator.contract.memory import memory_of
from voice_emulator.contract.rules.queries import Diagnostics, unread
from voice_emulator.core.conservation import Orphan
from voice_emulator.core.findings import Severity
from voice_emulator.core.pushes import PushOutcome
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.contract import Hit, When, finding

#: Ends of a push that say that nobody was there to be told, rather than that somebody did not listen.
_NOBODY = frozenset({PushOutcome.NO_URL, PushOutcome.BLOCKED})


@finding("orphaned-call", "error", When.STANDING)
def orphaned_call(orphan: Orphan) -> Iterator[Hit]:
    """A call ended, and the client does not know how.

    No push of its receipt was acknowledged, and the client's record query never showed it, so the call
    stays open in the client's books for ever: not billed, not repeated, not reported. It counts even when
    a rule of the scenario lost the receipt: providers lose receipts too, and a client has to notice that
    one is missing and ask for it.

    It is a warning where no receiver is configured, or the emulator may not push to it.

    The finding goes away when the client asks the record query and is shown the call, or acknowledges a
    push that comes later.

    How to fix it: some minutes after a call should have ended without a receipt, look it up.
    """
    lost = f"lost by the rule {orphan.rule!r}" if orphan.last is PushOutcome.LOST and orphan.rule else None
    why = lost or (
        f"its last push was {orphan.last.value}" if orphan.last is not None else "it has no receipt"
    )
    if orphan.last is PushOutcome.NO_URL:
        why = "no receiver is configured"
    severity: Severity | None = "warning" if orphan.last in _NOBODY else None
    yield Hit(
        f"the call to {orphan.number}: {why}, and no record query showed it",
        orphan.call_id,
        severity=severity,
    )


@finding("pages-unread", "warning", When.STANDING)
def pages_unread(reading: Diagnostics) -> Iterator[Hit]:
    """The last record query was not read to its end.

    The reply told how many rows there are; the client read fewer and asked no more. It may be in the
    middle of it, or have found what it looked for; or it takes the first page for all.

    How to fix it: ask for one page after the other until as many rows are read as the total says.
    """
    if reading.until < reading.total:
        yield unread(reading)


def readings(tenant: Tenant) -> list[Diagnostics]:
    """The questions that clients of a tenant asked last."""
    found: dict[str, Diagnostics] = memory_of(tenant).rooms.get("readings", {})
    return list(found.values())


RULES = (orphaned_call, pages_unread)
