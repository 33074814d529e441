"""Compares recorded values with the emulator's, field by field, each by its ``x-kind``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voice_emulator.core.masking import MASK
from voice_emulator.recording.exchanges import Pairs
from voice_emulator.recording.values import form, instant, money
from voice_emulator.schemas.fields import Field, fields
from voice_emulator.schemas.validate import Schema

#: Seconds by which times may differ.
TOLERANCE = 2
#: The largest id that counts.
LARGEST = 2**31 - 1
#: Headers that say nothing about the provider's API.
_NOT_COMPARED = frozenset(
    {
        "date", "server", "content-length", "connection", "keep-alive", "transfer-encoding", "host", "user-agent",
        "accept", "accept-encoding",
    }
)  # fmt: skip
#: Begins the name of a row that is known by its number.
ROW = "\0"
#: Alphabets, each within the next.
_ALPHABETS = ("0123456789", "0123456789abcdef", "0123456789abcdefghijklmnopqrstuvwxyz")


@dataclass(slots=True)
class Finding:
    """One difference, however often it was seen. ``recorded`` and ``here`` are its first example."""

    provider: str
    operation: str
    field: str
    kind: str
    message: str
    recorded: str = ""
    here: str = ""
    count: int = 1

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What a lock file names it by."""
        return (self.provider, self.operation, self.field, self.kind)


@dataclass(slots=True)
class _Ids:
    """The values of one id field, on both sides."""

    recorded: list[str] = field(default_factory=list)
    here: list[str] = field(default_factory=list)


class Comparison:
    """Collects findings; ids are judged at the end, when all are known."""

    def __init__(self) -> None:
        self.findings: dict[tuple[str, str, str, str], Finding] = {}
        #: Every field that was compared: provider, operation, path.
        self.seen: dict[tuple[str, str, str], Field] = {}
        self._ids: dict[tuple[str, str, str], _Ids] = defaultdict(_Ids)
        self._forth: dict[tuple[str, str], str] = {}
        self._back: dict[tuple[str, str], str] = {}
        self._fields: dict[str, dict[str, Field]] = {}

    def found(self, finding: Finding) -> None:
        """Add a finding, or count it."""
        known = self.findings.setdefault(finding.key, finding)
        if known is not finding:
            known.count += 1

    def fields(self, schema: Schema) -> dict[str, Field]:
        """The fields of a schema."""
        if schema.name not in self._fields:
            self._fields[schema.name] = fields(schema.document)
        return self._fields[schema.name]

    def values(self, provider: str, operation: str, schema: Schema, recorded: Any, here: Any) -> None:
        """Compare two bodies, or the fields of two receipts."""
        known = self.fields(schema)
        self._order(provider, operation, recorded, here, "")
        mine, theirs = (_flat(_by_number(value, schema.numbers)) for value in (here, recorded))
        for row in sorted(_rows(theirs) ^ _rows(mine)):
            message = "only one of the two has a row about this call"
            number = row.rpartition(ROW)[2]
            both = (number, None) if row in _rows(theirs) else (None, number)
            self._add(provider, operation, row, "row", message, *both)
            for side in (mine, theirs):
                for path in [path for path in side if path.startswith(f"{row}/")]:
                    del side[path]
        for path, value in theirs.items():
            plain = _plain(path)
            if plain in known:
                self.seen[provider, operation, plain] = known[plain]
            if path not in mine:
                if not any(other.startswith(f"{path}/") for other in mine):
                    self._only_recorded(provider, operation, path, known, value)
                continue
            self._leaf(provider, operation, path, known.get(plain) or Field(plain), value, mine[path])
        for path, value in mine.items():
            if path not in theirs and not any(other.startswith(f"{path}/") for other in theirs):
                message = "the real provider does not send this field; the emulator does"
                self._add(provider, operation, path, "missing", message, None, value)

    def _only_recorded(
        self, provider: str, operation: str, path: str, known: Mapping[str, Field], value: Any
    ) -> None:
        if _plain(path) in known:
            message = "the real provider sends this field; the emulator does not"
            self._add(provider, operation, path, "added", message, value, None)
        else:
            self._add(provider, operation, path, "unknown", "no page documents this field", value, None)

    def _add(
        self, provider: str, operation: str, path: str, kind: str, message: str, recorded: Any, here: Any
    ) -> None:
        self.found(Finding(provider, operation, name_of(path), kind, message, _shown(recorded), _shown(here)))

    def _leaf(self, provider: str, operation: str, path: str, one: Field, recorded: Any, here: Any) -> None:
        if MASK in str(recorded) or MASK in str(here):
            return
        if type(recorded) is not type(here):
            message = f"the real provider sends {_type(recorded)}, the emulator {_type(here)}"
            self._add(provider, operation, path, "type", message, recorded, here)
            return
        kind = "id" if one.secret else one.kind
        difference = _DIFFERENCES[kind](recorded, here) if kind != "id" else self._id(
            provider, operation, one, recorded, here
        )  # fmt: skip
        if difference is not None:
            self._add(provider, operation, path, difference[0], difference[1], recorded, here)

    def _id(
        self, provider: str, operation: str, one: Field, recorded: Any, here: Any
    ) -> tuple[str, str] | None:
        if one.whole_number:
            fits = isinstance(recorded, int) and 0 <= recorded <= LARGEST
            return None if fits else ("id", "a record id is a whole number that fits 32 bits")
        if not isinstance(recorded, str) or not isinstance(here, str):
            return None
        if not recorded or not here:
            return None if recorded == here else ("value", "one of the two is empty")
        ids = self._ids[provider, operation, one.path]
        ids.recorded.append(recorded)
        ids.here.append(here)
        forth = self._forth.setdefault((provider, recorded), here)
        back = self._back.setdefault((provider, here), recorded)
        if forth != here or back != recorded:
            return "id", "the same id stands for different things on the two sides"
        return None

    def close(self) -> list[Finding]:
        """All findings, once everything was compared."""
        for (provider, operation, path), ids in self._ids.items():
            before, after = {len(each) for each in ids.recorded}, {len(each) for each in ids.here}
            if min(before) > max(after) or max(before) < min(after):
                message = f"ids have {_range(before)} characters, the emulator's {_range(after)}"
                self._add(provider, operation, path, "length", message, ids.recorded[0], ids.here[0])
            if _alphabet(ids.recorded) != _alphabet(ids.here):
                message = f"ids are {_alphabet(ids.recorded)}, the emulator's {_alphabet(ids.here)}"
                self._add(provider, operation, path, "alphabet", message, ids.recorded[0], ids.here[0])
        return sorted(self.findings.values(), key=lambda each: each.key)

    def _order(self, provider: str, operation: str, recorded: Any, here: Any, path: str) -> None:
        if isinstance(recorded, Mapping) and isinstance(here, Mapping):
            theirs = [name for name in recorded if name in here]
            mine = [name for name in here if name in recorded]
            if theirs != mine:
                first = next(a for a, b in zip(theirs, mine, strict=True) if a != b)
                message = f"the keys come in another order: {', '.join(theirs)}"
                self._add(provider, operation, f"{path}/{first}", "order", message, None, None)
            for name in theirs:
                self._order(provider, operation, recorded[name], here[name], f"{path}/{name}")
        elif isinstance(recorded, list) and isinstance(here, list) and recorded and here:
            self._order(provider, operation, recorded[0], here[0], f"{path}/0")

    def headers(self, provider: str, operation: str, recorded: Pairs, here: Pairs) -> None:
        """Compare headers. A recording without any, as a log may be, says nothing about them."""
        if not recorded:
            return
        theirs, mine = _named(recorded), _named(here)
        for name in sorted(theirs.keys() | mine.keys()):
            before, after = theirs.get(name), mine.get(name)
            if before == after or MASK in str(before):
                continue
            kind = "header"
            message = "the header differs" if before and after else "only one of the two sends this header"
            self.found(
                Finding(provider, operation, f"header {name}", kind, message, _shown(before), _shown(after))
            )

    def plain(
        self, provider: str, operation: str, what: str, kind: str, message: str, recorded: Any, here: Any
    ) -> None:
        """Compare two values besides the fields: a status, a count."""
        if recorded != here:
            self.found(Finding(provider, operation, what, kind, message, _shown(recorded), _shown(here)))


def _exact(recorded: Any, here: Any) -> tuple[str, str] | None:
    return None if recorded == here else ("value", "the values differ")


def _time(recorded: Any, here: Any) -> tuple[str, str] | None:
    if recorded == here:
        return None
    if form(recorded) != form(here):
        return "format", f"times are written {form(recorded)}, the emulator's {form(here)}"
    before, after = instant(recorded), instant(here)
    if before is None or after is None or abs(before - after) > TOLERANCE:
        return "time", f"the times differ by more than {TOLERANCE} s"
    return None


def _money(recorded: Any, here: Any) -> tuple[str, str] | None:
    return None if money(recorded) == money(here) else ("money", "the amounts differ")


_DIFFERENCES: Mapping[str, Any] = {
    "exact": _exact, "time": _time, "money": _money, "free": lambda recorded, here: None,
}  # fmt: skip


def _by_number(value: Any, names: frozenset[str]) -> Any:
    """A value with rows about calls under their numbers: calls that end together come in any order."""
    if isinstance(value, Mapping):
        return {name: _by_number(item, names) for name, item in value.items()}
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(row, Mapping) and names & row.keys() for row in value)
    ):
        return value
    counts: Counter[str] = Counter()
    rows = {}
    for row in value:
        number = str(row[min(names & row.keys())])
        counts[number] += 1
        rows[f"{ROW}{number} {counts[number]}"] = row
    return rows


def _rows(flat: Mapping[str, Any]) -> set[str]:
    """The paths of rows about calls."""
    return {path[: path.index("/", path.index(ROW))] for path in flat if ROW in path}


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    return dict(_flat_pairs(value, path))


def _flat_pairs(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _flat_pairs(item, f"{path}/{name}")
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _flat_pairs(item, f"{path}/{index}")
    else:
        yield path, value


def _plain(path: str) -> str:
    return "/".join("*" if part.isdigit() or part[:1] == ROW else part for part in path.split("/"))


def name_of(path: str) -> str:
    """A path as people write it: ``data.bills[].id``."""
    return _plain(path)[1:].replace("/*", "[]").replace("/", ".")


def _named(headers: Pairs) -> dict[str, str]:
    return {name.lower(): value for name, value in headers if name.lower() not in _NOT_COMPARED}


def _shown(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _type(value: Any) -> str:
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a list" if isinstance(value, list) else "an object")


def _range(lengths: set[int]) -> str:
    low, high = min(lengths), max(lengths)
    return str(low) if low == high else f"{low} to {high}"


def _alphabet(ids: list[str]) -> str:
    """Which characters ids have; one kind holds for all of a field, however few its ids are."""
    used = set("".join(ids))
    letters = {char for char in used if char.isascii() and char.isalnum()}
    signs = "".join(sorted(used - letters))
    names = ("digits", "hexadecimal", "lower-case letters and digits")
    found = next(
        (name for name, one in zip(names, _ALPHABETS, strict=True) if letters <= set(one)),
        "letters and digits",
    )
    return found + (f" with {signs}" if signs else "")
