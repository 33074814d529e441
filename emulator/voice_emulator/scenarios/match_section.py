"""The ``match`` of a rule: what it applies to, and which names the rest of the rule may use."""

from __future__ import annotations

import re

from voice_emulator.core.matchers import Globs, Match, Nth
from voice_emulator.providers.provider import Provider
from voice_emulator.scenarios.catalogue import Catalogue, Scope
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.durations import duration
from voice_emulator.scenarios.nodes import MappingNode, Node, Scalar, SequenceNode

KEYS = ("provider", "operation", "number", "fields", "attempt", "nth", "after", "before")
#: Calls to one number, or arrivals at one rule, that a file may count to.
COUNT_LIMIT = 1_000_000_000
# No dialled number has these: they are meant as a regular expression.
_REGULAR = re.compile(r"[][^$|(){}\\]|\.[*+?]")


def read_match(reading: Diagnostics, node: Node | None, catalogue: Catalogue) -> tuple[Match, Scope]:
    """The matcher, and the scope of the rule; both match everything where the file is wrong."""
    everyone = tuple(catalogue.providers.values())
    if node is None:
        return Match(), Scope(catalogue, everyone)
    members = reading.mapping(node, "match", KEYS)
    if members is None:
        return Match(), Scope(catalogue, everyone)
    if isinstance(node, MappingNode) and not node.entries:
        reading.error(node, "match is empty; leave it out to match everything")
    scope = Scope(catalogue, everyone)
    chosen = operations = None
    if "provider" in members:
        chosen = _words(reading, members["provider"], "provider", list(catalogue.providers))
        scope = Scope(catalogue, tuple(p for p in everyone if p.id in chosen) or everyone)
    if "operation" in members:
        operations = _operations(reading, members["operation"], scope.providers, everyone)
        if operations:
            serving = tuple(p for p in scope.providers if operations & p.operations.keys())
            scope = Scope(catalogue, serving or scope.providers, operations if serving else None)
    match = Match(
        provider=chosen or None,
        operation=operations or None,
        number=members.read("number", _globs, "number"),
        fields=_fields(reading, members["fields"], scope) if "fields" in members else (),
        attempt=members.read("attempt", _counts, "attempt"),
        after=members.read("after", duration, "after"),
        before=members.read("before", duration, "before"),
        nth=members.read("nth", _nth),
    )
    if match.after is not None and match.before is not None and match.before <= match.after:
        reading.error(members["before"], "before is not later than after: nothing can match")
    return match, scope


def _words(reading: Diagnostics, node: Node, what: str, choices: list[str]) -> frozenset[str]:
    found = [reading.word(item, what, choices) for item in reading.several(node, what)]
    return frozenset(word for word in found if word is not None)


def _operations(
    reading: Diagnostics,
    node: Node,
    providers: tuple[Provider, ...],
    everyone: tuple[Provider, ...],
) -> frozenset[str]:
    known = [name for provider in providers for name in provider.operations]
    found = set()
    for item in reading.several(node, "operation"):
        text = reading.text(item, "operation")
        if text is None:
            continue
        owner = next((provider.id for provider in everyone if text in provider.operations), None)
        if text in known:
            found.add(text)
        elif owner is not None:
            reading.error(item, f"{text} is an operation of {owner}, which this rule does not match")
        else:
            reading.word(item, "operation", known)
    return frozenset(found)


def _globs(reading: Diagnostics, node: Node, what: str) -> Globs | None:
    patterns = []
    for item in reading.several(node, what):
        text = reading.text(item, what, empty=what != "number")
        if text is None:
            continue
        if what == "number" and (odd := _REGULAR.search(text)) is not None:
            reading.error(
                item, f"{text[:60]!r} has {odd[0]!r}: a number is a glob, where only * and ? are special"
            )
            continue
        patterns.append(text)
    return Globs(*patterns) if patterns else None


def _fields(reading: Diagnostics, node: Node, scope: Scope) -> tuple[tuple[str, Globs], ...]:
    members = reading.any_mapping(node, "fields")
    if members is None:
        return ()
    if not members:
        reading.error(node, "fields is empty; leave it out")
    known = scope.request_fields
    found = []
    for name, member in members.items():
        if name not in known:
            reason = "no request that this rule can match has it"
            reading.unknown(members.key(name), "field", name, known, reason)
        globs = _globs(reading, member, f"fields.{name}")
        if globs is not None:
            found.append((name, globs))
    return tuple(found)


def _counts(reading: Diagnostics, node: Node, what: str) -> frozenset[int]:
    found = [reading.integer(item, what, 1, COUNT_LIMIT) for item in reading.several(node, what)]
    return frozenset(count for count in found if count is not None)


def _nth(reading: Diagnostics, node: Node) -> Nth | None:
    if isinstance(node, (Scalar, SequenceNode)):
        counts = _counts(reading, node, "nth")
        return Nth(counts) if counts else None
    members = reading.mapping(node, "nth", ("every",))
    if members is None:
        return None
    if "every" not in members:
        reading.error(node, "nth must be a count, a list of counts, or {every: N}")
        return None
    every = reading.integer(members["every"], "every", 1, COUNT_LIMIT)
    return None if every is None else Nth(every=every)
