"""The ``receipt`` of a rule: how the receipt is delivered, what is wrong with it, how it travels."""

from __future__ import annotations

from collections.abc import Iterable

from voice_emulator.core.distributions import Distribution
from voice_emulator.core.scenario import CORRUPTIONS, RETRIES, ReceiptEffect, Retry
from voice_emulator.core.words import nearest
from voice_emulator.scenarios.catalogue import Scope
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.durations import distribution, duration
from voice_emulator.scenarios.nodes import MappingNode, Node, Scalar
from voice_emulator.scenarios.reply_section import read_slow_body

FLAGS = (
    "lost", "before_reply", "reset", "wrong_content_type", "bad_signature", "stale_timestamp",
    "duplicate_nonce",
)  # fmt: skip
KEYS = (
    "delay", "copies", "gap", "hold", "retry", "query_lag", "set", "repeat_set", "drop", "corrupt",
    "slow_body", "encoding", *FLAGS,
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
#: What still has a meaning beside ``lost``: the call is to be found by the record query.
BESIDE_LOST = frozenset({"lost", "query_lag"})


def read_receipt(reading: Diagnostics, node: Node, scope: Scope) -> ReceiptEffect | None:
    """The effect; None after a finding that leaves nothing of it."""
    members = reading.table(node, "receipt", KEYS)
    if members is None:
        return None
    if not members:
        if isinstance(node, MappingNode) and not node.entries:
            reading.wrong(node, "receipt is empty: it says nothing about the receipt")
        return None

    def flag(name: str) -> bool:
        return name in members and bool(reading.boolean(members[name], name))

    def span(name: str) -> Distribution | None:
        return distribution(reading, members[name], name) if name in members else None

    copies = reading.integer(members["copies"], "copies", 1, COPIES_LIMIT) if "copies" in members else 1
    hold = reading.integer(members["hold"], "hold", 1, HOLD_LIMIT) if "hold" in members else 0
    effect = ReceiptEffect(
        delay=span("delay"),
        copies=copies or 1,
        gap=span("gap"),
        lost=flag("lost"),
        before_reply=flag("before_reply"),
        hold=hold or 0,
        retry=_retry(reading, members["retry"]) if "retry" in members else None,
        query_lag=span("query_lag"),
        set=_set(reading, members["set"], "set", scope) if "set" in members else (),
        repeat_set=_set(reading, members["repeat_set"], "repeat_set", scope)
        if "repeat_set" in members
        else (),
        drop=_drop(reading, members["drop"], scope) if "drop" in members else (),
        corrupt=_corrupt(reading, members["corrupt"], scope) if "corrupt" in members else None,
        reset=flag("reset"),
        slow_body=read_slow_body(reading, members["slow_body"]) if "slow_body" in members else None,
        wrong_content_type=flag("wrong_content_type"),
        encoding=_encoding(reading, members["encoding"], scope) if "encoding" in members else None,
        bad_signature=flag("bad_signature"),
        stale_timestamp=flag("stale_timestamp"),
        duplicate_nonce=flag("duplicate_nonce"),
    )
    _contradictions(reading, node, effect, members)
    for name in ("gap", "repeat_set"):
        if copies == 1 and name in members:
            reading.wrong(
                reading.key_place(node, name),
                f"{name} is about further copies, and there is one only: say copies: 2",
            )
    return effect


def _contradictions(
    reading: Diagnostics, node: Node, effect: ReceiptEffect, members: dict[str, Node]
) -> None:
    if effect.lost:
        for name in [name for name in members if name not in BESIDE_LOST]:
            reading.wrong(
                reading.key_place(node, name), f"{name} cannot go with lost: the receipt is never sent"
            )
        return
    for first, second, reason in CONFLICTS:
        if getattr(effect, first) and second in members:
            reading.wrong(reading.key_place(node, second), f"{second} cannot go with {first}: {reason}")
    for name in effect.drop:
        if name in dict(effect.set):
            reading.wrong(members["drop"], f"{name} is both set and dropped")


def _retry(reading: Diagnostics, node: Node) -> Retry | None:
    if isinstance(node, Scalar):
        word = reading.word(node, "retry", RETRIES)
        return None if word is None else RETRIES[word]
    members = reading.table(node, "retry", ("attempts", "every"))
    if members is None:
        return None
    attempts = (
        reading.integer(members["attempts"], "attempts", 1, ATTEMPTS_LIMIT) if "attempts" in members else None
    )
    every = duration(reading, members["every"], "every of retry") if "every" in members else None
    missing = [name for name in ("attempts", "every") if name not in members]
    if missing:
        reading.wrong(node, f"retry lacks {' and '.join(missing)}")
    if every == 0:
        reading.wrong(members["every"], "every of retry must be more than 0")
    if attempts is None or every is None:
        return None
    return Retry((every,) * (attempts - 1))


def _field_known(reading: Diagnostics, where: Node, place_of: str | None, name: str, scope: Scope) -> None:
    known = scope.receipt_fields
    if name not in known:
        place = reading.key_place(where, place_of) if place_of is not None else where.place
        reading.wrong(
            place,
            f"unknown field {name[:60]!r}: no receipt that this rule can match has it"
            f"{nearest(name[:60], sorted(known))}",
        )


def _set(reading: Diagnostics, node: Node, what: str, scope: Scope) -> tuple[tuple[str, str], ...]:
    members = reading.any_table(node, what)
    if members is None:
        return ()
    if not members:
        reading.wrong(node, f"{what} is empty; leave it out")
    found = []
    for name, member in members.items():
        _field_known(reading, node, name, name, scope)
        value = reading.text(member, f"{what}.{name}", empty=True)
        if value is not None:
            found.append((name, value))
    return tuple(found)


def _drop(reading: Diagnostics, node: Node, scope: Scope) -> tuple[str, ...]:
    found = []
    for item in reading.several(node, "drop"):
        name = reading.text(item, "drop")
        if name is not None:
            _field_known(reading, item, None, name, scope)
            found.append(name)
    return tuple(found)


def _corrupt(reading: Diagnostics, node: Node, scope: Scope) -> str | None:
    word = reading.word(node, "corrupt", CORRUPTIONS)
    possible = {kind for receipt in scope.receipts for kind in receipt.corrupt}
    if word is not None and scope.receipts and word not in possible:
        _impossible(
            reading, node, f"no receipt that this rule can match has a field for corrupt: {word}", possible
        )
        return None
    return word


def _encoding(reading: Diagnostics, node: Node, scope: Scope) -> str | None:
    word = reading.word(node, "encoding", ENCODINGS)
    possible = {encoding for receipt in scope.receipts for encoding in receipt.encodings}
    if word is not None and scope.receipts and word not in possible:
        _impossible(reading, node, f"no receipt that this rule can match travels as {word}", possible)
        return None
    return word


def _impossible(reading: Diagnostics, node: Node, message: str, possible: Iterable[str]) -> None:
    choices = ", ".join(sorted(possible))
    reading.wrong(node, f"{message}; possible are {choices}" if choices else message)
