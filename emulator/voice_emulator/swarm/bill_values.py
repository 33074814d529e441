"""What stands in the cells of a bill: numbers, amounts, durations and times, in the ways that people write them.

All readers raise ValueError with the end of a sentence. Whether ``1,234`` has a decimal comma, and whether ``03/04``
is a day in April, one cell does not tell: all cells of the column do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime

#: Characters of the longest amount (a float printed to its last digit has 60), and of what a message quotes.
_LONGEST = 100
_SHOWN = 40
#: Below this is every amount.
_LARGEST = Decimal("1e15")
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "₹": "INR", "元": "CNY", "Rp": "IDR"}
_SYMBOL = "|".join(map(re.escape, _CURRENCIES))
_AMOUNT = re.compile(
    rf"(?P<before>[A-Za-z]{{3}}|{_SYMBOL})?(?P<sign>[+-]?)(?P<inner>[A-Za-z]{{3}}|{_SYMBOL})?"
    rf"(?P<digits>[0-9.,]*[0-9][.,]?)(?P<power>[eE][+-]?[0-9]{{1,2}})?(?P<after>[A-Za-z]{{3}}|{_SYMBOL})?"
)
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")
_SPACES = re.compile("[\\s\u00a0\u202f'\u2019]")
_NOT_DIGIT = re.compile("[^0-9]")
_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+")
_EPOCH = re.compile(r"([0-9]{10})(?:\.([0-9]{1,9}))?|([0-9]{13})|([0-9]{16})")
_CLOCK = r"(?:[ T,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[:.,]([0-9]{1,9}))?)?\s*([AaPp][Mm])?)?"
_ZONE = r"\s*(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){_CLOCK}{_ZONE}")
_YEAR_LAST = re.compile(rf"([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([0-9]{{4}}){_CLOCK}{_ZONE}")
_COMPACT = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})(?:[T ]?([0-9]{2})([0-9]{2})([0-9]{2}))?(Z)?")
_UNITS: dict[str, int | Decimal] = {
    "": 1,
    "s": 1,
    "sec": 1,
    "secs": 1,
    "second": 1,
    "seconds": 1,
    "min": 60,
    "m": 60,
    "ms": Decimal("0.001"),
}
_SPAN = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*([a-z]*)")
_CLOCK_SPAN = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,4}):([0-9]{2})(?:\.0+)?")


@dataclass(frozen=True, slots=True)
class Style:
    """How a column is written: with a decimal comma; with the day before the month."""

    comma: bool = False
    day_first: bool = True


def amount_style(cells: Iterable[str], comma: bool) -> Style:
    """``comma`` is what decides where only commas are found, all followed by three digits."""
    dots = commas = certain = False
    for cell in cells:
        last_dot, last_comma = cell.rfind("."), cell.rfind(",")
        dots |= last_dot > last_comma
        if last_comma > last_dot:
            commas = True
            digits = re.sub("[^0-9,.]", "", cell)
            certain |= last_dot >= 0 or not _GROUPED.fullmatch(digits) or digits.startswith("0,")
    return Style(comma=commas and (certain or (comma and not dots)))


def time_style(cells: Iterable[str], days: Collection[date]) -> Style:
    """Whether days come before months where the year comes last: one part above 12 decides, else what fits ``days``."""
    votes = 0
    for cell in cells:
        found = _YEAR_LAST.fullmatch(cell)
        if found is not None:
            first, second, year = int(found[1]), int(found[3]), int(found[4])
            if found[2] == "." or first > 12 or second > 12:
                return Style(day_first=found[2] == "." or first > 12)
            if first and second and year:
                votes += (date(year, second, first) in days) - (date(year, first, second) in days)
    return Style(day_first=votes >= 0)


def quoted(text: str) -> str:
    """``text`` as a message shows it."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def read_number(text: str) -> str:
    """The digits of a called number. A spreadsheet may have added ``.0``."""
    if text.isdigit() and text.isascii():
        return text
    if _SCIENTIFIC.fullmatch(text):
        raise ValueError(
            f"{quoted(text)} has lost its last digits in a spreadsheet; export the column as text"
        )
    digits = _NOT_DIGIT.sub("", re.sub(r"\.0+$", "", text))
    if not digits or re.search("[A-Za-z]{2}", text):
        raise ValueError(f"{quoted(text)} is not a number that can be called; write one like 6281234567890")
    return digits


def read_amount(text: str, style: Style) -> tuple[Decimal, str]:
    """An amount and its currency, empty if none is written: ``0.036``, ``USD 1,234.50``, ``0,036 €``, ``(0.036)``."""
    body = _SPACES.sub("", text)
    negative = body.startswith("(") and body.endswith(")")
    found = _AMOUNT.fullmatch(body[1:-1] if negative else body) if len(body) <= _LONGEST else None
    digits = _plain(found["digits"], style) if found is not None else None
    value = Decimal(digits + (found["power"] or "")) if found is not None and digits is not None else _LARGEST
    if found is None or value >= _LARGEST:
        raise ValueError(f"{quoted(text)} is not an amount; write one like 0.036")
    symbol = found["before"] or found["inner"] or found["after"] or ""
    if negative or found["sign"] == "-":
        value = value.copy_negate()
    return value, _CURRENCIES.get(symbol, symbol.upper())


def _plain(digits: str, style: Style) -> str | None:
    """``digits`` with a decimal point and without separators of thousands; None where they are in a wrong place."""
    point, group = (",", ".") if style.comma else (".", ",")
    whole, _, fraction = digits.partition(point) if digits.count(point) == 1 else (digits, "", "")
    if point in whole or group in fraction:
        return None
    if group in whole and not _GROUPED.fullmatch(whole.replace(group, ",")):
        return None
    return f"{whole.replace(group, '')}.{fraction}"


def read_currency(text: str) -> str:
    """The ISO code of a currency in capitals."""
    return _CURRENCIES.get(text, text.upper())


def read_seconds(text: str) -> Decimal:
    """A duration in seconds: ``19``, ``18.6``, ``19s``, ``1:05``, ``00:01:05``."""
    clock = _CLOCK_SPAN.fullmatch(text)
    if clock is not None:
        return Decimal(int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3]))
    found = _SPAN.fullmatch(text.lower()) if len(text) <= _LONGEST else None
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"{quoted(text)} is not a duration; write seconds, such as 19")
    return Decimal(found[1].replace(",", ".")) * _UNITS[found[2]]


def read_time(text: str, style: Style) -> datetime | date | None:
    """A time, aware if it has a zone or counts from 1970; a date if it has no hour; None for ``0``, no time at all."""
    if not text.strip("0"):
        return None
    try:
        if len(text) > _LONGEST:
            raise ValueError
        found = _iso(text) or _epoch(text) or _compact(text) or _split(text, style)
        if found is None and text[:1].isalpha():
            found = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError):
        found = None
    if found is None:
        raise ValueError(f"{quoted(text)} is not a time; write one like 2026-01-31T09:30:00+08:00")
    return found


def _iso(text: str) -> datetime | date | None:
    try:
        if len(text) == 10 and text[4] == text[7] == "-":
            return date.fromisoformat(text)
        return datetime.fromisoformat(text) if text[4:5] == "-" else None
    except ValueError:
        return None


def _epoch(text: str) -> datetime | None:
    found = _EPOCH.fullmatch(text)
    if found is None or (len(text) == 16 and "." in text and not found[1]):
        return None
    microseconds = (
        int(found[1]) * 1_000_000 + int((found[2] or "0").ljust(6, "0")[:6]) if found[1]
        else int(found[3]) * 1_000 if found[3] else int(found[4])
    )  # fmt: skip
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _compact(text: str) -> datetime | date | None:
    found = _COMPACT.fullmatch(text)
    if found is None:
        return None
    day = date(int(found[1]), int(found[2]), int(found[3]))
    if found[4] is None:
        return day
    return datetime(day.year, day.month, day.day, int(found[4]), int(found[5]), int(found[6]),
                    tzinfo=UTC if found[7] else None)  # fmt: skip


def _split(text: str, style: Style) -> datetime | date | None:
    found = _YEAR_FIRST.fullmatch(text)
    if found is not None:
        year, month, day = int(found[1]), int(found[3]), int(found[4])
    else:
        found = _YEAR_LAST.fullmatch(text)
        if found is None:
            return None
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        day, month = (first, second) if style.day_first else (second, first)
    if found[5] is None:
        return date(year, month, day)
    hour, half = int(found[5]), (found[9] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    fraction = int((found[8] or "0").ljust(6, "0")[:6])
    zone = _zone(found[10]) if found[10] else None
    return datetime(year, month, day, hour, int(found[6]), int(found[7] or 0), fraction, tzinfo=zone)


def _zone(text: str) -> timezone:
    return timezone(timedelta(seconds=read_offset(text)))


def read_offset(text: str) -> int:
    """Seconds east of UTC: ``Z``, ``UTC``, ``+08:00``, ``-0330``."""
    if text.upper() in ("Z", "UTC", "GMT"):
        return 0
    found = re.fullmatch(r"([+-])([01][0-9]):?([0-5][0-9])", text)
    if found is None:
        raise ValueError(f"{quoted(text)} is not a time zone; write one like +08:00 or UTC")
    seconds = int(found[2]) * 3600 + int(found[3]) * 60
    return -seconds if found[1] == "-" else seconds
