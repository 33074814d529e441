"""YAML text to nodes, from the events of the parser: it constructs no objects for tags and guesses no types.

Size and depth are checked on each event, with aliases expanded: nine nested aliases of nine would otherwise be a
billion values.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import Any

import yaml

from voice_emulator.core.values import plain_record
from voice_emulator.errors import FileFinding
from voice_emulator.scenarios.nodes import (
    DEPTH_LIMIT,
    NODE_LIMIT,
    Location,
    MappingNode,
    Node,
    Scalar,
    SequenceNode,
    child_pointer,
)

SIZE_LIMIT = 1_000_000
# libyaml's parser where the platform has it (ten times faster), else the one in Python.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")
)

#: A value of which the first character is one of YAML's own, up to where the parser noticed.
_BEGUN = re.compile(r"(?:.*[:,\[{-] +|\s*)([*@%&`|>!?])")
_OWN_CHARACTER = re.compile("alias|anchor|cannot start any token|block scalar|mapping keys are not allowed")
#: What the parsers say, and what it mostly means.
_USUAL = (
    (
        "mapping values are not allowed",
        "a second colon: quote a value that contains one, or check the indentation",
    ),
    ("unexpected end of stream", "the quote that opens here is not closed"),
    ("escape", "\\ begins an escape in double quotes; use single quotes"),
    ("parsing a flow", "a comma or a closing bracket is missing here"),
    ("block collection", "this line does not fit the lines above it; check the indentation"),
    ("block mapping", "this line does not fit the lines above it; check the indentation and the quotes"),
)


class _Stopped(Exception):
    """Reading ends here; the finding is noted."""


@plain_record
class _Open:
    """A sequence or mapping that has not ended yet."""

    node: SequenceNode | MappingNode
    anchor: str | None
    size: int = 1
    key: Scalar | None = None
    skip: bool = False


def from_yaml(text: str, label: str) -> tuple[Node | None, list[FileFinding]]:
    """The nodes of a YAML text (None if it is empty), and the mistakes in its syntax."""
    text = text.removeprefix("\ufeff")
    if len(text) > SIZE_LIMIT:
        return None, [FileFinding(label, 1, 1, f"larger than {SIZE_LIMIT // 1_000_000} MB")]
    unprintable = _UNPRINTABLE.search(text)
    if unprintable is not None:
        line, column = _position(text, unprintable.start())
        message = f"character U+{ord(unprintable[0]):04X} is not allowed in YAML"
        return None, [FileFinding(label, line, column, message)]
    builder = _Builder(label, text)
    try:
        builder.run()
    except _Stopped:
        return None, builder.found
    return builder.root, builder.found


def _position(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _syntax_message(line: str, column: int, problem: str, context: str) -> str:
    """The parser's message in plain English, where it is one of the usual mistakes; ``line`` is where it was found."""
    if "\t" in line[: column + 1]:
        return "indent with spaces, not tabs"
    begun = _BEGUN.match(line[: column + 1])
    told = (
        f"{problem} ({context})"
        if context and problem
        else problem or context or "unexpected end of the text"
    )
    if begun is not None and _OWN_CHARACTER.search(told):
        return f"quote a value that begins with {begun[1]}"
    return next((sentence for part, sentence in _USUAL if part in told), told)


@plain_record
class _Builder:
    """Builds nodes from events, without recursion."""

    label: str
    text: str
    root: Node | None = None
    found: list[FileFinding] = field(default_factory=list)
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Node, int]] = field(default_factory=dict)
    _total: int = 0

    def run(self) -> None:
        loader = _LOADER(self.text)
        documents = 0
        try:
            while loader.check_event():
                event = loader.get_event()
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self._stop(
                            event.start_mark, "a second document begins here; write one scenario per file"
                        )
                elif isinstance(event, yaml.NodeEvent):
                    self._node(event)
                elif isinstance(event, yaml.CollectionEndEvent):
                    self._close()
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            self.found.append(FileFinding(self.label, 1, 1, f"not readable as YAML: {error}"))
            raise _Stopped from error
        finally:
            loader.dispose()

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark: Any = error.problem_mark or error.context_mark
        lines = self.text.splitlines() or [""]
        line, column = (mark.line, mark.column) if mark is not None else (0, 0)
        # At the end of the text the start of what was left open helps more.
        if line >= len(lines) or (line == len(lines) - 1 and column >= len(lines[-1])):
            begun: Any = error.context_mark
            if begun is not None and begun.line < len(lines):
                line, column = begun.line, begun.column
            else:
                line, column = len(lines) - 1, len(lines[-1])
        message = _syntax_message(lines[line], column, error.problem or "", error.context or "")
        self.found.append(FileFinding(self.label, line + 1, column + 1, f"not valid YAML: {message}"))
        raise _Stopped from error

    def _stop(self, mark: Any, message: str) -> None:
        self.found.append(FileFinding(self.label, mark.line + 1, mark.column + 1, message))
        raise _Stopped

    def _node(self, event: Any) -> None:
        mark = event.start_mark
        location = Location(mark.line + 1, mark.column + 1, self._pointer())
        if isinstance(event, yaml.AliasEvent):
            self._alias(event, mark)
            return
        if event.tag not in (None, "!") and event.tag not in _TAGS:
            self._stop(mark, f"the tag {event.tag!r} is not supported; a scenario has plain values only")
        self._count(1, mark)
        if isinstance(event, yaml.ScalarEvent):
            scalar = Scalar(event.value, location, plain=event.style in (None, ""))
            if event.anchor:
                self._anchors[event.anchor] = (scalar, 1)
            self._add(scalar, 1, mark)
            return
        node: SequenceNode | MappingNode = (
            SequenceNode([], location)
            if isinstance(event, yaml.SequenceStartEvent)
            else MappingNode({}, location)
        )
        if len(self._stack) >= DEPTH_LIMIT:
            self._stop(mark, f"nested deeper than {DEPTH_LIMIT} levels")
        self._stack.append(_Open(node, event.anchor))

    def _alias(self, event: Any, mark: Any) -> None:
        known = self._anchors.get(event.anchor)
        if known is None:
            if any(level.anchor == event.anchor for level in self._stack):
                self._stop(mark, f"the alias *{event.anchor} is inside its own anchor")
            self._stop(
                mark, f'undefined alias *{event.anchor}; quote it if it is a pattern: "*{event.anchor}"'
            )
            return
        node, size = known
        self._count(size, mark)
        self._add(node, size, mark)

    def _count(self, size: int, mark: Any) -> None:
        self._total += size
        if self._total > NODE_LIMIT:
            self._stop(mark, f"more than {NODE_LIMIT} values, with aliases expanded")

    def _close(self) -> None:
        level = self._stack.pop()
        if level.anchor:
            self._anchors[level.anchor] = (level.node, level.size)
        self._add(level.node, level.size, None)

    def _add(self, node: Node, size: int, mark: Any) -> None:
        if not self._stack:
            self.root = node
            return
        level = self._stack[-1]
        level.size += size
        if isinstance(level.node, SequenceNode):
            level.node.items.append(node)
        elif level.key is None:
            self._key(level, level.node, node, mark)
        else:
            if not level.skip:
                level.node.entries[level.key.text] = node
            level.key, level.skip = None, False

    def _key(self, level: _Open, mapping: MappingNode, node: Node, mark: Any) -> None:
        if not isinstance(node, Scalar):
            location = node.location
            self.found.append(
                FileFinding(
                    self.label, location.line, location.column, "a key must be plain text", location.pointer
                )
            )
            level.key, level.skip = Scalar("", location), True
            return
        # An alias used as a key has a location of its own.
        line, column = mark.line + 1, mark.column + 1
        pointer = child_pointer(mapping.location.pointer, node.text)
        level.key = node
        if node.plain and node.text == "<<":
            self.found.append(
                FileFinding(self.label, line, column, "merge keys (<<) are not supported: write the keys out")
            )
            level.skip = True
        elif node.text in mapping.keys:
            first = mapping.keys[node.text].line
            message = f"duplicate key {node.text!r} (first on line {first})"
            self.found.append(FileFinding(self.label, line, column, message, pointer))
            level.skip = True
        else:
            mapping.keys[node.text] = Location(line, column, pointer)

    def _pointer(self) -> str:
        if not self._stack:
            return ""
        level = self._stack[-1]
        parent = level.node.location.pointer
        if isinstance(level.node, SequenceNode):
            return f"{parent}/{len(level.node.items)}"
        return child_pointer(parent, level.key.text) if level.key is not None else parent
