"""Conservation: every accepted number is accounted for, at any time.

A number is acknowledged (a push of its receipt arrived), reconciled (no push arrived, but a record query of the client
showed the call), pending, uncertain, dropped before it was dialled, or an orphan: it ended, and the client never
learned how. The accounts are updated step by step, so they stay right when calls are forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, fields
from decimal import Decimal
from typing import Any

from voice_emulator.core.billing import money
from voice_emulator.core.calls import Call
from voice_emulator.core.listeners import Listeners
from voice_emulator.core.pushes import Push
from voice_emulator.core.values import plain_record, plain_value
from voice_emulator.core.vocabulary import Fate, PushOutcome, Step

#: Orphans kept one by one; the others are only counted.
ORPHAN_LIMIT = 10_000

_SHOWN = 1
_UNCERTAIN = 2
_TOLD = 4
_HEARD = 8
_ZERO = Decimal(0)


@plain_value
class Orphan:
    """A call whose end the client never learned. ``last`` is the outcome of its last push, None without a push."""

    call_id: str
    provider: str
    operation: str
    number: str
    ended_at: int
    last: PushOutcome | None
    rule: str | None


@plain_record
class Sums:
    """Charges of one provider, each call counted once.

    ``ledger`` is what all ended calls cost. ``receipts`` and ``queries`` sum up the charges in acknowledged receipts and
    in record queries (None if the provider states no prices); ``receipts_due`` and ``queries_due`` sum up what the
    ledger has for the same calls.
    """

    ledger: Decimal = _ZERO
    receipts: Decimal | None = None
    receipts_due: Decimal = _ZERO
    queries: Decimal | None = None
    queries_due: Decimal = _ZERO

    @property
    def agree(self) -> bool:
        """Whether receipts and queries agree with the ledger."""
        return (self.receipts is None or self.receipts == self.receipts_due) and (
            self.queries is None or self.queries == self.queries_due
        )

    def shown(self) -> dict[str, Any]:
        """The sums as decimal strings, null where the provider states no price."""
        sums = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: None if one is None else money(one) for name, one in sums.items()} | {
            "agree": self.agree
        }


@plain_record
class Account:
    """The numbers of one provider."""

    accepted: int = 0
    fates: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(Fate, 0))
    sums: Sums = field(default_factory=Sums)

    def shown(self) -> dict[str, Any]:
        """``accepted``, and how many numbers have each fate."""
        return {"accepted": self.accepted} | {fate.value: count for fate, count in self.fates.items()}


class Conservation:
    """The accounts of one tenant, by provider."""

    __slots__ = ("_listeners", "_orphans", "accounts")

    def __init__(self, listeners: Listeners | None = None) -> None:
        self._listeners = listeners or Listeners()
        self.accounts: dict[str, Account] = {}
        self._orphans: dict[str, Orphan] = {}

    def clear(self) -> None:
        """Forget everything."""
        self.accounts.clear()
        self._orphans.clear()

    def restore(self, accounts: Mapping[str, Account], orphans: Iterable[Orphan]) -> None:
        """Set accounts and orphans, as a state file has them."""
        self.accounts = dict(accounts)
        self._orphans = {orphan.call_id: orphan for orphan in orphans}

    # --- what happens -------------------------------------------------------------------------

    def placed(self, provider: str, count: int = 1) -> None:
        """``count`` numbers were accepted."""
        account = self.accounts.get(provider)
        if account is None:
            account = self.accounts[provider] = Account()
        account.accepted += count
        account.fates[Fate.PENDING] += count

    def ended(self, call: Call) -> None:
        """A call ended, or was dropped before it was dialled; its receipts are scheduled next."""
        if call.dropped:
            self._move(call, Fate.DROPPED)
            return
        copies = call.effect.copies if call.effect is not None else 1
        for plan in call.submission.receipts:
            if plan.ruled and plan.on is Step.END:
                call.open_pushes += copies
        if call.bill is not None and call.bill.charge:
            self.accounts[call.submission.provider].sums.ledger += call.bill.charge
        if not call.open_pushes:
            self._settle(call, None, None)

    def attempted(
        self,
        push: Push,
        outcome: PushOutcome,
        *,
        again: bool,
        ours: bool = False,
        told: Decimal | None = None,
    ) -> None:
        """An attempt of a push ended; ``again`` is whether another one is scheduled.

        ``ours`` is whether it may have failed through the emulator: then the call becomes uncertain and not an orphan.
        ``told`` is the charge in the receipt, None if the provider states none.
        """
        call = push.call
        if call is None or not _reports_end(call, push.kind):
            return
        if call.fate is Fate.DROPPED:
            if outcome is PushOutcome.DELIVERED and not call.marks & _HEARD:
                call.marks |= _HEARD
                self._tell(call)
            return
        if not push.by_hand and not again:
            call.open_pushes -= 1
        if outcome is PushOutcome.DELIVERED:
            if call.fate is not Fate.ACKNOWLEDGED:
                self._acknowledge(call, told)
            return
        if outcome is PushOutcome.UNCERTAIN or ours:
            call.marks |= _UNCERTAIN
        if call.fate is Fate.PENDING and call.ended and call.open_pushes <= 0:
            self._settle(call, outcome, push.rule)

    def shown(self, call: Call, told: Decimal | None = None) -> None:
        """A record query showed ``call`` to the client. Before the call has ended this changes nothing."""
        if not call.ended or call.dropped or call.submission.provider not in self.accounts:
            return
        if not call.marks & _TOLD:
            call.marks |= _TOLD
            sums = self.accounts[call.submission.provider].sums
            if told is not None:
                sums.queries = (sums.queries or _ZERO) + told
                sums.queries_due += call.bill.charge if call.bill is not None else _ZERO
        call.marks |= _SHOWN
        if call.fate in (Fate.ORPHAN, Fate.UNCERTAIN):
            self._move(call, Fate.RECONCILED)

    # --- the accounts -------------------------------------------------------------------------

    def _acknowledge(self, call: Call, told: Decimal | None) -> None:
        self._move(call, Fate.ACKNOWLEDGED)
        self._tell(call)
        if told is not None:
            sums = self.accounts[call.submission.provider].sums
            sums.receipts = (sums.receipts or _ZERO) + told
            sums.receipts_due += call.bill.charge if call.bill is not None else _ZERO

    def _tell(self, call: Call) -> None:
        for told in self._listeners.call_acknowledged:
            told(call)

    def _settle(self, call: Call, last: PushOutcome | None, rule: str | None) -> None:
        """All pushes of ``call`` are done, and none was acknowledged."""
        if call.marks & _SHOWN:
            self._move(call, Fate.RECONCILED)
        elif call.marks & _UNCERTAIN:
            self._move(call, Fate.UNCERTAIN)
        else:
            self._move(call, Fate.ORPHAN)
            if len(self._orphans) < ORPHAN_LIMIT:
                self._orphans[call.id] = Orphan(
                    call.id, call.provider, call.operation, call.number, call.ended_at or 0, last, rule
                )

    def _move(self, call: Call, fate: Fate) -> None:
        account = self.accounts.get(call.submission.provider)
        if account is None:  # placed before a reset
            return
        if call.fate is Fate.ORPHAN:
            self._orphans.pop(call.id, None)
        account.fates[call.fate] -= 1
        account.fates[fate] += 1
        call.fate = fate

    # --- reading ------------------------------------------------------------------------------

    @property
    def orphans(self) -> Iterator[Orphan]:
        """The orphans, oldest first, at most :data:`ORPHAN_LIMIT` of them."""
        return iter(tuple(self._orphans.values()))

    def orphan(self, call_id: str) -> Orphan | None:
        """The orphan of this call, if it is one of those."""
        return self._orphans.get(call_id)

    def count(self, fate: Fate) -> int:
        """How many numbers of all providers have ``fate``."""
        return sum(account.fates[fate] for account in self.accounts.values())

    @property
    def accepted(self) -> int:
        """How many numbers were accepted."""
        return sum(account.accepted for account in self.accounts.values())

    @property
    def balanced(self) -> bool:
        """Whether every accepted number has exactly one fate."""
        return all(account.accepted == sum(account.fates.values()) for account in self.accounts.values())

    def shown_accounts(self) -> dict[str, Any]:
        """INTERFACE section 7, ``conservation``: the totals, the orphans' call ids, and each provider."""
        totals: dict[str, Any] = {"accepted": self.accepted}
        totals |= {fate.value: self.count(fate) for fate in Fate}
        providers: Mapping[str, Any] = {
            name: account.shown() | {"charges": account.sums.shown()}
            for name, account in self.accounts.items()
        }
        return totals | {
            "balanced": self.balanced,
            "orphans": list(self._orphans),
            "providers": dict(sorted(providers.items())),
        }


def _reports_end(call: Call, kind: str) -> bool:
    """Whether pushes of ``kind`` report the end of ``call``, and not an earlier step."""
    for plan in call.submission.receipts:  # noqa: SIM110 - a generator takes three times as long
        if plan.kind == kind and plan.ruled and plan.on is Step.END:
            return True
    return False
