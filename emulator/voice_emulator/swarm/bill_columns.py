"""Which column of a bill is what, and the rows as values.

The names are those that people give columns, and the providers' own: a bill may be the rows of a record query.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from voice_emulator.core.words import nearest, nearest_word
from voice_emulator.errors import UsageError
from voice_emulator.providers.registry import discover
from voice_emulator.swarm.bill_file import Record, Table
from voice_emulator.swarm.bill_map import MEANINGS, BillMap
from voice_emulator.swarm.bill_values import (
    amount_style,
    quoted,
    read_amount,
    read_currency,
    read_number,
    read_seconds,
    read_time,
    time_style,
)

T = TypeVar("T")

#: Last digits of a number by which calls are found: country codes and trunk zeros come and go.
KEY_DIGITS = 8

# In the order of preference, without case, blanks and punctuation.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "number": (
        "number", "callednumber", "phonenumber", "called", "callee", "calleenumber", "destnumber", "phone", "phoneno",
        "msisdn", "destination", "destinationnumber", "diallednumber", "dialednumber", "effectivecallednumber",
        "recipient", "tonumber", "to", "mobile", "mobilenumber", "mobileno", "telephone", "telephonenumber", "tel",
        "bnumber", "customernumber",
    ),
    "id": (
        "callid", "providerid", "providercallid", "messageid", "callserialno", "serialno", "customuuid", "calluuid",
        "uuid", "sessionid", "orderid", "externalid", "recordid", "reference", "ref", "callref", "custom", "ext",
        "batchid", "id",
    ),
    "charge": (
        "charge", "charged", "callcharge", "totalcharge", "amount", "chargedamount", "billedamount", "totalamount",
        "netamount", "cost", "callcost", "totalcost", "fee", "totalfee", "total", "totalprice", "billed", "price",
        "sum", "net", "value",
    ),
    "seconds": (
        "billsec", "talkseconds", "billedseconds", "second", "seconds", "talkduration", "talktime", "durationseconds",
        "durationsecs", "durationsec", "secs", "sec", "callduration", "duration", "length",
    ),
    "at": (
        "at", "starttime", "startedat", "startat", "start", "calltime", "callstart", "calledat", "createcalltime",
        "begintime", "time", "datetime", "timestamp", "calldate", "date", "day", "answertime", "answeredat",
        "talkingtime", "submittedat", "submittime", "alertingtime", "endtime", "endedat", "releasetime", "end", "when",
    ),
    "currency": ("currency", "currencycode", "curr", "ccy"),
}  # fmt: skip
#: Names of the seconds that may as well be those of the whole call, ringing included.
_WHOLE_CALL = frozenset({"callduration", "duration", "length"})
# What a name may end with, and what one of the column's is in the unit of the meaning.
_SCALES = {
    "charge": {"cents": "0.01", "cent": "0.01", "ct": "0.01", "minor": "0.01", "micros": "0.000001"},
    "seconds": {"ms": "0.001", "millis": "0.001", "milliseconds": "0.001", "minutes": "60", "min": "60"},
}
_ISO = (
    "usd",
    "eur",
    "cny",
    "rmb",
    "idr",
    "inr",
    "gbp",
    "sgd",
    "hkd",
    "jpy",
    "brl",
    "myr",
    "php",
    "thb",
    "vnd",
    "aud",
)
_ODD = re.compile("[^a-z0-9]")
_TOTAL = re.compile(r"(?i)(grand |sub)?(total|sum|summe)\b")


@dataclass(frozen=True, slots=True)
class BillRow:
    """One call as a bill has it; what the bill does not tell is None (``id`` and ``currency``: empty).

    ``at`` is aware, naive, or a date alone. ``place`` is where the row is: ``bill.csv:7``.
    """

    place: str
    number: str | None = None
    id: str = ""
    charge: Decimal | None = None
    seconds: Decimal | None = None
    at: datetime | date | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """``rows``, and the columns that were recognised, as text.

    ``charged``: it has charges; ``trusts_ids``: MAP names the column of ids, so that an unknown one is an error of the
    bill; ``whole_calls``: its seconds may include the ringing.
    """

    rows: list[BillRow] = field(default_factory=list)
    recognised: tuple[str, ...] = ()
    charged: bool = True
    trusts_ids: bool = False
    whole_calls: bool = False


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    scale: Decimal = Decimal(1)
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger has: the last digits of numbers, ids without case, days. It tells how columns are meant."""

    numbers: Collection[str] = ()
    ids: Collection[str] = ()
    days: Collection[date] = ()


def read_rows(table: Table, chosen: BillMap, known: Known) -> Bill:
    """The rows of ``table``.

    Raises UsageError with one line that names the place: no such column, no column at all, a value that is none.
    """
    if not table.records:
        return Bill(trusts_ids=bool(chosen.columns.get("id")))
    columns = {meaning: _columns(table, chosen, meaning) for meaning in MEANINGS}
    if "number" not in chosen.columns:
        columns["number"] = _by_hits(table, columns["number"], known.numbers, number_key)
    if "id" not in chosen.columns:
        columns["id"] = _by_hits(table, columns["id"], known.ids, str.casefold)
    derived = not columns["charge"] and "charge" not in chosen.columns and _charges(table)
    _require(table, chosen, columns, bool(derived))
    reader = _Reader(table, columns, derived or None, known.days)
    rows = [row for record in table.records if (row := reader.row(record)) is not None]
    recognised = [
        f"{meaning} = {', '.join(_told(column) for column in found)}"
        for meaning, found in columns.items()
        if found
    ]
    if derived:
        recognised.append("charge = computed from the provider's own fields")
    mapped = "seconds" in chosen.columns
    whole = any(_plain(column.name) in _WHOLE_CALL for column in columns["seconds"][:1]) and not mapped
    charged = bool(columns["charge"] or derived)
    return Bill(rows, tuple(recognised), charged, bool(chosen.columns.get("id")), whole)


def number_key(number: str) -> str:
    """What is compared of a number: its last digits."""
    digits = number if number.isdigit() and number.isascii() else re.sub("[^0-9]", "", number)
    return digits[-KEY_DIGITS:]


def _told(column: _Column) -> str:
    unit = f" (times {column.scale})" if column.scale != 1 else ""
    return f"{column.name}{unit}"


def _plain(name: str) -> str:
    return _ODD.sub("", name.casefold().rpartition(".")[2])


def _columns(table: Table, chosen: BillMap, meaning: str) -> list[_Column]:
    """The column that MAP names, else those with a usual name, the best first."""
    if meaning in chosen.columns:
        wanted = chosen.columns[meaning]
        if wanted is None:
            return []
        same = [name for name in table.columns if name == wanted] or [
            name for name in table.columns if name.casefold() == wanted.casefold()
        ]
        if not same:
            hint = nearest(wanted, table.columns)
            raise UsageError(f"{chosen.places[meaning]}: {table.label} has no column {quoted(wanted)}{hint}")
        return [_Column(same[0])]
    taken = {name for other, name in chosen.columns.items() if other != meaning}
    found = []
    for index, name in enumerate(table.columns):
        column = _named(name, meaning) if name not in taken else None
        if column is not None:
            found.append((column[0], name.count("."), index, column[1]))
    return [column for *_, column in sorted(found, key=lambda item: item[:3])]


def _named(name: str, meaning: str) -> tuple[int, _Column] | None:
    """The rank of a column's name for ``meaning``, and how it is read; None if it is not a name for it."""
    plain = _plain(name)
    names = _NAMES[meaning]
    if plain in names:
        return names.index(plain), _Column(name)
    for ending, scale in _SCALES.get(meaning, {}).items():
        stem = plain.removesuffix(ending)
        if stem != plain and (stem in names or (not stem and meaning == "seconds" and len(ending) > 3)):
            return names.index(stem) if stem in names else 0, _Column(name, Decimal(scale))
    if meaning == "charge" and plain[-3:] in _ISO and plain[:-3] in names:
        return names.index(plain[:-3]), _Column(name, currency=read_currency(plain[-3:]))
    return None


def _by_hits(
    table: Table, columns: list[_Column], known: Collection[str], key: Callable[[str], str]
) -> list[_Column]:
    """Those of ``columns`` that hold what the ledger knows, most of it first. The first one if none does."""
    cells = {
        column.name: [record.values[column.name] for record in table.records if column.name in record.values]
        for column in columns
    }
    hits = {name: Counter(filter(known.__contains__, map(key, some))) for name, some in cells.items()}
    useful = [column for column in columns if hits[column.name]]
    if key is number_key:
        return sorted(useful, key=lambda column: -hits[column.name].total()) or columns[:1]
    # A number of the row itself may be called id: it counts only where most of its values are a call's. Of two ids, that
    # of the call tells more than that of the batch.
    useful = [column for column in useful if 2 * hits[column.name].total() >= len(cells[column.name])]
    return sorted(useful, key=lambda column: -len(hits[column.name]))


def _charges(table: Table) -> Callable[[Mapping[str, Any]], Decimal | None] | None:
    """What reads the cost of a call from a provider's own fields, if these rows are a provider's."""
    for provider in discover().values():
        charge = provider.contract.charge
        if charge is not None and any(charge(record.values) is not None for record in table.records[:1000]):
            return charge
    return None


def _require(table: Table, chosen: BillMap, columns: Mapping[str, list[_Column]], derived: bool) -> None:
    if not columns["number"] and not columns["id"]:
        raise _lacks(table, "the called number or the id of a call", ("number", "id"), "name it with --map")
    if not columns["charge"] and not derived and "charge" not in chosen.columns:
        otherwise = "name it with --map, or write `charge: null` there to compare all but amounts"
        raise _lacks(table, "the charge", ("charge",), otherwise)


def _lacks(table: Table, what: str, meanings: Sequence[str], otherwise: str) -> UsageError:
    names = [name for meaning in meanings for name in _NAMES[meaning]]
    like = next((name for name in table.columns if nearest_word(_plain(name), names)), None)
    shown = ", ".join(quoted(name) for name in table.columns[:20])
    hint = f"; is it {quoted(like)}?" if like else ""
    return UsageError(
        f"{table.label}:{table.header}: no column is known to be {what} (columns: {shown}){hint}; {otherwise}"
    )


class _Reader:
    """Reads rows by what is known of the whole table."""

    def __init__(
        self,
        table: Table,
        columns: Mapping[str, list[_Column]],
        derived: Callable[[Mapping[str, Any]], Decimal | None] | None,
        days: Collection[date],
    ) -> None:
        self._label = table.label
        self._columns = columns
        self._derived = derived

        def cells(meaning: str) -> list[str]:
            return [
                cell
                for column in columns[meaning]
                for record in table.records
                if (cell := record.values.get(column.name))
            ]

        self._amounts = amount_style(cells("charge"), table.comma)
        self._times = time_style(cells("at"), days)

    def row(self, record: Record) -> BillRow | None:
        """The row; None for the line of a total. Raises UsageError."""
        number, _ = self._read(record, "number", read_number)
        call_id, _ = self._read(record, "id", str)
        if number is None and not call_id:
            if any(_TOTAL.match(cell) for cell in record.values.values()):
                return None
            raise UsageError(f"{self._label}:{record.line}: this row has neither a number nor an id")
        charged, column = self._read(record, "charge", lambda cell: read_amount(cell, self._amounts))
        charge, symbol = charged if charged is not None else (None, "")
        if charge is not None and column is not None:
            charge, symbol = charge * column.scale, symbol or column.currency
        if self._derived is not None:
            charge = self._derived(record.values)
        seconds, column = self._read(record, "seconds", read_seconds)
        if seconds is not None and column is not None:
            seconds *= column.scale
        at, _ = self._read(record, "at", lambda cell: read_time(cell, self._times))
        currency, _ = self._read(record, "currency", read_currency)
        return BillRow(
            f"{self._label}:{record.line}", number, call_id or "", charge, seconds, at, currency or symbol
        )

    def _read(
        self, record: Record, meaning: str, read: Callable[[str], T]
    ) -> tuple[T | None, _Column | None]:
        """What ``read`` makes of the first column of ``meaning`` that has a value in this row."""
        for column in self._columns[meaning]:
            cell = record.values.get(column.name)
            if cell:
                try:
                    value = read(cell)
                except ValueError as error:
                    raise UsageError(
                        f"{self._label}:{record.line}: column {column.name!r}: {error}"
                    ) from error
                if value is not None:
                    return value, column
        return None, None
