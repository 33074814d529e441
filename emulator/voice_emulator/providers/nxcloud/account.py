"""What the emulator remembers of one NXCloud account besides calls and tokens. Everything is bounded."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence

from voice_emulator.core.clock import HOUR, SECOND
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.values import plain_record
from voice_emulator.providers.kit.memory import Remembered

PROVIDER_ID = "nxcloud"

#: Ids, order ids and callers remembered.
REMEMBERED = 100_000
FILES = 1_000
#: Bytes of uploaded files kept for download; the oldest contents go first, their entries stay.
FILE_BYTES = 32 * 1024 * 1024


@plain_record
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
        self.files: OrderedDict[str, VoiceFile] = OrderedDict()
        self._file_bytes = 0
        #: Kind of each submission, by messageid.
        self.kinds: Remembered[str, str] = Remembered(REMEMBERED)
        #: The status of fill reports, by messageid.
        self.filled: Remembered[str, int] = Remembered(REMEMBERED)
        self.orderids: Remembered[str, None] = Remembered(REMEMBERED)
        self._hour = -1
        self._sends: Counter[str] = Counter()
        self._second = -1
        self._requests = 0
        self._last_query: Remembered[tuple[str, str], int] = Remembered(REMEMBERED)

    def keep_file(self, file: VoiceFile) -> None:
        """Keep a file; beyond the bounds the oldest is forgotten."""
        self.files[file.stored] = file
        self._file_bytes += len(file.content or b"")
        if len(self.files) > FILES:
            self._file_bytes -= len(self.files.popitem(last=False)[1].content or b"")
        for each in self.files.values():
            if self._file_bytes <= FILE_BYTES:
                break
            self._file_bytes -= len(each.content or b"")
            each.content = None

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

    def last_query(self, operation: str, client: str) -> int | None:
        """The instant of the last reply of ``operation`` to ``client``, a client's key or address."""
        return self._last_query.get((operation, client))

    def count_query(self, operation: str, client: str, now: int) -> None:
        """Remember a reply to ``client``."""
        self._last_query.pop((operation, client), None)
        self._last_query[operation, client] = now


def revive(tenant: Tenant, pushes: Sequence[Push]) -> None:
    """Rebuild what the account knows of its calls. Files and counted requests are forgotten."""
    account = account_of(tenant)
    for call in tenant.ledger.of_provider(PROVIDER_ID):
        if call.submission.kind != "agent":
            account.kinds[call.batch_id] = call.submission.kind
        elif call.submission.details.get("orderid"):
            account.orderids[call.submission.details["orderid"]] = None


def account_of(tenant: Tenant) -> Account:
    """The state of ``tenant`` here."""
    return tenant.account_state(PROVIDER_ID, Account)
