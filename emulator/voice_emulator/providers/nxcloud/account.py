"""What the emulator remembers of one NXCloud customer beyond calls and tokens. Everything bounded."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from voice_emulator.core.clock import HOUR, SECOND
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant

PROVIDER_ID = "nxcloud"

K = TypeVar("K")
V = TypeVar("V")

#: Ids, order ids and callers remembered.
REMEMBERED = 100_000
FILES = 1_000
#: Bytes of uploaded files kept for download; the oldest contents go first, their entries stay.
FILE_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class VoiceFile:
    """One uploaded file: ``name`` as uploaded, ``stored`` as in its address, ``at`` when."""

    name: str
    stored: str
    url: str
    at: int
    content: bytes | None


class Account:
    """The state of one tenant at NXCloud."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.files: OrderedDict[str, VoiceFile] = OrderedDict()
        self._file_bytes = 0
        #: Kind of each submission, by messageid.
        self.kinds: OrderedDict[str, str] = OrderedDict()
        #: What fill reports said, by messageid.
        self.filled: OrderedDict[str, int] = OrderedDict()
        self.orderids: OrderedDict[str, None] = OrderedDict()
        self._hour = -1
        self._sends: Counter[str] = Counter()
        self._second = -1
        self._requests = 0
        self._last_query: OrderedDict[tuple[str, str], int] = OrderedDict()

    def keep_file(self, file: VoiceFile) -> None:
        """Enter a file; past the bounds the oldest is forgotten."""
        self.files[file.stored] = file
        self._file_bytes += len(file.content or b"")
        if len(self.files) > FILES:
            self._file_bytes -= len(self.files.popitem(last=False)[1].content or b"")
        for each in self.files.values():
            if self._file_bytes <= FILE_BYTES:
                break
            self._file_bytes -= len(each.content or b"")
            each.content = None

    def submitted(self, messageid: str, kind: str) -> None:
        """Remember the kind of an accepted submission."""
        _remember(self.kinds, messageid, kind)

    def report_filled(self, messageid: str, status: int) -> None:
        """Remember what a fill report said."""
        _remember(self.filled, messageid, status)

    def use_orderid(self, orderid: str) -> None:
        """Remember an order id as taken."""
        _remember(self.orderids, orderid, None)

    def sends_this_hour(self, number: str, now: int) -> int:
        """Accepted sends to ``number`` in the clock hour of ``now``."""
        return self._sends[number] if self._hour == now // HOUR else 0

    def requests_this_second(self, now: int) -> int:
        """Accepted verification requests in the clock second of ``now``."""
        return self._requests if self._second == now // SECOND else 0

    def count_verification(self, number: str, now: int) -> None:
        """Count one accepted verification request against both limits."""
        if self._hour != now // HOUR:
            self._hour = now // HOUR
            self._sends.clear()
        self._sends[number] += 1
        if self._second != now // SECOND:
            self._second, self._requests = now // SECOND, 0
        self._requests += 1

    def last_query(self, operation: str, asker: str) -> int | None:
        """When ``asker`` last had an answer from ``operation``."""
        return self._last_query.get((operation, asker))

    def count_query(self, operation: str, asker: str, now: int) -> None:
        """Remember that ``asker`` had an answer now."""
        self._last_query.pop((operation, asker), None)
        _remember(self._last_query, (operation, asker), now)


def _remember(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > REMEMBERED:
        kept.popitem(last=False)


def revive(tenant: Tenant, pushes: Sequence[Push]) -> None:
    """What the account knows of its calls, from the calls. Files and counted requests are forgotten."""
    account = account_of(tenant)
    for call in tenant.ledger.of_provider(PROVIDER_ID):
        if call.submission.kind != "agent":
            account.submitted(call.batch_id, call.submission.kind)
        elif call.submission.details.get("orderid"):
            account.use_orderid(call.submission.details["orderid"])


def account_of(tenant: Tenant) -> Account:
    """The state of ``tenant`` here."""
    return tenant.account_state(PROVIDER_ID, Account)
