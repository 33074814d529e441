"""One scenario file being read: its findings, and the readers of plain values.

Each reader returns the value, or None after it has noted what is wrong; reading goes on, so that all
mistakes of a file are found at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from voice_emulator.core.words import nearest
from voice_emulator.errors import FileFinding
from voice_emulator.scenarios.environment import EnvironmentProblem, Variables, expand
from voice_emulator.scenarios.nodes import Location, MappingNode, Node, Scalar, SequenceNode

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})


#: A file with more mistakes than this is no scenario, and explaining them all would take long.
FINDINGS_LIMIT = 500


class TooManyFindings(Exception):
    """The rest of the file is not worth reading."""


class Diagnostics:
    """What is known while a file is read: its label, and the findings so far."""

    def __init__(self, label: str) -> None:
        """Begin without findings; ``label`` is the file's name as findings show it."""
        self.label = label
        self.findings: list[FileFinding] = []

    def wrong(self, where: Node | Location, message: str) -> None:
        """Note one mistake."""
        place = where if isinstance(where, Location) else where.place
        self.findings.append(FileFinding(self.label, place.line, place.column, message, place.pointer))
        if len(self.findings) >= FINDINGS_LIMIT:
            self.findings.append(
                FileFinding(
                    self.label,
                    place.line,
                    place.column,
                    f"{FINDINGS_LIMIT} mistakes so far; the rest is not read",
                )
            )
            raise TooManyFindings

    def wrong_at_start(self, message: str) -> None:
        """Note a mistake of the file as a whole."""
        self.wrong(Location(1, 1), message)

    def in_order(self) -> list[FileFinding]:
        """The findings, from top to bottom, each once (an alias makes what it repeats be read twice)."""
        return sorted(dict.fromkeys(self.findings), key=lambda finding: (finding.line, finding.column))

    def fill_in(self, node: Node, variables: Variables) -> None:
        """Replace ``${NAME}`` in every value below ``node``, noting what cannot be replaced."""
        seen: set[int] = set()
        waiting: list[Node] = [node]
        while waiting:
            current = waiting.pop()
            # What an alias repeats is the same object, to be expanded once.
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
                    self.wrong(current, str(error))
                    current.broken = True
                # What the environment gave is text, however it looks.
                current.plain = False

    def table(self, node: Node, what: str, known: Collection[str]) -> dict[str, Node] | None:
        """The members of a mapping; unknown keys are noted and left out."""
        members = self.any_table(node, what)
        if members is None:
            return None
        for name in [name for name in members if name not in known]:
            self.wrong(
                self.key_place(node, name),
                f"unknown key {_short(name)!r} in {what}{nearest(_short(name), known)}",
            )
            del members[name]
        return members

    def any_table(self, node: Node, what: str) -> dict[str, Node] | None:
        """The members of a mapping whose keys are not fixed."""
        if isinstance(node, MappingNode):
            return dict(node.entries)
        self._not_a(node, what, "a mapping")
        return None

    def key_place(self, node: Node, name: str) -> Location:
        """Where the key ``name`` of a mapping stands."""
        return node.keys.get(name, node.place) if isinstance(node, MappingNode) else node.place

    def listing(self, node: Node, what: str) -> list[Node] | None:
        """The items of a list."""
        if isinstance(node, SequenceNode):
            return list(node.items)
        self._not_a(node, what, "a list")
        return None

    def several(self, node: Node, what: str) -> list[Node]:
        """The items of a list that is not empty, or the one value that stands for a list of one."""
        if not isinstance(node, SequenceNode):
            return [node]
        if not node.items:
            self.wrong(node, f"{what} is an empty list: nothing could match")
        return list(node.items)

    def _not_a(self, node: Node, what: str, wanted: str) -> None:
        if isinstance(node, Scalar) and node.broken:
            return
        if isinstance(node, Scalar):
            has = "nothing" if node.missing else repr(_short(node.text))
        else:
            has = "a list" if isinstance(node, SequenceNode) else "a mapping"
        self.wrong(node, f"{what} must be {wanted}, not {has}")

    def text(self, node: Node, what: str, *, empty: bool = False) -> str | None:
        """A text, not empty unless ``empty`` allows it."""
        if not isinstance(node, Scalar):
            self._not_a(node, what, "a text")
            return None
        if node.broken:
            return None
        if not node.text and not empty:
            self.wrong(node, f"{what} is empty")
            return None
        return node.text

    def word(self, node: Node, what: str, words: Iterable[str]) -> str | None:
        """One of ``words``."""
        text = self.text(node, what)
        choices = list(words)
        if text is None or text in choices:
            return text
        self.wrong(node, f"unknown {what} {_short(text)!r}{nearest(_short(text), choices)}")
        return None

    def boolean(self, node: Node, what: str) -> bool | None:
        """True or false; YAML 1.1's yes, no, on and off will do."""
        text = self.text(node, what)
        if text is None:
            return None
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        self.wrong(node, f"{what} must be true or false, not {_short(text)!r}")
        return None

    def integer(self, node: Node, what: str, low: int, high: int) -> int | None:
        """A whole number from ``low`` to ``high``."""
        text = self.text(node, what)
        if text is None:
            return None
        if not _INTEGER.fullmatch(text):
            self.wrong(node, f"{what} must be a whole number, not {_short(text)!r}")
            return None
        number = int(text)
        if low <= number <= high:
            return number
        bound = f"at least {low}" if number < low else f"at most {high}"
        self.wrong(node, f"{what} must be {bound}, not {number}")
        return None

    def decimal(self, node: Node, what: str, low: float, high: float) -> float | None:
        """A number from ``low`` to ``high``, in decimal notation."""
        text = self.text(node, what)
        if text is None:
            return None
        if not _DECIMAL.fullmatch(text):
            self.wrong(node, f"{what} must be a number, not {_short(text)!r}")
            return None
        number = float(text)
        if low <= number <= high:
            return number
        bound = f"at least {low:g}" if number < low else f"at most {high:g}"
        self.wrong(node, f"{what} must be {bound}, not {text}")
        return None


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
