"""One scenario document, without what it extends: its members, read and judged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from voice_emulator.core.clock import ClockSpec
from voice_emulator.core.scenario import Rule
from voice_emulator.core.values import plain_record
from voice_emulator.scenarios.accounts import read_accounts
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.durations import clock
from voice_emulator.scenarios.nodes import Node, Scalar
from voice_emulator.scenarios.rule_section import read_rules

KEYS = ("name", "description", "seed", "clock", "extends", "magic_numbers", "providers", "rules")
NAME_LIMIT = 64
SEED_LIMIT = 10**18 - 1
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@plain_record
class Document:
    """What one file says; None for what it leaves out. ``generated`` are the names of its rules without names."""

    name: str = ""
    description: str = ""
    seed: int | None = None
    clock: ClockSpec | None = None
    extends: Scalar | None = None
    magic_numbers: bool | None = None
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    generated: set[str] = field(default_factory=set)


def read_document(reading: Diagnostics, node: Node, catalogue: Catalogue) -> Document:
    """Everything in ``node``; what cannot be read is left out, with findings."""
    document = Document()
    members = reading.mapping(node, "a scenario", KEYS)
    if members is None:
        return document
    if "name" in members:
        document.name = _name(reading, members["name"])
    else:
        reading.error(node, "the scenario has no name; begin with a line like name: bad-evening")
    if "description" in members:
        document.description = reading.text(members["description"], "description") or ""
    if "seed" in members:
        document.seed = reading.integer(members["seed"], "seed", -SEED_LIMIT, SEED_LIMIT)
    if "clock" in members:
        document.clock = clock(reading, members["clock"])
    if "extends" in members and reading.text(members["extends"], "extends") is not None:
        extends = members["extends"]
        document.extends = extends if isinstance(extends, Scalar) else None
    if "magic_numbers" in members:
        document.magic_numbers = reading.boolean(members["magic_numbers"], "magic_numbers")
    if "providers" in members:
        document.providers = read_accounts(reading, members["providers"], catalogue)
    if "rules" in members:
        document.rules, document.generated = read_rules(reading, members["rules"], catalogue)
    return document


def _name(reading: Diagnostics, node: Node) -> str:
    text = reading.text(node, "name")
    if text is None:
        return ""
    if len(text) > NAME_LIMIT:
        reading.error(node, f"a name has at most {NAME_LIMIT} characters, not {len(text)}")
    elif not _KEBAB.fullmatch(text):
        proposal = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        hint = f"; write {proposal}" if proposal else ""
        reading.error(
            node, f"a name must be small letters, digits and hyphens (kebab-case), not {text!r}{hint}"
        )
    return text
