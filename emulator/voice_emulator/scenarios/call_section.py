"""The ``call`` of a rule: one outcome, or a mix of outcomes by weight."""

from __future__ import annotations

import re

from voice_emulator.core.scenario import CallEffect, CallSpec
from voice_emulator.core.vocabulary import CONNECTED, MAY_RING, Outcome, Party
from voice_emulator.scenarios.catalogue import Scope
from voice_emulator.scenarios.diagnostics import Diagnostics, Members
from voice_emulator.scenarios.durations import distribution
from voice_emulator.scenarios.nodes import Node, Scalar

KEYS = ("outcome", "ring", "talk", "hangup", "keys", "cause")
OUTCOMES = tuple(outcome.value for outcome in Outcome)
PARTIES = (Party.CALLEE.value, Party.CALLER.value)
HEAVIEST = 1_000_000_000
_KEY_PRESSES = re.compile(r"[0-9*#A-D]{1,32}")


def read_call(reading: Diagnostics, node: Node, scope: Scope) -> CallEffect | None:
    """The effect; None after a finding that leaves nothing of it."""
    if isinstance(node, Scalar) and node.text in OUTCOMES:
        reading.error(node, f"call must be a mapping: write {{outcome: {node.text}}}")
        return None
    members = reading.mapping(node, "call", ("mix", "weight", *KEYS))
    if members is None:
        return None
    if members.pop("weight", None):
        members.error("weight", "weight is only for the choices of a mix")
    if "mix" not in members:
        spec = _spec(reading, node, members, scope, 1.0)
        return None if spec is None else CallEffect((spec,))
    for name in members.keys() - {"mix"}:
        members.error(name, f"{name} is not allowed next to mix; put it in each choice")
    return _mix(reading, members["mix"], scope)


def _mix(reading: Diagnostics, node: Node, scope: Scope) -> CallEffect | None:
    items = reading.sequence(node, "mix")
    if items is None:
        return None
    if not items:
        reading.error(node, "mix is an empty list; it needs at least one choice")
        return None
    specs = []
    weights: list[float | None] = []
    for item in items:
        members = reading.mapping(item, "a choice of mix", ("weight", *KEYS))
        if members is None:
            weights.append(None)
            continue
        weight = reading.decimal(members["weight"], "weight", 0, HEAVIEST) if "weight" in members else 1.0
        weights.append(weight)
        spec = _spec(reading, item, members, scope, weight or 0.0)
        if spec is not None:
            specs.append(spec)
    if not any(weight is None or weight > 0 for weight in weights):
        reading.error(node, "all weights of mix are 0; at least one must be positive")
    return CallEffect(tuple(specs)) if specs else None


def _spec(reading: Diagnostics, node: Node, members: Members, scope: Scope, weight: float) -> CallSpec | None:
    ring = members.read("ring", distribution, "ring")
    talk = members.read("talk", distribution, "talk")
    hangup = members.read("hangup", _hangup) or ()
    keys = members.read("keys", _keys)
    cause = members.read("cause", _cause, scope)
    if "outcome" not in members:
        reading.error(node, f"outcome is missing; known are {', '.join(OUTCOMES)}")
        return None
    word = reading.word(members["outcome"], "outcome", OUTCOMES)
    if word is None:
        return None
    outcome = Outcome(word)
    if outcome not in CONNECTED:
        members.exclude(("talk", "hangup", "keys"), outcome, "nobody picks up")
    if outcome is Outcome.TIME_LIMIT:
        members.exclude(("hangup",), outcome, "the limit ends the call")
    if outcome not in MAY_RING:
        members.exclude(("ring",), outcome, "the phone never rings")
    return CallSpec(outcome, ring, talk, hangup, keys or "", cause, weight)


def _hangup(reading: Diagnostics, node: Node) -> tuple[tuple[Party, float], ...]:
    if isinstance(node, Scalar):
        word = reading.word(node, "hangup", PARTIES)
        return () if word is None else ((Party(word), 1.0),)
    members = reading.mapping(node, "hangup", PARTIES)
    if members is None:
        return ()
    weights = {
        name: reading.decimal(member, f"the weight of {name}", 0, HEAVIEST)
        for name, member in members.items()
    }
    if None not in weights.values() and not any(weights.values()):
        reading.error(node, "all weights of hangup are 0; at least one must be positive")
        return ()
    return tuple((Party(name), weight) for name, weight in weights.items() if weight is not None)


def _keys(reading: Diagnostics, node: Node) -> str | None:
    text = reading.text(node, "keys", empty=True)
    if text and not _KEY_PRESSES.fullmatch(text):
        reading.error(node, f"keys are at most 32 of 0-9, *, # and A-D, not {text[:40]!r}")
        return None
    return text


def _cause(reading: Diagnostics, node: Node, scope: Scope) -> str | None:
    text = reading.text(node, "cause")
    if text is None or text in scope.causes:
        return text
    reading.unknown(node, "cause", text, scope.causes, "no provider that this rule can match has it")
    return None
