"""The text of a bill as a table: CSV in its dialects, JSON lines, or JSON. Nothing is known of telephony here.

Every value stays the text that it is in the file: an amount never passes through a float.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from voice_emulator.core.words import counted
from voice_emulator.errors import UsageError

_DELIMITERS = ",;\t|"
_QUOTED = re.compile('"[^"]*"')
_BLANK = re.compile(r"[ \t\r\n]*")
_SPREADSHEET = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
#: The first line of a CSV by which spreadsheets name the delimiter.
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_CELL_LIMIT = 131_072


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the line it begins at, and its values by column; what is empty or null is left out."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A bill as rows; ``header`` is the line of the columns' names.

    ``comma`` says that cells are separated by something that leaves commas to decimals.
    """

    label: str
    columns: tuple[str, ...] = ()
    records: list[Record] = field(default_factory=list)
    comma: bool = False
    form: str = "empty"
    header: int = 1


def read_table(body: bytes, label: str) -> Table:
    """The rows of a bill. A file without text is a bill without rows.

    Raises UsageError with one line, ``label:line:column: what``, for a bill that cannot be read.
    """
    text = _decoded(body, label)
    first = text.lstrip()[:1]
    try:
        if not first:
            return Table(label)
        if first == "[" or (first == "{" and _is_document(text)):
            return _json(text, label)
        return _json_lines(text, label) if first == "{" else _csv(text, label)
    except RecursionError:
        raise UsageError(f"{label}: nested too deeply") from None


def _decoded(body: bytes, label: str) -> str:
    if body.startswith(_SPREADSHEET):
        raise UsageError(f"{label}: a spreadsheet or an archive, not text; save it as CSV")
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]  # what spreadsheets write where they do not write UTF-8
    for encoding in encodings:
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError as error:
            where = body.count(b"\n", 0, error.start) + 1
        else:
            if "\0" in text:
                line = text.count("\n", 0, text.index("\0")) + 1
                raise UsageError(f"{label}:{line}: not text, it holds NUL characters; save it as CSV or JSON")
            return text
    raise UsageError(f"{label}:{where}: neither UTF-8 nor Windows-1252; save it as UTF-8")


def _fail(label: str, text: str, index: int, message: str) -> NoReturn:
    line = text.count("\n", 0, index) + 1
    column = index - (text.rfind("\n", 0, index) + 1) + 1
    raise UsageError(f"{label}:{line}:{column}: {message}")


# CSV


def _csv(text: str, label: str) -> Table:
    begin, delimiter = 0, ""
    if named := _SEPARATOR_LINE.match(text):
        begin, delimiter = named.end(), named[1]
    head = _QUOTED.sub("", next((line for line in text[begin:].splitlines() if line.strip()), ""))
    delimiter = delimiter or max(_DELIMITERS, key=head.count)
    csv.field_size_limit(_CELL_LIMIT)
    reader = csv.reader(
        io.StringIO(text[begin:], newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    columns: tuple[str, ...] = ()
    records: list[Record] = []
    header = 1
    skipped = text.count("\n", 0, begin)
    line = skipped + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if columns:
                    records.append(_record(cells, columns, label, line, delimiter))
                else:
                    columns, header = _header(cells, label, line), line
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f"{label}:{line}: not a row of CSV: {error}; is a quote not closed?") from error
    names = {",": "commas", ";": "semicolons", "\t": "tabs"}
    form = f"CSV with {names.get(delimiter, repr(delimiter))}"
    return Table(label, columns, records, delimiter != ",", form, header)


def _header(cells: list[str], label: str, line: int) -> tuple[str, ...]:
    columns = tuple(cell.strip() for cell in cells)
    while columns and not columns[-1]:
        columns = columns[:-1]
    for index, name in enumerate(columns):
        if name and name in columns[:index]:
            raise UsageError(f"{label}:{line}: two columns are named {name[:60]!r}")
    return columns


def _record(cells: list[str], columns: tuple[str, ...], label: str, line: int, delimiter: str) -> Record:
    if any(cell.strip() for cell in cells[len(columns) :]):
        hint = "; quote amounts that have a decimal comma" if delimiter == "," else ""
        raise UsageError(
            f"{label}:{line}:{len(columns) + 1}: this row has {counted(len(cells), 'cell')} and the header "
            f"{len(columns)}{hint}"
        )
    values = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if name}
    return Record(line, {name: cell for name, cell in values.items() if cell})


# JSON


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Numbers stay text: neither a float nor a limit of digits changes them.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse_constant)


def _decode(text: str, index: int, label: str) -> tuple[Any, int]:
    """The value that begins at ``index``, and where it ends."""
    try:
        return _DECODER.raw_decode(text, index)
    except json.JSONDecodeError as error:
        _fail(label, text, error.pos, f"not valid JSON: {error.msg}")
    except ValueError as error:
        _fail(label, text, index, f"not valid JSON: {error}")


def _after_blanks(text: str, index: int) -> int:
    found = _BLANK.match(text, index)
    return found.end() if found else index


def _is_document(text: str) -> bool:
    """Whether ``text``, which begins with a brace, is one object over several lines rather than an object a line."""
    try:
        _, end = _DECODER.raw_decode(text, _after_blanks(text, 0))
    except (ValueError, RecursionError):
        return "\n" not in text.strip() or not _is_line(text)
    return _after_blanks(text, end) == len(text)


def _is_line(text: str) -> bool:
    try:
        _DECODER.decode(text.strip().partition("\n")[0].strip())
    except (ValueError, RecursionError):
        return False
    return True


def _json_lines(text: str, label: str) -> Table:
    def rows() -> Iterator[tuple[Any, int]]:
        begin = 0
        while begin < len(text):
            end = text.find("\n", begin)
            end = len(text) if end < 0 else end
            index = _after_blanks(text, begin)
            if index < end:
                value, stop = _decode(text, index, label)
                if _after_blanks(text, stop) < end:
                    _fail(label, text, _after_blanks(text, stop), "a line holds one JSON object")
                yield value, index
                begin = max(end, stop)
            begin = max(begin, end) + 1

    return _objects(rows(), text, label, "JSON lines")


def _json(text: str, label: str) -> Table:
    start = _after_blanks(text, 0)
    document, end = _decode(text, start, label)
    if (rest := _after_blanks(text, end)) < len(text):
        _fail(label, text, rest, "not valid JSON: more text after its end")
    if isinstance(document, list):
        return _objects(_items(text, start, label), text, label, "JSON")
    lists = dict(_lists(document, ()))
    if not lists:
        return _objects(iter([(document, start)]), text, label, "JSON")
    if len(lists) > 1:
        lists = {
            path: items for path, items in lists.items() if items and isinstance(items[0], dict)
        } or lists
    if len(lists) > 1:
        names = ", ".join(".".join(path) for path in lists)
        _fail(label, text, start, f"the object holds {len(lists)} lists ({names}); a bill is one")
    where = start
    for key in next(iter(lists)):
        where = _member(text, where, key, label)
    return _objects(_items(text, where, label), text, label, "JSON")


def _lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """The lists in an object and in the objects inside it, with their paths."""
    for key, item in value.items():
        if isinstance(item, list):
            yield (*path, key), item
        elif isinstance(item, dict):
            yield from _lists(item, (*path, key))


def _member(text: str, index: int, wanted: str, label: str) -> int:
    """Where the value of the last member ``wanted`` begins in the object at ``index``."""
    found = index
    index = _after_blanks(text, index + 1)
    while text[index] != "}":
        key, index = _decode(text, index, label)
        value = _after_blanks(text, _after_blanks(text, index) + 1)
        found = value if key == wanted else found
        index = _after_blanks(text, _decode(text, value, label)[1])
        index = _after_blanks(text, index + 1) if text[index] == "," else index
    return found


def _items(text: str, index: int, label: str) -> Iterator[tuple[Any, int]]:
    """The items of the list at ``index``, each with where it begins."""
    index = _after_blanks(text, index + 1)
    while text[index] != "]":
        begin = index
        value, index = _decode(text, index, label)
        yield value, begin
        index = _after_blanks(text, index)
        index = _after_blanks(text, index + 1) if text[index] == "," else index


def _objects(rows: Iterator[tuple[Any, int]], text: str, label: str, form: str) -> Table:
    columns: dict[str, None] = {}
    records: list[Record] = []
    line, counted_to = 1, 0
    for value, begin in rows:
        line += text.count("\n", counted_to, begin)
        counted_to = begin
        if not isinstance(value, dict):
            _fail(label, text, begin, f"a row is an object, not {json.dumps(value)[:40]}")
        values = dict(_flat(value, ""))
        columns.update(dict.fromkeys(values))
        records.append(Record(line, {name: item for name, item in values.items() if item}))
    return Table(label, tuple(columns), records, False, form)


def _flat(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """The members that are text or numbers; those of an object inside as ``outer.inner``."""
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{prefix}{key}.")
        elif isinstance(item, bool):
            yield prefix + key, "true" if item else "false"
        elif item is None or isinstance(item, str):
            yield prefix + key, (item or "").strip()
