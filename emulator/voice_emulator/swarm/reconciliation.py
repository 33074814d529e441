"""Compares the client's bill with the emulator's ledger, call by call, and says why a charge is wrong.

No I/O: :func:`reconcile` takes rows and calls. A right bill has no difference, so whatever the bill leaves open is
decided in its favour: a time without a zone, an amount where the provider states no price, an unanswered call that costs
nothing and is not listed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, localcontext

from voice_emulator.core.billing import Tariff, bill, money
from voice_emulator.core.shapes import Call
from voice_emulator.core.words import counted
from voice_emulator.swarm.bill_columns import Bill, BillRow, Known, number_key, read_rows
from voice_emulator.swarm.bill_file import read_table
from voice_emulator.swarm.bill_map import BillMap
from voice_emulator.swarm.charge_causes import Cause, guesses, push_attempts, seconds_cause
from voice_emulator.swarm.matching import Due, call_ids, day_of, due, match, moment_of

#: Digits of amounts that are calculated with: no amount of a bill has more.
_PRECISION = 200
#: A receipt that comes so much later than the call's end (seconds) is late.
_LATE = 3_600
_HOUR = 3_600
#: Rows of the largest bill with days alone for which every zone is tried.
_FEW = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that bill and ledger disagree about.

    ``kind`` is missing, extra, doubled, wrong amount, wrong seconds, wrong day or wrong currency; ``cause`` names the
    mistake behind it (empty: unknown) and ``text`` explains it for this row. ``call`` is None for an extra row, ``row``
    for a missing call; ``expected`` and ``billed`` are the charges.
    """

    kind: str
    cause: str
    text: str
    call: Call | None = None
    row: BillRow | None = None
    expected: Decimal | None = None
    billed: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """``differences`` in the order of the bill, missing calls last; ``notes`` say what was not compared, and how."""

    differences: tuple[Difference, ...]
    rows: int
    calls: int
    notes: tuple[str, ...] = ()


def reconcile_text(
    body: bytes,
    label: str,
    calls: Sequence[Call],
    *,
    chosen: BillMap | None = None,
    tolerance: Decimal = Decimal(0),
) -> Reconciliation:
    """Read the bill in ``body`` and compare it. Raises UsageError, one line, for a bill that cannot be read."""
    chosen = chosen or BillMap()
    with localcontext(prec=_PRECISION):
        table = read_table(body, label)
        read = read_rows(table, chosen, _known(calls))
    found = reconcile(read, calls, tolerance=tolerance, zone=chosen.zone, tariffs=chosen.tariffs)
    recognised = (f"{table.form}: {'; '.join(read.recognised)}",) if read.recognised else ()
    return Reconciliation(found.differences, found.rows, found.calls, (*recognised, *found.notes))


def _known(calls: Sequence[Call]) -> Known:
    days = {call.submitted_at.date() for call in calls}
    return Known(
        {number_key(call.number) for call in calls},
        {name.casefold() for call in calls for name in call_ids(call)},
        {day + timedelta(days=shift) for day in days for shift in (-1, 0, 1)},
    )


def reconcile(
    read: Bill,
    calls: Sequence[Call],
    *,
    tolerance: Decimal = Decimal(0),
    zone: int | None = None,
    tariffs: Mapping[str, Tariff] | None = None,
) -> Reconciliation:
    """Compare the rows of a bill with ``calls``, all calls of the ledger.

    Charges may differ by ``tolerance``. ``zone`` is that of times without one, in seconds east of UTC (None: the one that
    fits most rows). ``tariffs`` replace the ledger's prices, by provider.
    """
    with localcontext(prec=_PRECISION):

        def compared(zone: int | None) -> Reconciliation:
            return _Comparison(read, calls, tolerance, tariffs or {}).run(zone)

        found = compared(zone)
        days = any(row.at is not None and not isinstance(row.at, datetime) for row in read.rows)
        if zone is None and days and len(read.rows) <= _FEW and found.differences:
            # A few days alone fit several zones, and calls to one number fit several days.
            found = min(
                (found, *map(compared, range(-12 * _HOUR, 15 * _HOUR, _HOUR))),
                key=lambda each: len(each.differences),
            )
        return found


@dataclass(slots=True)
class _Comparison:
    read: Bill
    calls: Sequence[Call]
    tolerance: Decimal
    tariffs: Mapping[str, Tariff]
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # Wrong amounts wait until all guesses are known: one cause explains many rows.
    guessed: list[tuple[Difference, list[Cause]]] = field(default_factory=list)

    def run(self, zone: int | None) -> Reconciliation:
        dues = [due(call, self.expected(call)) for call in self.calls]
        strangers = match(self.read.rows, dues, zone=zone, trusts_ids=self.read.trusts_ids)
        over = [one for one in dues if one.call.billing is not None]
        self._zone_notes(over)
        if self.read.charged:
            self._amounts(over)
        wrong = {id(difference.row) for difference, _ in self.guessed}
        self._currencies(over)
        for one in over:
            for row in one.rows[:1]:
                if id(row) not in wrong:
                    self._seconds(one, row)
                self._day(one, row)
            self._doubled(one)
        for one in dues:
            if one.call.billing is None:
                self._not_over(one)
        for row, others in strangers:
            self._extra(row, others)
        self._choose_causes()
        order = {id(row): index for index, row in enumerate(self.read.rows)}
        self.differences.sort(key=lambda difference: order.get(id(difference.row), len(order)))
        self._missing(over)
        return Reconciliation(tuple(self.differences), len(self.read.rows), len(over), tuple(self.notes))

    def tariff(self, call: Call) -> Tariff:
        stated = call.billing
        if call.provider in self.tariffs or stated is None:
            return self.tariffs.get(call.provider, Tariff())
        return Tariff(max(1, stated.cycle), stated.unit_price, stated.basic_price)

    def expected(self, call: Call) -> Decimal:
        """What the call costs: by the ledger, or by the tariff that the user gave."""
        if call.billing is None:
            return Decimal(0)
        if call.provider in self.tariffs:
            return bill(self.tariffs[call.provider], call.answered_at is not None, call.talk_seconds).charge
        return call.billing.charge

    def add(self, kind: str, cause: Cause, one: Due | None = None, row: BillRow | None = None) -> None:
        self.differences.append(self._difference(kind, cause, one, row))

    @staticmethod
    def _difference(kind: str, cause: Cause, one: Due | None, row: BillRow | None) -> Difference:
        return Difference(
            kind, cause.name, cause.text,
            one.call if one is not None else None, row,
            one.expected if one is not None else None, row.charge if row is not None else None,
        )  # fmt: skip

    # Amounts

    def _amounts(self, over: list[Due]) -> None:
        kinds: dict[tuple[str, str], list[Due]] = defaultdict(list)
        for one in over:
            if one.rows:
                kinds[one.call.provider, one.call.operation].append(one)
        others = self._other_tariffs()
        for (provider, operation), some in kinds.items():
            judged: Iterable[Due] = some
            tariffs = [self.tariff(one.call) for one in some]
            if not any(tariff.price or tariff.basic_price for tariff in tariffs):
                judged = self._without_price(provider, operation, some)
            for one in judged:
                self._amount(one, one.rows[0], others)

    def _without_price(self, provider: str, operation: str, some: list[Due]) -> list[Due]:
        """The calls of an operation without prices whose charge tells: none where the bill has prices of its own."""
        answered = [one for one in some if one.call.answered_at is not None]
        unanswered = [one for one in some if one.call.answered_at is None]
        if not _mostly_charged(answered):
            return some
        self.notes.append(
            f"{provider} states no prices: the charges of {counted(len(answered), 'answered call')} ({operation}) are not "
            "compared; give your own as `tariffs` in --map"
        )
        return [] if _mostly_charged(unanswered) else unanswered

    def _other_tariffs(self) -> list[tuple[Tariff, str]]:
        """Each tariff of the ledger once, with a call that has it."""
        found: dict[tuple[int, Decimal], tuple[Tariff, str]] = {}
        for call in self.calls:
            tariff = self.tariff(call)
            if tariff.price:
                found.setdefault(
                    (tariff.cycle, tariff.price), (tariff, f"another call ({call.operation}, {call.number})")
                )
        return list(found.values())

    def _amount(self, one: Due, row: BillRow, others: list[tuple[Tariff, str]]) -> None:
        billed = row.charge if row.charge is not None else Decimal(0)
        if abs(billed - one.expected) <= self.tolerance:
            return
        found = list(
            guesses(one.call, self.tariff(one.call), one.expected, billed, seconds=row.seconds, others=others)
        )
        self.guessed.append((self._difference("wrong amount", Cause("", ""), one, row), found))

    def _choose_causes(self) -> None:
        """Of all causes that explain an amount, take the one that explains most rows of the bill."""
        tally = Counter(name for _, causes in self.guessed for name in {cause.name for cause in causes})
        for difference, causes in self.guessed:
            cause = max(
                causes, key=lambda cause: tally[cause.name], default=Cause("", "no usual mistake gives it")
            )
            self.differences.append(
                Difference(
                    difference.kind, cause.name, cause.text, difference.call, difference.row,
                    difference.expected, difference.billed,
                )
            )  # fmt: skip

    def _currencies(self, over: list[Due]) -> None:
        by_provider: dict[str, list[tuple[Due, BillRow]]] = defaultdict(list)
        for one in over:
            if one.rows and one.rows[0].currency:
                by_provider[one.call.provider].append((one, one.rows[0]))
        for pairs in by_provider.values():
            (usual, count), *_ = Counter(row.currency for _, row in pairs).most_common(1)
            for one, row in pairs:
                if row.currency != usual and 2 * count > len(pairs):
                    text = f"{row.currency}, where {counted(count, 'other row')} have {usual}"
                    self.add("wrong currency", Cause("wrong currency", text), one, row)

    # Times

    def _seconds(self, one: Due, row: BillRow) -> None:
        call, seconds = one.call, row.seconds
        if seconds is None or abs(seconds - call.talk_seconds) <= 1:
            return
        billing = call.billing
        if billing is not None and seconds == billing.cycle * billing.cycles:
            return  # the seconds that are billed
        cause = seconds_cause(call, seconds)
        if cause.name == "ringing billed" and self.read.whole_calls:
            return
        self.add("wrong seconds", cause, one, row)

    def _day(self, one: Due, row: BillRow) -> None:
        day, moment = day_of(row), moment_of(row)
        if day is None or (moment is not None and one.spans(moment)) or day[0] in one.days(day[1]):
            return
        east = one.zones[0] if day[1] is None else day[1]
        zone = timezone(timedelta(seconds=east))
        was = datetime.fromtimestamp(one.instants[0], zone)
        cause = "wrong day"
        how = ""
        if moment is not None:
            at = moment[1] - (0 if moment[0] else east)
            near = min(
                (at - then for then in one.instants), key=lambda apart: (abs(apart) % _HOUR > 2, abs(apart))
            )
            hours = round(near / _HOUR)
            if hours and abs(near - hours * _HOUR) <= 2 and abs(hours) <= 14:
                cause = "time zone"
                how = f": {abs(hours)} h {'late' if hours > 0 else 'early'}, as where a time zone is left out"
        if not how:
            days = day[0] - (was.date() - date(1970, 1, 1)).days
            how = f": {counted(abs(days), 'day')} {'late' if days > 0 else 'early'}"
        shown = row.at.date() if isinstance(row.at, datetime) else row.at
        self.add(
            "wrong day",
            Cause(cause, f"{shown}, and the call was on {was.date()} ({_zone_name(int(east))}){how}"),
            one,
            row,
        )

    def _zone_notes(self, over: list[Due]) -> None:
        found: dict[int, list[str]] = defaultdict(list)
        for one in over:
            local = any((day := day_of(row)) is not None and day[1] is None for row in one.rows)
            if local and one.call.provider not in found[one.zones[0]]:
                found[one.zones[0]].append(one.call.provider)
        for zone, providers in found.items():
            self.notes.append(f"times without a zone are read as {_zone_name(zone)} ({', '.join(providers)})")

    # Rows and calls without each other

    def _doubled(self, one: Due) -> None:
        if len(one.rows) < 2:
            return
        attempts = push_attempts(one.call)
        cause = Cause("booked again", f"the call is billed {len(one.rows)} times")
        if attempts > 1:
            text = f"the call is billed {len(one.rows)} times, and its receipt was pushed {attempts} times"
            cause = Cause("attempt counted instead of call", text)
        for row in one.rows[1:]:
            self.add("doubled", cause, one, row)

    def _not_over(self, one: Due) -> None:
        dropped = one.call.state == "ended"
        cause = (
            Cause("dropped call billed", "the call was dropped before it was dialled")
            if dropped
            else Cause("billed too early", f"the call has not ended ({one.call.state})")
        )
        for row in one.rows:
            if row.charge:
                self.add("extra", cause, one, row)

    def _extra(self, row: BillRow, others: Sequence[Due]) -> None:
        if not others:
            what = f"the number {row.number}" if row.number is not None else f"the id {row.id}"
            cause = Cause("unknown call", f"no call has {what}")
        elif row.id and self.read.trusts_ids and any(not one.rows for one in others):
            free = next(one for one in others if not one.rows)
            known = free.call.provider_id or free.call.id
            cause = Cause("unknown id", f"no call has the id {row.id}; a call to this number has {known}")
        else:
            text = f"{counted(len(others), 'call')} to this number, and each has its row"
            cause = Cause("attempt counted instead of call", text)
        self.add("extra", cause, None, row)

    def _missing(self, over: list[Due]) -> None:
        free: dict[str, list[Due]] = defaultdict(list)
        for one in over:
            if not one.expected and one.call.answered_at is None:
                free[one.call.provider].append(one)
        # A bill need not list what costs nothing; if it lists most of it, it lists all.
        unlisted = {
            provider
            for provider, some in free.items()
            if self.read.rows and 2 * sum(bool(one.rows) for one in some) <= len(some)
        }
        for one in over:
            if one.rows or (
                not one.expected and one.call.answered_at is None and one.call.provider in unlisted
            ):
                continue
            self.add("missing", _why_missing(one), one)


def _mostly_charged(some: list[Due]) -> bool:
    return bool(some) and 2 * sum(bool(one.rows[0].charge) for one in some) >= len(some)


def _zone_name(seconds: int) -> str:
    if not seconds:
        return "UTC"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"UTC{'+' if seconds > 0 else '-'}{hours:02}:{minutes:02}"


def _why_missing(one: Due) -> Cause:
    call = one.call
    if call.answered_at is None and one.expected:
        return Cause("base fee missing", f"not answered ({call.outcome}), which costs {money(one.expected)}")
    if call.receipt == "delivered":
        last = max((step.at for step in call.timeline if step.event == "callback"), default=None)
        late = (last - call.ended_at).total_seconds() if last is not None and call.ended_at is not None else 0
        if late >= _LATE:
            return Cause("late receipt", f"its receipt came {late / _HOUR:.0f} h after its end")
        return Cause("receipt not booked", "its receipt was acknowledged")
    if call.receipt == "reconciled":
        return Cause("record not booked", "no receipt of it was acknowledged; a record query showed it")
    return Cause(
        "no receipt", f"no receipt of it was acknowledged ({call.receipt}); only a record query can show it"
    )
