"""The ``receipt`` of a rule: how the receipt is delivered and encoded, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable

from voice_emulator.core.scenario import CORRUPTIONS, ReceiptEffect, Retry
from voice_emulator.scenarios.catalogue import Scope
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.durations import distribution, duration
from voice_emulator.scenarios.nodes import Location, MappingNode, Node, Scalar
from voice_emulator.scenarios.reply_section import read_slow_body

FLAGS = (
    "lost", "before_reply", "reset", "wrong_content_type", "bad_signature", "stale_timestamp",
    "duplicate_nonce",
)  # fmt: skip
KEYS = (
    "delay", "copies", "gap", "hold", "retry", "query_lag", "set", "repeat_set", "add", "drop",
    "corrupt", "slow_body", "encoding", *FLAGS,
)  # fmt: skip
ENCODINGS = ("query", "form", "json")
COPIES_LIMIT = 1_000
HOLD_LIMIT = 1_000_000
ATTEMPTS_LIMIT = 1_000

#: Two members that contradict each other, and why; reported at the second one.
CONFLICTS = (
    ("before_reply", "hold", "the receipt cannot come first and be overtaken"),
    ("before_reply", "delay", "the receipt cannot come first and late"),
    ("reset", "slow_body", "a push has one transport fault"),
)
#: What is allowed next to ``lost``: the record query still shows the call.
BESIDE_LOST = frozenset({"lost", "query_lag"})


def read_receipt(reading: Diagnostics, node: Node, scope: Scope) -> ReceiptEffect | None:
    """The effect; None after a finding that leaves nothing of it."""
    members = reading.mapping(node, "receipt", KEYS)
    if members is None:
        return None
    if not members:
        if isinstance(node, MappingNode) and not node.entries:
            reading.error(node, "receipt is empty; leave it out")
        return None

    copies = (
        members.read("copies", Diagnostics.integer, "copies", 1, COPIES_LIMIT) if "copies" in members else 1
    )
    effect = ReceiptEffect(
        **{name: bool(members.read(name, Diagnostics.boolean, name)) for name in FLAGS},
        delay=members.read("delay", distribution, "delay"),
        copies=copies or 1,
        gap=members.read("gap", distribution, "gap"),
        hold=members.read("hold", Diagnostics.integer, "hold", 1, HOLD_LIMIT) or 0,
        retry=members.read("retry", _retry, scope),
        query_lag=members.read("query_lag", distribution, "query_lag"),
        set=members.read("set", _set, "set", scope) or (),
        repeat_set=members.read("repeat_set", _set, "repeat_set", scope) or (),
        add=members.read("add", _add, scope) or (),
        drop=members.read("drop", _drop, scope) or (),
        corrupt=members.read("corrupt", _corrupt, scope),
        slow_body=members.read("slow_body", read_slow_body),
        encoding=members.read("encoding", _encoding, scope),
    )
    if effect.lost:
        members.exclude(members.keys() - BESIDE_LOST, "lost", "the receipt is never sent")
        return effect
    for first, second, reason in CONFLICTS:
        if getattr(effect, first):
            members.exclude((second,), first, reason)
    for name in effect.drop:
        if name in dict(effect.set):
            reading.error(members["drop"], f"{name} is both set and dropped")
    if copies == 1:
        for name in members.keys() & {"gap", "repeat_set"}:
            members.error(name, f"{name} is for further copies, and there is only one: write copies: 2")
    return effect


def _retry(reading: Diagnostics, node: Node, scope: Scope) -> Retry | None:
    if isinstance(node, Scalar):
        known = scope.retries
        word = reading.word(node, "retry", known)
        return None if word is None else known[word]
    members = reading.mapping(node, "retry", ("attempts", "every"))
    if members is None:
        return None
    attempts = members.read("attempts", Diagnostics.integer, "attempts", 1, ATTEMPTS_LIMIT)
    every = members.read("every", duration, "every of retry")
    missing = [name for name in ("attempts", "every") if name not in members]
    if missing:
        reading.error(node, f"retry lacks {' and '.join(missing)}")
    if every == 0:
        reading.error(members["every"], "every of retry must be more than 0")
    if attempts is None or every is None:
        return None
    return Retry((every,) * (attempts - 1))


def _check_field(reading: Diagnostics, where: Node | Location, name: str, scope: Scope) -> None:
    if name not in scope.receipt_fields:
        reason = "no receipt that this rule can match has it"
        reading.unknown(where, "field", name, scope.receipt_fields, reason)


def _set(reading: Diagnostics, node: Node, what: str, scope: Scope) -> tuple[tuple[str, str], ...]:
    return _fields(reading, node, what, lambda where, name: _check_field(reading, where, name, scope))


def _add(reading: Diagnostics, node: Node, scope: Scope) -> tuple[tuple[str, str], ...]:
    def check(where: Location, name: str) -> None:
        if not name:
            reading.error(where, "a field of add has no name")
        elif name in scope.receipt_fields:
            reading.error(where, f"add is for fields that no receipt has; write set: {{{name}: ...}}")

    return _fields(reading, node, "add", check)


def _fields(
    reading: Diagnostics, node: Node, what: str, check: Callable[[Location, str], None]
) -> tuple[tuple[str, str], ...]:
    members = reading.any_mapping(node, what)
    if members is None:
        return ()
    if not members:
        reading.error(node, f"{what} is empty; leave it out")
    found = []
    for name, member in members.items():
        check(members.key(name), name)
        value = reading.text(member, f"{what}.{name}", empty=True)
        if value is not None:
            found.append((name, value))
    return tuple(found)


def _drop(reading: Diagnostics, node: Node, scope: Scope) -> tuple[str, ...]:
    found = []
    for item in reading.several(node, "drop"):
        name = reading.text(item, "drop")
        if name is not None:
            _check_field(reading, item, name, scope)
            found.append(name)
    return tuple(found)


def _corrupt(reading: Diagnostics, node: Node, scope: Scope) -> str | None:
    word = reading.word(node, "corrupt", CORRUPTIONS)
    possible = {kind for receipt in scope.receipts for kind in receipt.corrupt}
    return _possible(reading, node, word, scope, possible, "has a field for corrupt:")


def _encoding(reading: Diagnostics, node: Node, scope: Scope) -> str | None:
    word = reading.word(node, "encoding", ENCODINGS)
    possible = {encoding for receipt in scope.receipts for encoding in receipt.encodings}
    return _possible(reading, node, word, scope, possible, "can be encoded as")


def _possible(
    reading: Diagnostics, node: Node, word: str | None, scope: Scope, possible: set[str], verb: str
) -> str | None:
    if word is None or not scope.receipts or word in possible:
        return word
    choices = f"; possible are {', '.join(sorted(possible))}" if possible else ""
    reading.error(node, f"no receipt that this rule can match {verb} {word}{choices}")
    return None
