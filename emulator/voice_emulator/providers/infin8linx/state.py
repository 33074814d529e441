"""What the account remembers beyond calls and tokens: links to recordings, records already queried."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from voice_emulator.core.calls import Call
from voice_emulator.core.tenants import Tenant

#: Links remembered per tenant; the oldest is forgotten first.
LINK_LIMIT = 60_000


@dataclass(frozen=True, slots=True)
class Link:
    """A download link: the call whose recording it serves, and the first instant it does not work.

    ``expires_at`` is None for the link in a record, which lives as long as the recording.
    """

    call_id: str
    expires_at: int | None


@dataclass(slots=True)
class Account:
    """One tenant's state; ``warned_of_paging`` says that the log has mentioned the paging trap."""

    links: OrderedDict[str, Link] = field(default_factory=OrderedDict)
    warned_of_paging: bool = False

    def keep(self, value: str, link: Link) -> None:
        """Remember a link."""
        self.links[value] = link
        if len(self.links) > LINK_LIMIT:
            self.links.popitem(last=False)


@dataclass(slots=True)
class Notes:
    """What is noted on one call: the link to its recording, and whether a query has returned it."""

    link: str = ""
    queried: bool = False


def links_anew(tenant: Tenant, provider: str) -> None:
    """The links in the records of a tenant's calls, from the calls. Links that queries gave out are forgotten."""
    account = tenant.account_state(provider, Account)
    for call in tenant.ledger.of_provider(provider):
        if notes_of(call).link:
            account.keep(notes_of(call).link, Link(call.id, None))


def notes_of(call: Call) -> Notes:
    """The notes on ``call``, begun on first use."""
    if not isinstance(call.details, Notes):
        call.details = Notes()
    return call.details
