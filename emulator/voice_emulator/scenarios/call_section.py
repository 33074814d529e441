"""The ``call`` of a rule: one outcome, or a mix of outcomes by weight."""

from __future__ import annotations

import re

from voice_emulator.core.scenario import CallEffect, CallSpec
from voice_emulator.core.vocabulary import CONNECTED, MAY_RING, Outcome, Party
from voice_emulator.core.words import nearest
from voice_emulator.scenarios.catalogue import Scope
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.durations import distribution
from voice_emulator.scenarios.nodes import Node, Scalar

KEYS = ("outcome", "ring", "talk", "hangup", "keys", "cause")
OUTCOMES = tuple(outcome.value for outcome in Outcome)
PARTIES = (Party.CALLEE.value, Party.CALLER.value)
HEAVIEST = 1e9
_KEY_PRESSES = re.compile(r"[0-9*#A-D]{1,32}")


def read_call(reading: Diagnostics, node: Node, scope: Scope) -> CallEffect | None:
    """The effect; None after a finding that leaves nothing of it."""
    if isinstance(node, Scalar) and node.text in OUTCOMES:
        reading.wrong(node, f"call must be a mapping: write {{outcome: {node.text}}}")
        return None
    members = reading.table(node, "call", ("mix", "weight", *KEYS))
    if members is None:
        return None
    if members.pop("weight", None) is not None:
        reading.wrong(reading.key_place(node, "weight"), "weight has a meaning only in the choices of a mix")
    if "mix" not in members:
        spec = _spec(reading, node, members, scope, 1.0)
        return None if spec is None else CallEffect((spec,))
    for name in members:
        if name != "mix":
            reading.wrong(
                reading.key_place(node, name), f"{name} stands beside mix; it belongs into its choices"
            )
    return _mix(reading, members["mix"], scope)


def _mix(reading: Diagnostics, node: Node, scope: Scope) -> CallEffect | None:
    items = reading.listing(node, "mix")
    if items is None:
        return None
    if not items:
        reading.wrong(node, "mix is an empty list; it needs at least one choice")
        return None
    specs = []
    weights: list[float | None] = []
    for item in items:
        members = reading.table(item, "a choice of mix", ("weight", *KEYS))
        if members is None:
            weights.append(None)
            continue
        weight = reading.decimal(members["weight"], "weight", 0, HEAVIEST) if "weight" in members else 1.0
        weights.append(weight)
        spec = _spec(reading, item, members, scope, weight or 0.0)
        if spec is not None:
            specs.append(spec)
    if not any(weight is None or weight > 0 for weight in weights):
        reading.wrong(node, "all weights of mix are 0; at least one must be positive")
    return CallEffect(tuple(specs)) if specs else None


def _spec(
    reading: Diagnostics, node: Node, members: dict[str, Node], scope: Scope, weight: float
) -> CallSpec | None:
    ring = distribution(reading, members["ring"], "ring") if "ring" in members else None
    talk = distribution(reading, members["talk"], "talk") if "talk" in members else None
    hangup = _hangup(reading, members["hangup"]) if "hangup" in members else ()
    keys = _keys(reading, members["keys"]) if "keys" in members else None
    cause = _cause(reading, members["cause"], scope) if "cause" in members else None
    if "outcome" not in members:
        reading.wrong(node, f"outcome is missing; known are {', '.join(OUTCOMES)}")
        return None
    word = reading.word(members["outcome"], "outcome", OUTCOMES)
    if word is None:
        return None
    outcome = Outcome(word)
    if outcome not in CONNECTED:
        for name in ("talk", "hangup", "keys"):
            if name in members:
                reading.wrong(
                    reading.key_place(node, name), f"{name} cannot go with {outcome}: nobody picks up"
                )
    elif outcome is Outcome.TIME_LIMIT and "hangup" in members:
        reading.wrong(
            reading.key_place(node, "hangup"), "hangup cannot go with time_limit: the limit ends the call"
        )
    if outcome not in MAY_RING and "ring" in members:
        reading.wrong(
            reading.key_place(node, "ring"), f"ring cannot go with {outcome}: the phone never rings"
        )
    return CallSpec(outcome, ring, talk, hangup, keys or "", cause, weight)


def _hangup(reading: Diagnostics, node: Node) -> tuple[tuple[Party, float], ...]:
    if isinstance(node, Scalar):
        word = reading.word(node, "hangup", PARTIES)
        return () if word is None else ((Party(word), 1.0),)
    members = reading.table(node, "hangup", PARTIES)
    if members is None:
        return ()
    weights = {
        name: reading.decimal(member, f"the weight of {name}", 0, HEAVIEST)
        for name, member in members.items()
    }
    if None not in weights.values() and not any(weights.values()):
        reading.wrong(node, "hangup has no positive weight: one of callee and caller must end the call")
        return ()
    return tuple((Party(name), weight) for name, weight in weights.items() if weight is not None)


def _keys(reading: Diagnostics, node: Node) -> str | None:
    text = reading.text(node, "keys", empty=True)
    if text and not _KEY_PRESSES.fullmatch(text):
        reading.wrong(node, f"keys are at most 32 of 0-9, *, # and A-D, not {text[:40]!r}")
        return None
    return text


def _cause(reading: Diagnostics, node: Node, scope: Scope) -> str | None:
    text = reading.text(node, "cause")
    known = scope.causes
    if text is None or text in known:
        return text
    reading.wrong(
        node,
        f"unknown cause {text[:60]!r}: no provider that this rule can match has it"
        f"{nearest(text[:60], sorted(known))}",
    )
    return None
