"""One scenario file being read: its findings, and the readers of plain values.

Each reader returns the value, or None after it has noted what is wrong; reading goes on, so that all
mistakes of a file are found at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from voice_emulator.core.words import nearest
from voice_emulator.errors import FileFinding
from voice_emulator.scenarios.environment import EnvironmentProblem, Variables, expand
from voice_emulator.scenarios.nodes import Location, MappingNode, Node, Scalar, SequenceNode

T = TypeVar("T")
N = TypeVar("N", int, float)

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
TRUE = frozenset({"true", "yes", "on"})
FALSE = frozenset({"false", "no", "off"})
#: After so many findings the rest of a file is not read.
FINDINGS_LIMIT = 500


class TooManyFindings(Exception):
    """The rest of the file is not worth reading."""


class Diagnostics:
    """The findings of one file while it is read."""

    def __init__(self, label: str, *, warns: bool = False) -> None:
        """No findings yet; ``label`` is the file's name as findings show it, ``warns`` asks for warnings, too."""
        self.label = label
        self.warns = warns
        self.findings: list[FileFinding] = []

    def error(self, where: Node | Location, message: str) -> None:
        """Note one mistake."""
        at = where if isinstance(where, Location) else where.location
        self.findings.append(FileFinding(self.label, at.line, at.column, message, at.pointer))
        if len(self.findings) >= FINDINGS_LIMIT:
            stop = f"{FINDINGS_LIMIT} mistakes so far; the rest is not read"
            self.findings.append(FileFinding(self.label, at.line, at.column, stop))
            raise TooManyFindings

    def warn(self, where: Node, message: str) -> None:
        """Note something that is valid and surely not meant."""
        at = where.location
        self.findings.append(FileFinding(self.label, at.line, at.column, message, at.pointer, warning=True))

    def error_at_start(self, message: str) -> None:
        """Note a mistake of the file as a whole."""
        self.error(Location(1, 1), message)

    def in_order(self) -> list[FileFinding]:
        """The findings, from top to bottom, each once (a node with aliases is read several times)."""
        return sorted(dict.fromkeys(self.findings), key=lambda finding: (finding.line, finding.column))

    def fill_in(self, node: Node, variables: Variables) -> None:
        """Replace ``${NAME}`` in every value below ``node``, noting what cannot be replaced."""
        seen: set[int] = set()
        waiting: list[Node] = [node]
        while waiting:
            current = waiting.pop()
            # An alias gives the same object again, to be expanded once.
            if id(current) in seen:
                continue
            seen.add(id(current))
            if isinstance(current, SequenceNode):
                waiting.extend(current.items)
            elif isinstance(current, MappingNode):
                waiting.extend(current.entries.values())
            elif "${" in current.text:
                try:
                    current.text = expand(current.text, variables)
                except EnvironmentProblem as error:
                    self.error(current, str(error))
                    current.broken = True
                # A value of the environment is always text.
                current.plain = False

    def mapping(self, node: Node, what: str, known: Collection[str]) -> Members | None:
        """The members of a mapping; unknown keys are noted and left out."""
        members = self.any_mapping(node, what)
        if members is None:
            return None
        for name in [name for name in members if name not in known]:
            hint = nearest(_short(name), known)
            members.error(name, f"unknown key {_short(name)!r} in {what}{hint}")
            del members[name]
        return members

    def any_mapping(self, node: Node, what: str) -> Members | None:
        """The members of a mapping that may have any keys."""
        if isinstance(node, MappingNode):
            return Members(self, node)
        self._not_a(node, what, "a mapping")
        return None

    def unknown(
        self, where: Node | Location, what: str, word: str, known: Iterable[str], reason: str
    ) -> None:
        """Note that ``word`` is not the name of any ``what``, with the nearest that is."""
        hint = nearest(_short(word), sorted(known))
        self.error(where, f"unknown {what} {_short(word)!r}: {reason}{hint}")

    def sequence(self, node: Node, what: str) -> list[Node] | None:
        """The items of a list."""
        if isinstance(node, SequenceNode):
            return list(node.items)
        self._not_a(node, what, "a list")
        return None

    def several(self, node: Node, what: str) -> list[Node]:
        """The items of a list that is not empty, or a single value as a list of one."""
        if not isinstance(node, SequenceNode):
            return [node]
        if not node.items:
            self.error(node, f"{what} is an empty list: nothing could match")
        return list(node.items)

    def _not_a(self, node: Node, what: str, wanted: str) -> None:
        if isinstance(node, Scalar) and node.broken:
            return
        if isinstance(node, Scalar):
            has = "nothing" if node.missing else repr(_short(node.text))
        else:
            has = "a list" if isinstance(node, SequenceNode) else "a mapping"
        self.error(node, f"{what} must be {wanted}, not {has}")

    def text(self, node: Node, what: str, *, empty: bool = False) -> str | None:
        """A text, not empty unless ``empty`` allows it."""
        if not isinstance(node, Scalar):
            self._not_a(node, what, "a text")
            return None
        if node.broken:
            return None
        if not node.text and not empty:
            self.error(node, f"{what} is empty")
            return None
        return node.text

    def word(self, node: Node, what: str, words: Iterable[str]) -> str | None:
        """One of ``words``."""
        text = self.text(node, what)
        choices = list(words)
        if text is None or text in choices:
            return text
        self.error(node, f"unknown {what} {_short(text)!r}{nearest(_short(text), choices)}")
        return None

    def boolean(self, node: Node, what: str, also: str = "") -> bool | None:
        """True or false, or yes, no, on or off as in YAML 1.1; ``also`` is another word that may stand there."""
        text = self.text(node, what)
        if text is None:
            return None
        if text.lower() in TRUE | FALSE:
            return text.lower() in TRUE
        words = f"true, false or {also}" if also else "true or false"
        self.error(node, f"{what} must be {words}, not {_short(text)!r}")
        return None

    def integer(self, node: Node, what: str, low: int, high: int) -> int | None:
        """A whole number from ``low`` to ``high``."""
        return self._number(node, what, "a whole number", _INTEGER, int, low, high)

    def decimal(self, node: Node, what: str, low: int, high: int) -> float | None:
        """A number from ``low`` to ``high``, in decimal notation."""
        return self._number(node, what, "a number", _DECIMAL, float, low, high)

    def _number(
        self, node: Node, what: str, kind: str, pattern: re.Pattern[str], read: type[N], low: int, high: int
    ) -> N | None:
        text = self.text(node, what)
        if text is None:
            return None
        if not pattern.fullmatch(text):
            self.error(node, f"{what} must be {kind}, not {_short(text)!r}")
        elif not low <= (number := read(text)) <= high:
            bound = f"at least {low}" if number < low else f"at most {high}"
            self.error(node, f"{what} must be {bound}, not {text}")
        else:
            return number
        return None


class Members(dict[str, Node]):
    """The members of one mapping."""

    def __init__(self, reading: Diagnostics, node: MappingNode) -> None:
        """Take the members of ``node``; mistakes are noted in ``reading``."""
        super().__init__(node.entries)
        self._reading = reading
        self._node = node

    def read(
        self, name: str, reader: Callable[..., T | None], *arguments: object, **options: object
    ) -> T | None:
        """What ``reader`` makes of the member ``name``; None when there is no such member, or after a finding."""
        return reader(self._reading, self[name], *arguments, **options) if name in self else None

    def key(self, name: str) -> Location:
        """Where the key ``name`` is."""
        return self._node.keys.get(name, self._node.location)

    def error(self, name: str, message: str) -> None:
        """Note one mistake at the key ``name``."""
        self._reading.error(self.key(name), message)

    def exclude(self, names: Iterable[str], other: object, reason: str) -> None:
        """Note each member of these ``names``: it cannot go with ``other``."""
        for name in names:
            if name in self:
                self.error(name, f"{name} cannot go with {other}: {reason}")


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
