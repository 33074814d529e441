"""The ``rules`` of a scenario."""

from __future__ import annotations

import re

from voice_emulator.core.scenario import Rule
from voice_emulator.scenarios.call_section import read_call
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.match_section import read_match
from voice_emulator.scenarios.never_acting import EFFECTS, never_acting
from voice_emulator.scenarios.nodes import MappingNode, Node
from voice_emulator.scenarios.receipt_section import read_receipt
from voice_emulator.scenarios.reply_section import HIDING, read_fault, read_reply

KEYS = ("name", "match", "chance", "times", *EFFECTS)
NAME_LIMIT = 200
TIMES_LIMIT = 1_000_000_000
_PERCENT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?) ?%")


def read_rules(reading: Diagnostics, node: Node, catalogue: Catalogue) -> tuple[list[Rule], set[str]]:
    """The rules that could be read, and which of their names are generated (``rule 3``)."""
    items = reading.sequence(node, "rules")
    if items is None:
        return [], set()
    names, generated = _names(reading, items)
    read = [_rule(reading, item, name, catalogue) for item, name in zip(items, names, strict=True)]
    rules = [rule for rule in read if rule is not None]
    if reading.warns:
        for position, message in never_acting(rules, catalogue):
            reading.warn(items[position], message)
    return rules, generated


def _names(reading: Diagnostics, items: list[Node]) -> tuple[list[str], set[str]]:
    given: dict[str, int] = {}
    names: list[str | None] = []
    for item in items:
        node = item.entries.get("name") if isinstance(item, MappingNode) else None
        name = reading.text(node, "the name of a rule") if node is not None else None
        if node is not None and name is not None:
            if len(name) > NAME_LIMIT or not name.isprintable():
                reading.error(node, f"the name of a rule must be one line of at most {NAME_LIMIT} characters")
            if name in given:
                where = f" (first on line {given[name]})" if given[name] else ""
                reading.error(node, f"duplicate rule name {name!r}{where}")
            given.setdefault(name, node.location.line)
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
    members = reading.mapping(node, "a rule", KEYS)
    if members is None:
        return None
    match, scope = read_match(reading, members.get("match"), catalogue)
    chance = members.read("chance", _chance)
    times = members.read("times", Diagnostics.integer, "times", 1, TIMES_LIMIT)
    if not any(effect in members for effect in EFFECTS):
        reading.error(node, f"the rule does nothing; it needs one of {', '.join(EFFECTS)}")
        return None
    reply = members.read("reply", read_reply, scope)
    fault = members.read("fault", read_fault, scope)
    if reply is not None and fault is not None and fault.fault.name in HIDING:
        members.error(
            "reply", f"reply cannot go with fault {fault.fault.name}: the client would not see the reply"
        )
    if not scope.places_calls:
        for effect in members.keys() & {"call", "receipt"}:
            names = ", ".join(sorted(scope.operations or ()))
            members.error(effect, f"{effect} has no effect here: {names} place no calls")
    call = members.read("call", read_call, scope)
    receipt = members.read("receipt", read_receipt, scope)
    return Rule(name, match, reply, fault, call, receipt, chance, times)


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
        reading.error(node, f"chance must be a percentage such as 20%, not {text[:40]!r}{hint}")
        return None
    share = float(percent[1]) / 100
    if share > 1:
        reading.error(node, f"chance must be between 0% and 100%, not {text}")
        return None
    return share
