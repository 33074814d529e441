"""The ``rules`` of a scenario."""

from __future__ import annotations

import re

from voice_emulator.core.scenario import Rule
from voice_emulator.scenarios.call_section import read_call
from voice_emulator.scenarios.catalogue import Catalogue, Scope
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.match_section import read_match
from voice_emulator.scenarios.nodes import MappingNode, Node
from voice_emulator.scenarios.receipt_section import read_receipt
from voice_emulator.scenarios.reply_section import HIDING, read_fault, read_reply

EFFECTS = ("reply", "fault", "call", "receipt")
KEYS = ("name", "match", "chance", "times", *EFFECTS)
NAME_LIMIT = 200
TIMES_LIMIT = 1_000_000_000
_PERCENT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?) ?%")


def read_rules(reading: Diagnostics, node: Node, catalogue: Catalogue) -> tuple[list[Rule], set[str]]:
    """The rules that could be read, and which of their names were made up here (``rule 3``)."""
    items = reading.listing(node, "rules")
    if items is None:
        return [], set()
    names, generated = _names(reading, items)
    read = [_rule(reading, item, name, catalogue) for item, name in zip(items, names, strict=True)]
    return [rule for rule in read if rule is not None], generated


def _names(reading: Diagnostics, items: list[Node]) -> tuple[list[str], set[str]]:
    given: dict[str, int] = {}
    names: list[str | None] = []
    for item in items:
        node = item.entries.get("name") if isinstance(item, MappingNode) else None
        name = reading.text(node, "the name of a rule") if node is not None else None
        if node is not None and name is not None:
            if len(name) > NAME_LIMIT or not name.isprintable():
                reading.wrong(node, f"the name of a rule is one line of at most {NAME_LIMIT} characters")
            if name in given:
                where = f"; the other stands in line {given[name]}" if given[name] else ""
                reading.wrong(
                    node, f"a second rule is called {name!r}: draws and counters go by the name{where}"
                )
            given.setdefault(name, node.place.line)
        names.append(name)
    generated: set[str] = set()
    complete = []
    for position, name in enumerate(names, 1):
        if name is None:
            name = f"rule {position}"
            while name in given:
                name += " (unnamed)"
            generated.add(name)
        complete.append(name)
    return complete, generated


def _rule(reading: Diagnostics, node: Node, name: str, catalogue: Catalogue) -> Rule | None:
    members = reading.table(node, "a rule", KEYS)
    if members is None:
        return None
    match, scope = read_match(reading, members.get("match"), catalogue)
    chance = _chance(reading, members["chance"]) if "chance" in members else None
    times = reading.integer(members["times"], "times", 1, TIMES_LIMIT) if "times" in members else None
    if not any(effect in members for effect in EFFECTS):
        reading.wrong(node, f"the rule does nothing; it needs one of {', '.join(EFFECTS)}")
        return None
    reply = read_reply(reading, members["reply"], scope) if "reply" in members else None
    fault = read_fault(reading, members["fault"], scope) if "fault" in members else None
    if reply is not None and fault is not None and fault.fault.name in HIDING:
        reading.wrong(
            reading.key_place(node, "reply"),
            f"reply cannot go with fault {fault.fault.name}: nobody would see the reply",
        )
    _places_calls(reading, node, members, scope)
    call = read_call(reading, members["call"], scope) if "call" in members else None
    receipt = read_receipt(reading, members["receipt"], scope) if "receipt" in members else None
    return Rule(name, match, reply, fault, call, receipt, chance, times)


def _places_calls(reading: Diagnostics, node: Node, members: dict[str, Node], scope: Scope) -> None:
    for effect in ("call", "receipt"):
        if effect in members and not scope.places_calls:
            names = ", ".join(sorted(scope.operations or ()))
            reading.wrong(
                reading.key_place(node, effect),
                f"{effect} has no effect here: no calls are placed by {names}",
            )


def _chance(reading: Diagnostics, node: Node) -> float | None:
    text = reading.text(node, "chance")
    if text is None:
        return None
    percent = _PERCENT.fullmatch(text)
    if percent is None:
        try:
            number = float(text)
        except ValueError:
            hint = ""
        else:
            hint = f"; write {number * 100 if 0 < number < 1 else number:g}%" if 0 <= number <= 100 else ""
        reading.wrong(node, f"chance must be a percentage such as 20%, not {text[:40]!r}{hint}")
        return None
    share = float(percent[1]) / 100
    if share > 1:
        reading.wrong(node, f"chance lies between 0% and 100%, not at {text}")
        return None
    return share
