"""Which row of a bill is about which call.

Rows find their calls by id, else by the last digits of the number. Where several calls could be meant, the time
decides (the second, the minute, the span of the call, the day), and for the same time the charge and the seconds. Each
level takes time that is linear in rows and calls.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from itertools import product
from typing import NamedTuple

from voice_emulator.core.shapes import Call
from voice_emulator.swarm.bill_columns import BillRow, number_key

DAY = 86_400
#: Seconds before a call's submission and after its end that its row may be dated: clocks differ, receipts take a while.
SLACK = 300
#: Offsets from UTC that time zones have, in steps of a quarter of an hour.
_QUARTER = 900
_EPOCH = date(1970, 1, 1).toordinal()
_OFFSETS = range(-12 * 3600, 14 * 3600 + 1, _QUARTER)
#: Rows of a provider that decide on the time zone, and calls that are looked at for the span of one row.
_SAMPLE = 2_000
_LOOKED_AT = 50


#: Seconds, and the zone they are in: True for Unix seconds, False for a wall clock whose zone the bill does not tell.
Moment = tuple[bool, float]


@dataclass(slots=True)
class Due:
    """A call as a bill should have it: ``expected`` is its charge, ``instants`` (Unix seconds) what happened when.

    ``zones`` are the offsets from UTC, in seconds, that times without a zone may be in, the most likely first.
    ``rows`` are those of the bill: the first is the call's own, the others are doubles.
    """

    call: Call
    expected: Decimal
    instants: tuple[float, ...]
    digits: str
    zones: tuple[int, ...] = (0,)
    rows: list[BillRow] = field(default_factory=list)

    @property
    def begin(self) -> float:
        """The earliest time that a bill may give."""
        return self.instants[0] - SLACK

    @property
    def end(self) -> float:
        """The latest."""
        return self.instants[-1] + SLACK

    def moments(self, step: int) -> set[Moment]:
        """The times that a bill can give for what happened, in whole ``step`` seconds."""
        local = {(False, (at + east) // step) for at in self.instants for east in self.zones}
        return local | {(True, at // step) for at in self.instants}

    def days(self, east: float | None) -> set[int]:
        """The days (counted from 1970) that some part of the call was on, in that zone (None: in any it may be in)."""
        return {
            day
            for offset in ((east,) if east is not None else self.zones)
            for day in range(int((self.begin + offset) // DAY), int((self.end + offset) // DAY) + 1)
        }

    def spans(self, moment: Moment) -> bool:
        """Whether the call was under way then."""
        aware, at = moment
        return any(self.begin + east <= at <= self.end + east for east in ((0,) if aware else self.zones))


def due(call: Call, expected: Decimal) -> Due:
    """``call`` for matching."""
    times = (call.submitted_at, call.ring_at, call.answered_at, call.ended_at)
    instants = tuple(sorted(time.timestamp() for time in times if time is not None))
    return Due(call, expected, instants, number_key(call.number))


def moment_of(row: BillRow) -> Moment | None:
    """The row's time; None for a day alone, and without one."""
    if not isinstance(row.at, datetime):
        return None
    aware = row.at.tzinfo is not None
    return aware, (row.at if aware else row.at.replace(tzinfo=UTC)).timestamp()


def day_of(row: BillRow) -> tuple[int, float | None] | None:
    """The row's day, counted from 1970, and the offset of its zone from UTC in seconds, None if it has none."""
    if row.at is None:
        return None
    offset = row.at.utcoffset() if isinstance(row.at, datetime) else None
    return row.at.toordinal() - _EPOCH, None if offset is None else offset.total_seconds()


def match(
    rows: Sequence[BillRow], calls: Sequence[Due], *, zone: int | None = None, trusts_ids: bool = False
) -> list[tuple[BillRow, tuple[Due, ...]]]:
    """Put each row into the ``rows`` of its call. Returns those no call is left for, with the calls to their number.

    ``zone`` is that of times without one (None: what fits most rows of a provider). With ``trusts_ids`` a row whose id no
    call has finds none by its number.
    """
    by_id: dict[str, list[Due]] = defaultdict(list)
    by_number: dict[str, list[Due]] = defaultdict(list)
    for one in calls:
        for name in call_ids(one.call):
            by_id[name.casefold()].append(one)
        by_number[one.digits].append(one)

    @cache
    def holders(call_id: str) -> set[int]:
        return set(map(id, by_id[call_id.casefold()]))

    def same_number(row: BillRow) -> list[Due]:
        return by_number.get(number_key(row.number), []) if row.number is not None else []

    @cache
    def candidates(call_id: str, number: str | None) -> list[Due]:
        found = by_id.get(call_id.casefold(), []) if call_id else []
        if call_id and not found and trusts_ids:
            return []
        same = by_number.get(number_key(number), []) if number is not None else []
        if not found:
            return _alike(number or "", same)
        if len(found) > 1 and same:
            few, many = (same, holders(call_id)) if len(same) < len(found) else (found, set(map(id, same)))
            return [one for one in few if id(one) in many] or found
        return found

    known = [(row, candidates(row.id, row.number)) for row in rows]
    zones = _fitting_zones(known)
    for one in calls:
        one.zones = (zone,) if zone is not None else zones.get(one.call.provider, (0,))
    groups: dict[tuple[int, ...], tuple[list[BillRow], list[Due]]] = {}
    for row, found in known:
        key = tuple(map(id, found)) if len(found) < _LOOKED_AT else (id(found[0]), len(found))
        groups.setdefault(key, ([], found))[0].append(row)
    strangers: list[tuple[BillRow, tuple[Due, ...]]] = []
    # Those with few candidates come first: they have no other choice.
    for some, found in sorted(groups.values(), key=lambda group: len(group[1])):
        strangers += [(row, tuple(found or same_number(row))) for row in _assign(some, found)]
    return strangers


def call_ids(call: Call) -> Iterator[str]:
    """The ids that a client may know ``call`` by, each once."""
    return iter(dict.fromkeys(filter(None, (call.id, call.provider_id, call.batch_id, *call.references))))


def _alike(number: str, calls: list[Due]) -> list[Due]:
    """Those of ``calls`` with the same number, where numbers of other countries end alike."""
    if len({one.call.number for one in calls}) < 2:
        return calls
    local = number.lstrip("0")
    whole = [one for one in calls if one.call.number.endswith(local) or local.endswith(one.call.number)]
    return whole or calls


def _fitting_zones(known: Iterable[tuple[BillRow, list[Due]]]) -> Mapping[str, tuple[int, ...]]:
    """By provider, the offsets from UTC that make times without a zone those of their calls.

    The best is the one that fits most rows, and UTC where several do; others must fit more than half as many.
    """
    certain: dict[str, Counter[int]] = defaultdict(Counter)
    possible: dict[str, Counter[int]] = defaultdict(Counter)
    looked: Counter[str] = Counter()
    for row, found in known:
        day = day_of(row)
        if day is None or day[1] is not None or not found or looked[found[0].call.provider] == _SAMPLE:
            continue
        looked[found[0].call.provider] += 1
        moment = moment_of(row)
        votes = certain if len(found) == 1 else possible
        for one in found[:_LOOKED_AT]:
            fits = _offsets(moment[1], one) if moment is not None else _day_offsets(day[0], one)
            votes[one.call.provider].update(fits)
    best: dict[str, tuple[int, ...]] = {}
    for provider, counts in (possible | certain).items():
        ranked = sorted(counts, key=lambda offset: (-counts[offset], abs(offset), offset))
        most = max(counts.values(), default=0)
        best[provider] = tuple(offset for offset in ranked if 2 * counts[offset] > most) or (0,)
    return best


def _offsets(local: float, one: Due) -> set[int]:
    found = {round((local - at) / _QUARTER) * _QUARTER for at in one.instants}
    return {offset for offset in found if offset in _OFFSETS and one.begin <= local - offset <= one.end}


def _day_offsets(day: int, one: Due) -> set[int]:
    return {offset for offset in _OFFSETS[::4] if day in one.days(offset)}


def _assign(rows: list[BillRow], calls: list[Due]) -> list[BillRow]:
    """Give ``rows`` their ``calls``; returns the rows that none is left for."""
    if (
        len(calls) == 1
        and (len(rows) == 1 or any(row.id for row in rows))
        and not (calls[0].rows and not rows[0].id)
    ):
        calls[0].rows += rows
        return []
    taken = {id(one) for one in calls if one.rows}
    left = rows

    def level(
        row_key: Callable[[BillRow], Hashable],
        call_keys: Callable[[Due], Iterable[Hashable]],
        evidence: _Evidence,
    ) -> None:
        """Give each row that is left a free call with the same key, that agrees with it on the evidence."""
        nonlocal left
        free: dict[Hashable, deque[Due]] = defaultdict(deque)
        for one in calls:
            if id(one) not in taken:
                for key in product(call_keys(one), evidence.of_call(one)):
                    free[key].append(one)
        rest = []
        for row in left:
            queue = free.get((row_key(row), evidence.of_row(row)))
            while queue and id(queue[0]) in taken:
                queue.popleft()
            if queue:
                taken.add(id(queue[0]))
                queue.popleft().rows.append(row)
            else:
                rest.append(row)
        left = rest

    def levels(
        row_key: Callable[[BillRow], Hashable], call_keys: Callable[[Due], Iterable[Hashable]]
    ) -> None:
        for evidence in _EVIDENCE:
            if left:
                level(row_key, call_keys, evidence)

    levels(_floored(1), lambda one: one.moments(1))
    levels(_floored(60), lambda one: one.moments(60))
    left = _under_way(left, calls, taken)
    # The time of a row whose call was under way then: a double, and not another call with a wrong time.
    told = {
        one.rows[0].at: one for one in calls if one.rows and (at := moment_of(one.rows[0])) and one.spans(at)
    }
    left = _double(left, lambda row: told.get(row.at) if moment_of(row) is not None else None)
    easts = {day[1] for row in left if (day := day_of(row)) is not None}
    levels(
        day_of,
        lambda one: {
            (day, east) for east in easts for day in one.days(one.zones[0] if east is None else east)
        },
    )
    levels(day_of, lambda one: {(day, east) for east in easts for day in one.days(east)})
    levels(lambda row: True, lambda one: (True,))
    return _double(left, _owner_of(calls)) if left else left


def _floored(step: int) -> Callable[[BillRow], Hashable]:
    """The time of a row in whole ``step`` seconds."""

    def key(row: BillRow) -> Hashable:
        moment = moment_of(row)
        return (moment[0], moment[1] // step) if moment is not None else None

    return key


class _Evidence(NamedTuple):
    """What row and call must agree on besides number and time. A row without it (None) agrees with none."""

    of_row: Callable[[BillRow], Hashable]
    of_call: Callable[[Due], Iterable[Hashable]]


def _seconds(row: BillRow) -> int | None:
    return int(row.seconds) if row.seconds is not None else None


def _billed_seconds(one: Due) -> int:
    billing = one.call.billing
    return billing.cycle * billing.cycles if billing is not None else 0


def _costs(one: Due) -> bool:
    """Whether a bill charges the call: an answered one perhaps by prices that the ledger does not know."""
    return bool(one.expected) or one.call.answered_at is not None


#: The strongest first.
_EVIDENCE = (
    _Evidence(lambda row: (row.charge, _seconds(row)), lambda one: ((one.expected, one.call.talk_seconds),)),
    _Evidence(lambda row: (row.charge, _seconds(row)), lambda one: ((one.expected, _billed_seconds(one)),)),
    _Evidence(_seconds, lambda one: (one.call.talk_seconds,)),
    _Evidence(_seconds, lambda one: (_billed_seconds(one),)),
    _Evidence(lambda row: (row.charge, bool(row.charge)), lambda one: ((one.expected, _costs(one)),)),
    _Evidence(lambda row: bool(row.charge), lambda one: (_costs(one),)),
    _Evidence(lambda row: True, lambda one: (True,)),
)


def _under_way(rows: list[BillRow], calls: list[Due], taken: set[int]) -> list[BillRow]:
    """Give each row whose time is within a free call that call; returns the others."""
    moments = sorted(
        (moment, index) for index, row in enumerate(rows) if (moment := moment_of(row)) is not None
    )
    found: set[int] = set()
    for aware in (False, True):
        coming = deque(
            sorted((one for one in calls if id(one) not in taken), key=lambda one: _begin(one, aware))
        )
        waiting: deque[Due] = deque()
        for moment, index in moments:
            if moment[0] is not aware:
                continue
            while coming and _begin(coming[0], aware) <= moment[1]:
                waiting.append(coming.popleft())
            while waiting and not waiting[0].spans(moment):
                waiting.popleft()
            if waiting:
                one = waiting.popleft()
                taken.add(id(one))
                one.rows.append(rows[index])
                found.add(index)
    return [row for index, row in enumerate(rows) if index not in found]


def _begin(one: Due, aware: bool) -> float:
    return one.begin if aware else one.begin + one.zones[0]


def _double(rows: list[BillRow], owner: Callable[[BillRow], Due | None]) -> list[BillRow]:
    """Give rows to the calls whose row they repeat; returns the others."""
    rest = []
    for row in rows:
        found = owner(row)
        if found is None:
            rest.append(row)
        else:
            found.rows.append(row)
    return rest


def _owner_of(calls: list[Due]) -> Callable[[BillRow], Due | None]:
    """The call whose row has the same time and charge, or the same time, or that was under way at the row's time."""
    owners = sorted((one for one in calls if one.rows), key=lambda one: one.begin)
    told: dict[Hashable, Due] = {}
    for one in owners:
        row = one.rows[0]
        told.setdefault((row.at, row.charge), one)
        if row.at is not None:
            told.setdefault(row.at, one)
    begins = {aware: [_begin(one, aware) for one in owners] for aware in (False, True)}

    def owner(row: BillRow) -> Due | None:
        found = told.get((row.at, row.charge)) or told.get(row.at)
        moment = moment_of(row)
        if found is not None or moment is None:
            return found
        last = bisect_right(begins[moment[0]], moment[1])
        near = reversed(owners[max(0, last - _LOOKED_AT) : last])
        return next((one for one in near if one.spans(moment)), None)

    return owner
