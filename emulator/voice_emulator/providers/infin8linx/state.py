"""What the account remembers besides calls and tokens: links to recordings, and records already queried."""

from __future__ import annotations

from dataclasses import field

from voice_emulator.core.calls import Call
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.values import plain_record, plain_value
from voice_emulator.providers.kit.memory import Remembered

#: Links remembered per tenant; the oldest is forgotten first.
LINK_LIMIT = 60_000


@plain_value
class Link:
    """A download link: the call with the recording, and the instant at which the link expires.

    ``expires_at`` is None for the link in a record, which is valid as long as the recording exists.
    """

    call_id: str
    expires_at: int | None


@plain_record
class Account:
    """One tenant's state; ``warned_of_paging`` says that the log has mentioned the paging trap."""

    links: Remembered[str, Link] = field(default_factory=lambda: Remembered(LINK_LIMIT))
    warned_of_paging: bool = False


@plain_record
class Notes:
    """What is noted on one call: the link to its recording, and whether a query has returned it."""

    link: str = ""
    queried: bool = False


def rebuild_links(tenant: Tenant, provider: str) -> None:
    """Rebuild the links in records from the tenant's calls. Links from queries are forgotten."""
    account = tenant.account_state(provider, Account)
    for call in tenant.ledger.of_provider(provider):
        if notes_of(call).link:
            account.links[notes_of(call).link] = Link(call.id, None)


def notes_of(call: Call) -> Notes:
    """The notes on ``call``."""
    if not isinstance(call.details, Notes):
        call.details = Notes()
    return call.details
