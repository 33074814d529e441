"""The ``reply`` and the ``fault`` of a rule: what the client receives."""

from __future__ import annotations

import re

from voice_emulator.core.faults import FAULTS, NO_FAULT, Fault, FaultEffect, HttpStatus, SlowBody
from voice_emulator.core.scenario import ReplyEffect
from voice_emulator.scenarios.catalogue import Scope
from voice_emulator.scenarios.diagnostics import Diagnostics, Members
from voice_emulator.scenarios.durations import distribution, duration
from voice_emulator.scenarios.nodes import MappingNode, Node, Scalar

REPLY_KEYS = ("error", "status", "headers", "body", "placed")
FAULT_KEYS = ("latency", *FAULTS, "placed")
#: ``placed: part``: of several numbers all but the last are placed, and the reply does not say so.
PART = "part"
#: Faults after which nothing of the rule's own reply can be seen.
HIDING = frozenset({"reset", "hang", "empty", "garbage", "http_status", "html_error", "token_expired"})
SLOW_BODY_KEYS = ("every", "bytes")
STATUS_RANGE = (200, 599)
#: Bytes.
PIECE_LIMIT = 1_000_000
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# The message's framing belongs to the server: a reply that lies about it is a fault, and has its own words.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "content-encoding"})


def read_reply(reading: Diagnostics, node: Node, scope: Scope) -> ReplyEffect | None:
    """The effect; None after a finding that leaves nothing of it."""
    members = reading.mapping(node, "reply", REPLY_KEYS)
    if members is None:
        return None
    error = members.read("error", _error, scope)
    status = members.read("status", Diagnostics.integer, "status", *STATUS_RANGE)
    headers = members.read("headers", _headers) or ()
    body = members.read("body", Diagnostics.text, "body", empty=True)
    placed = _placed(members, scope)
    if "error" in members:
        members.exclude(("status", "headers", "body"), "error", "a reply is one or the other")
    elif not members.keys() & {"status", "headers", "body"}:
        reading.error(node, "reply needs error, or some of status, headers and body")
        return None
    return ReplyEffect(error, status, headers, body, placed)


def _error(reading: Diagnostics, node: Node, scope: Scope) -> str | None:
    text = reading.text(node, "error")
    known = scope.error_names
    if text is None or text in known:
        return text
    if any(text in (error.name, error.code) for provider in scope.providers for error in provider.errors):
        reading.error(node, f"error {text!r} does not occur at the operations that this rule can match")
    else:
        reading.unknown(node, "error", text, known, "no operation that this rule can match has it")
    return None


def _headers(reading: Diagnostics, node: Node) -> tuple[tuple[str, str], ...]:
    members = reading.any_mapping(node, "headers")
    if members is None:
        return ()
    found = []
    for name, member in members.items():
        value = reading.text(member, f"headers.{name}", empty=True)
        if not _HEADER_NAME.fullmatch(name):
            members.error(name, f"{name[:60]!r} cannot be the name of a header")
        elif name.lower() in _FRAMING:
            members.error(
                name, f"the server sets {name} itself; for a broken reply use fault: truncate or empty"
            )
        elif value is not None and not _HEADER_VALUE.fullmatch(value):
            reading.error(member, f"the value of the header {name} has characters that no header may have")
        elif value is not None:
            found.append((name, value))
    return tuple(found)


def _placed(members: Members, scope: Scope, also: str = "") -> bool | None:
    if "placed" in members and not scope.places_calls:
        members.error("placed", "placed has no effect here: no operation of this rule places calls")
    return (also != "" and _in_part(members)) or members.read("placed", Diagnostics.boolean, "placed", also)


def _in_part(members: Members) -> bool:
    """Whether ``placed`` is the word for a batch that is accepted in part."""
    node = members.get("placed")
    return isinstance(node, Scalar) and node.text == PART


def read_fault(reading: Diagnostics, node: Node, scope: Scope) -> FaultEffect | None:
    """The effect, also in its short form ``fault: reset``; None after a finding that leaves nothing of it."""
    if isinstance(node, Scalar):
        return _short_form(reading, node, scope)
    members = reading.mapping(node, "fault", FAULT_KEYS)
    if members is None:
        return None
    latency = members.read("latency", distribution, "latency")
    in_part = _in_part(members)
    placed = _placed(members, scope, PART)
    kinds = [name for name in members if name in FAULTS]
    for name in kinds[1:]:
        members.error(name, f"{name} is the second fault after {kinds[0]}; a rule has one, besides latency")
    faults = [_fault(reading, name, members[name], scope) for name in kinds]
    if not kinds and not in_part and "latency" not in members:
        reading.error(node, f"fault needs latency or one of {', '.join(FAULTS)}, or placed: {PART}")
        return None
    fault = faults[0] if faults else NO_FAULT
    return None if fault is None else FaultEffect(latency, fault, placed, in_part)


def _short_form(reading: Diagnostics, node: Scalar, scope: Scope) -> FaultEffect | None:
    if node.broken:
        return None
    if node.text in ("latency", "http_status"):
        example = "2s" if node.text == "latency" else "503"
        reading.error(node, f"{node.text} needs a value: write {{{node.text}: {example}}}")
        return None
    name = reading.word(node, "fault", FAULTS)
    if name is None:
        return None
    _expiry_known(reading, name, node, scope)
    return FaultEffect(fault=FAULTS[name]())


def _fault(reading: Diagnostics, name: str, node: Node, scope: Scope) -> Fault | None:
    _expiry_known(reading, name, node, scope)
    if name == HttpStatus.name:
        status = reading.integer(node, "http_status", *STATUS_RANGE)
        return None if status is None else HttpStatus(status)
    if name == SlowBody.name and isinstance(node, MappingNode):
        slow = read_slow_body(reading, node)
        return None if slow is None else SlowBody(*slow)
    wanted = reading.boolean(node, name)
    if wanted is False:
        reading.error(node, f"{name}: false has no effect; leave it out")
    return FAULTS[name]() if wanted else None


def _expiry_known(reading: Diagnostics, name: str, node: Node, scope: Scope) -> None:
    if name == "token_expired" and not any(
        provider.token_expired is not None for provider in scope.providers
    ):
        reading.error(node, "token_expired: no provider that this rule can match has tokens that expire")


def read_slow_body(reading: Diagnostics, node: Node) -> tuple[int, int] | None:
    """(microseconds between pieces, bytes of a piece) of ``true`` or ``{every, bytes}``."""
    usual = SlowBody()
    if isinstance(node, Scalar):
        return (usual.every, usual.bytes) if reading.boolean(node, "slow_body") else None
    members = reading.mapping(node, "slow_body", SLOW_BODY_KEYS)
    if members is None:
        return None
    every = members.read("every", duration, "every of slow_body")
    size = members.read("bytes", Diagnostics.integer, "bytes of slow_body", 1, PIECE_LIMIT)
    return usual.every if every is None else every, size or usual.bytes
