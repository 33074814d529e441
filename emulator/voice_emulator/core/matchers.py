"""What a rule matches. A comparison returns the differences; without any, the rule matches.

Globs have ``*`` (any characters) and ``?`` (one character) and nothing else: there are neither character classes nor
regular expressions, so no pattern is slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from voice_emulator.core.clock import SECOND
from voice_emulator.core.values import plain_value

#: Characters of a value that a difference quotes.
QUOTED = 200


@plain_value
class Difference:
    """One thing that did not match: where, what the rule wants, what the request has."""

    place: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"{self.place}: wanted {self.expected}, got {self.actual}"


def compile_glob(pattern: str) -> Callable[[str], bool]:
    """A predicate for ``pattern``; it takes linear time."""
    if "?" not in pattern:
        stars = pattern.count("*")
        if stars == 0:
            return pattern.__eq__
        if stars == 1 and pattern.startswith("*"):
            suffix = pattern[1:]
            return lambda text: text.endswith(suffix)
        if stars == 1 and pattern.endswith("*"):
            prefix = pattern[:-1]
            return lambda text: text.startswith(prefix)
    return _Glob(pattern)


class _Glob:
    """A pattern with stars: each part between two stars is searched for as far to the left as possible."""

    __slots__ = ("_first", "_last", "_middle", "_shortest")

    def __init__(self, pattern: str) -> None:
        first, *rest = pattern.split("*")
        self._first = _Part(first)
        self._middle = [_Part(part) for part in rest[:-1] if part]
        self._last = _Part(rest[-1]) if rest else None
        self._shortest = len(pattern) - len(rest)

    def __call__(self, text: str) -> bool:
        if len(text) < self._shortest or not self._first.stands_at(text, 0):
            return False
        if self._last is None:
            return len(text) == self._first.length
        end = len(text) - self._last.length
        if not self._last.stands_at(text, end):
            return False
        at = self._first.length
        for part in self._middle:
            found = part.find(text, at, end)
            if found < 0:
                return False
            at = found + part.length
        return at <= end


#: Characters that :class:`_Part` compares one by one before it searches all positions of a text at once.
_COMPARED = 200_000


class _Part:
    """A part of a pattern without stars; ``?`` is any character."""

    __slots__ = ("_literal", "_offset", "_pattern", "length", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.length = len(text)
        self._pattern = None
        if "?" in text:
            self._pattern = re.compile(".".join(map(re.escape, text.split("?"))), re.DOTALL)
        self._literal = max(text.split("?"), key=len)
        self._offset = text.index(self._literal)

    def stands_at(self, text: str, at: int) -> bool:
        if self._pattern is None:
            return text.startswith(self.text, at)
        return self._pattern.match(text, at) is not None

    def find(self, text: str, begin: int, end: int) -> int:
        """The first position between ``begin`` and ``end``; -1 if there is none."""
        if self._pattern is None:
            return text.find(self.text, begin, end)
        if not self._literal:
            return begin if begin + self.length <= end else -1
        # Tried wherever the longest literal occurs, unless that is nearly everywhere.
        last = end - self.length
        room = _COMPARED // self.length
        while room:
            room -= 1
            found = text.find(self._literal, begin + self._offset, last + self._offset + len(self._literal))
            if found < 0:
                return -1
            begin = found - self._offset
            if self.stands_at(text, begin):
                return begin
            begin += 1
        return self._find_at_once(text, begin, end)

    def _find_at_once(self, text: str, begin: int, end: int) -> int:
        """Find with one bit per position: whether what was compared so far matches there."""
        if end - begin < self.length:
            return -1
        part = text[begin:end][::-1]
        fits = (1 << (len(part) - self.length + 1)) - 1
        where: dict[str, int] = {}
        for offset, character in enumerate(self.text):
            if character == "?":
                continue
            if character not in where:
                bits = part.translate(_Bits(character))
                where[character] = int(bits, 2)
            fits &= where[character] >> offset
            if not fits:
                return -1
        return begin + (fits & -fits).bit_length() - 1


class _Bits(dict[int, str]):
    """Translates one character to 1 and all others to 0."""

    def __init__(self, character: str) -> None:
        super().__init__({ord(character): "1"})

    def __missing__(self, code: int) -> str:
        self[code] = "0"
        return "0"


class Globs:
    """One or several alternatives, any of which may match."""

    __slots__ = ("_tests", "patterns")

    def __init__(self, *patterns: str) -> None:
        self.patterns = patterns
        self._tests = tuple(compile_glob(pattern) for pattern in patterns)

    def __call__(self, text: str) -> bool:
        """Whether ``text`` matches any of the patterns."""
        return self.fits_any((text,))

    def fits_any(self, texts: Iterable[str]) -> bool:
        """Whether any of ``texts`` matches any of the patterns."""
        # Loops: there is usually one pattern and one number, and the generators of any() cost more than that.
        for text in texts:
            for test in self._tests:
                if test(text):
                    return True
        return False

    def __str__(self) -> str:
        return " or ".join(repr(pattern) for pattern in self.patterns)

    def __repr__(self) -> str:
        return f"Globs({', '.join(map(repr, self.patterns))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Globs) and other.patterns == self.patterns

    def __hash__(self) -> int:
        return hash(self.patterns)


@plain_value
class Nth:
    """Which arrivals: the listed ones (from 1), or every ``every``-th."""

    numbers: frozenset[int] = frozenset()
    every: int | None = None

    def __call__(self, count: int) -> bool:
        """Whether the arrival that is number ``count`` is one of them."""
        return count in self.numbers if self.every is None else count % self.every == 0

    def __str__(self) -> str:
        return f"every {self.every}" if self.every else " or ".join(map(str, sorted(self.numbers)))


class Subject(NamedTuple):
    """What a rule is matched against: a request, or one number of it.

    ``numbers`` has the called numbers (just one for effects per number). ``attempt`` says which call to that number this
    is, ``elapsed`` is the tenant time since the scenario was loaded, in microseconds. ``heavy``: the fields are so long
    that matching them takes long.
    """

    provider: str
    operation: str
    numbers: Sequence[str]
    fields: Mapping[str, Any]
    attempt: int
    elapsed: int
    heavy: bool = False


@plain_value
class Match:
    """The conditions of a rule; all that are set must hold."""

    provider: frozenset[str] | None = None
    operation: frozenset[str] | None = None
    number: Globs | None = None
    fields: tuple[tuple[str, Globs], ...] = ()
    attempt: frozenset[int] | None = None
    after: int | None = None
    before: int | None = None
    nth: Nth | None = None

    def accepts(self, subject: Subject) -> bool:
        """Whether all conditions but ``nth`` hold: a faster :meth:`differences`."""
        if self.provider is not None and subject.provider not in self.provider:
            return False
        if self.number is not None and not self.number.fits_any(subject.numbers):
            return False
        if self.operation is not None and subject.operation not in self.operation:
            return False
        if self.attempt is not None and subject.attempt not in self.attempt:
            return False
        if self.after is not None and subject.elapsed < self.after:
            return False
        if self.before is not None and subject.elapsed >= self.before:
            return False
        return not self.fields or all(
            name in subject.fields and globs(as_text(subject.fields[name])) for name, globs in self.fields
        )

    def differences(self, subject: Subject) -> list[Difference]:
        """Everything that keeps ``subject`` from matching, in reading order."""
        found: list[Difference] = []
        if self.provider is not None and subject.provider not in self.provider:
            found.append(Difference("provider", " or ".join(sorted(self.provider)), subject.provider))
        if self.operation is not None and subject.operation not in self.operation:
            found.append(Difference("operation", " or ".join(sorted(self.operation)), subject.operation))
        if self.number is not None and not self.number.fits_any(subject.numbers):
            shown = ", ".join(subject.numbers[:3]) + (", ..." if len(subject.numbers) > 3 else "")
            found.append(Difference("number", str(self.number), shown or "no number"))
        for name, globs in self.fields:
            if name not in subject.fields:
                found.append(Difference(f"fields.{name}", str(globs), "no such field"))
            elif not globs(as_text(subject.fields[name])):
                found.append(Difference(f"fields.{name}", str(globs), _quoted(as_text(subject.fields[name]))))
        if self.attempt is not None and subject.attempt not in self.attempt:
            wanted = " or ".join(map(str, sorted(self.attempt)))
            found.append(Difference("attempt", wanted, str(subject.attempt)))
        if self.after is not None and subject.elapsed < self.after:
            found.append(Difference("after", _seconds(self.after), _seconds(subject.elapsed)))
        if self.before is not None and subject.elapsed >= self.before:
            found.append(Difference("before", _seconds(self.before), _seconds(subject.elapsed)))
        return found


def _quoted(text: str) -> str:
    """A value as a difference shows it. Long ones are cut, because a rule keeps its nearest miss."""
    return repr(text) if len(text) <= QUOTED else f"{text[:QUOTED]!r}... ({len(text)} characters)"


def _seconds(span: int) -> str:
    return f"{span / SECOND:g} s"


def as_text(value: Any) -> str:
    """A field's value as scenarios write it: ``true``, ``false`` and ``null`` as in JSON."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if value is None:
        return "null"
    return str(value)
