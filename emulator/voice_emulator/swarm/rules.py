"""Scenarios as this room handles them: rules as plain mappings, joined, and written as canonical YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voice_emulator.core.vocabulary import CONNECTED, MAY_RING, Outcome
from voice_emulator.scenarios.call_section import KEYS as CALL_KEYS
from voice_emulator.scenarios.flow import flow, rule_lines
from voice_emulator.scenarios.receipt_section import BESIDE_LOST, CONFLICTS
from voice_emulator.scenarios.reply_section import FAULT_KEYS

#: Kinds of effect, in the order in which a rule states them.
KINDS = ("call", "receipt", "reply", "fault")
#: Members of ``match`` in the order in which a rule states them.
CONDITIONS = ("provider", "operation", "number", "attempt")
Effect = Mapping[str, Any]
Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario of a run. ``base`` holds what it has besides seed, clock and rules."""

    seed: int
    start: str
    rules: tuple[Rule, ...] = ()
    name: str = "swarm"
    base: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The scenario as YAML, always the same for the same scenario."""
        clock = {"mode": "manual", "start": self.start}
        lines = [f"name: {self.name}", f"seed: {self.seed}", f"clock: {flow(clock)}"]
        lines += [f"{name}: {flow(value)}" for name, value in self.base.items()]
        if self.rules:
            lines.append("rules:")
        for rule in self.rules:
            lines += rule_lines(rule)
        return "\n".join(lines) + "\n"

    def healed(self) -> Scenario:
        """The same without rules: nothing is wrong any more."""
        return replace(self, rules=())


def joined(kind: str, effects: Iterable[Effect]) -> dict[str, Any]:
    """Several effects of one kind as one; a member that contradicts an earlier one is left out."""
    found: dict[str, Any] = {}
    for effect in effects:
        if not found.keys() & effect.keys() - {"outcome"} and _agree(kind, found, effect):
            found |= effect
    order: Sequence[str] = {"call": CALL_KEYS, "fault": FAULT_KEYS}.get(kind, ())
    return dict(sorted(found.items(), key=lambda item: order.index(item[0])) if order else found.items())


def _agree(kind: str, found: Effect, added: Effect) -> bool:
    together = found.keys() | added.keys()
    if kind == "call":
        if found and found.get("outcome") != added.get("outcome"):
            return False
        outcome = Outcome(added["outcome"])
        allowed = {"outcome", "cause"}
        if outcome in CONNECTED:
            allowed |= {"talk", "keys"} | ({"hangup"} if outcome is not Outcome.TIME_LIMIT else set())
        if outcome in MAY_RING:
            allowed.add("ring")
        return together <= allowed
    if kind == "receipt":
        if "lost" in together and not together <= BESIDE_LOST:
            return False
        if any(first in together and second in together for first, second, _ in CONFLICTS):
            return False
        changed = set({**found.get("set", {}), **added.get("set", {})})
        dropped = {*found.get("drop", ()), *added.get("drop", ())}
        return not changed & dropped
    return not found if kind == "reply" else len(together - {"latency", "placed"}) <= 1


def rule_of(match: Mapping[str, Any], effects: Mapping[str, Effect], **more: Any) -> Rule:
    """A rule with its members in the usual order; ``more`` are ``name`` and ``chance``."""
    conditions = {name: match[name] for name in CONDITIONS if name in match}
    rest = {name: value for name, value in match.items() if name not in CONDITIONS}
    rule: dict[str, Any] = {"name": more.pop("name")} if "name" in more else {}
    if conditions or rest:
        rule["match"] = conditions | rest
    rule |= more
    return rule | {kind: dict(effects[kind]) for kind in KINDS if kind in effects}
