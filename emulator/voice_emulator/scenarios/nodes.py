"""The values of a scenario as they were written: text with a location, sequences and mappings of it.

Scalars stay text (``0123`` stays ``0123``, ``no`` stays ``no``); the reader of a number or a duration
converts it. YAML and JSON both become nodes, so the section readers read both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from voice_emulator.core.values import plain_record, plain_value
from voice_emulator.errors import FileFinding

#: How much one scenario may hold, aliases counted each time they are used, and how deep it may nest.
NODE_LIMIT = 100_000
DEPTH_LIMIT = 24
#: Characters of a key that pointers have room for.
KEY_SHOWN = 500


@plain_value
class Location:
    """Line and column, from 1 (0: unknown), and the JSON Pointer of a node."""

    line: int = 0
    column: int = 0
    pointer: str = ""


@plain_record
class Scalar:
    """One text. ``plain``: written without quotes; ``broken``: it has a finding already."""

    text: str
    location: Location
    plain: bool = True
    broken: bool = False

    @property
    def missing(self) -> bool:
        """Whether nothing was written: ``key:`` and no more."""
        return self.plain and not self.text

    @property
    def null(self) -> bool:
        """Whether this reads as no value where no value is allowed."""
        return self.plain and self.text in ("", "~", "null")


@plain_record
class SequenceNode:
    """A list of nodes."""

    items: list[Node]
    location: Location


@plain_record
class MappingNode:
    """A mapping; ``keys`` holds the location of each key."""

    entries: dict[str, Node]
    location: Location
    keys: dict[str, Location] = field(default_factory=dict)


Node = Scalar | SequenceNode | MappingNode


def child_pointer(pointer: str, key: object) -> str:
    """The JSON Pointer of a member of what ``pointer`` names (RFC 6901). A long key is cut."""
    return f"{pointer}/{str(key)[:KEY_SHOWN].replace('~', '~0').replace('/', '~1')}"


def from_json(document: Any, label: str) -> tuple[Node | None, list[FileFinding]]:
    """Nodes of a decoded JSON document, and the findings."""
    room = [NODE_LIMIT]
    found: list[FileFinding] = []

    def build(value: Any, pointer: str, depth: int) -> Node | None:
        location = Location(pointer=pointer)
        room[0] -= 1
        if room[0] < 0 or depth > DEPTH_LIMIT:
            reason = (
                f"nested deeper than {DEPTH_LIMIT} levels"
                if room[0] >= 0
                else f"more than {NODE_LIMIT} values"
            )
            found.append(FileFinding(label, 0, 0, reason, pointer))
            return None
        if isinstance(value, Mapping):
            table = MappingNode({}, location)
            for key, member in value.items():
                below = child_pointer(pointer, key)
                node = build(member, below, depth + 1)
                if node is None:
                    return None
                table.entries[str(key)] = node
                table.keys[str(key)] = Location(pointer=below)
            return table
        if isinstance(value, (list, tuple)):
            listing = SequenceNode([], location)
            for index, member in enumerate(value):
                node = build(member, f"{pointer}/{index}", depth + 1)
                if node is None:
                    return None
                listing.items.append(node)
            return listing
        return _json_scalar(value, location)

    return build(document, "", 1), found


def _json_scalar(value: Any, location: Location) -> Scalar:
    if value is None:
        return Scalar("", location)
    if isinstance(value, bool):
        return Scalar("true" if value else "false", location)
    if isinstance(value, str):
        return Scalar(value, location, plain=False)
    try:
        return Scalar(str(value), location)
    except ValueError:  # an integer of thousands of digits
        return Scalar("a number too long to print", location)


def as_value(node: Node) -> Any:
    """The node as plain text, lists and dicts; None where nothing was written."""
    if isinstance(node, Scalar):
        return None if node.null else node.text
    if isinstance(node, SequenceNode):
        return [as_value(item) for item in node.items]
    return {name: as_value(member) for name, member in node.entries.items()}
