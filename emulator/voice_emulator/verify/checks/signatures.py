"""Signed receipts: good ones must be accepted, bad ones must not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.verify.check import check
from voice_emulator.verify.judging import accepted, last_refused, unchanged_by_last
from voice_emulator.verify.model import Plan, TestPush
from voice_emulator.verify.receipt_factory import ReceiptFactory


def _edited(push: TestPush, change: Callable[[dict[str, Any]], None]) -> TestPush:
    """``push`` with its JSON changed after it was signed."""
    fields = json.loads(push.request.body)
    change(fields)
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    return replace(push, request=replace(push.request, body=body), fields=fields)


@check("good-signature", "error", signed=True, sends="properly signed receipts")
def good_signature(factory: ReceiptFactory) -> Plan:
    """HMAC-SHA256 over the sorted fields, with the key in front, as the page's reference code computes it."""
    return Plan([[factory.plain(), factory.plain(Outcome.BUSY)]], accepted)


@check("signature-over-blanks", "error", signed=True, sends="a signed receipt with a blank inside a value")
def signature_over_blanks(factory: ReceiptFactory) -> Plan:
    """The page's reference code removes every blank from the text before it signs, also inside values. A
    receiver that does not remove them refuses the first such receipt.
    """
    changes = {name: f"{value} a b" for name, value in factory.grading.words.items()}
    changes = {name: value.encode("ascii", "ignore").decode() for name, value in changes.items()}
    return Plan([[factory.push(factory.draft(), changes=changes)]], accepted)


@check("bad-signature", "error", signed=True, sends="a receipt signed with another key", expects="refused")
def bad_signature(factory: ReceiptFactory) -> Plan:
    """Only the signature distinguishes the provider from anyone who knows the URL."""
    return Plan([[factory.push(factory.draft(), ReceiptEffect(bad_signature=True))]], last_refused)


@check(
    "missing-signature",
    "error",
    signed=True,
    sends="a receipt without signature, timestamp and nonce",
    expects="refused",
)
def missing_signature(factory: ReceiptFactory) -> Plan:
    """With a shared key, every receipt to this URL is signed; an unsigned one is forged."""
    return Plan([[factory.push(factory.draft(), signed=False)]], last_refused)


@check(
    "signature-case",
    "error",
    signed=True,
    sends="a receipt whose signature has upper and lower case swapped",
    expects="refused",
)
def signature_case(factory: ReceiptFactory) -> Plan:
    """In base64 `a` and `A` differ. Comparing without case ignores a good part of the signature."""
    name = factory.grading.signature

    def swap(fields: dict[str, Any]) -> None:
        fields[name] = fields[name].swapcase()

    return Plan([[_edited(factory.plain(), swap)]], last_refused)


@check(
    "tampered-body",
    "error",
    signed=True,
    sends="a signed receipt with one field changed afterwards",
    expects="refused",
)
def tampered_body(factory: ReceiptFactory) -> Plan:
    """A signature that does not cover what is read protects nothing."""
    name, _ = factory.grading.cause

    def tamper(fields: dict[str, Any]) -> None:
        fields[name] = "0" if fields.get(name) != "0" else "4"

    return Plan([[_edited(factory.plain(Outcome.NO_ANSWER), tamper)]], last_refused)


@check(
    "stale-timestamp",
    "warning",
    signed=True,
    sends="a receipt properly signed with the time of yesterday",
    expects="refused",
)
def stale_timestamp(factory: ReceiptFactory) -> Plan:
    """Without a limit on its age, a recorded receipt can be replayed for ever. (A few minutes must be allowed:
    the page's own sample is almost two minutes off.)
    """
    return Plan([[factory.push(factory.draft(), ReceiptEffect(stale_timestamp=True))]], last_refused)


@check(
    "replayed-nonce", "warning", signed=True,
    sends="a signed receipt, then one of another call with the same nonce", expects="the second refused",
)  # fmt: skip
def replayed_nonce(factory: ReceiptFactory) -> Plan:
    """A nonce is used once. The same nonce with other contents is a replay."""
    first = factory.plain()
    second = factory.push(factory.draft(Outcome.BUSY), ReceiptEffect(duplicate_nonce=True))
    return Plan([[first], [second]], last_refused)


@check(
    "forgery-not-stored", "error", signed=True, needs_probe=True,
    sends="a good receipt, then a forged one of the same call", expects="the business state stays as it was",
)  # fmt: skip
def forgery_not_stored(factory: ReceiptFactory) -> Plan:
    """Refusing a forged receipt and storing it anyway is as bad as accepting it."""
    draft = factory.draft(Outcome.NO_ANSWER)
    other = factory.draft(Outcome.ANSWERED, id=draft.id)
    forged = factory.push(other, ReceiptEffect(bad_signature=True))
    return Plan([[factory.push(draft)], [forged]], unchanged_by_last)


CHECKS = (
    good_signature, signature_over_blanks, bad_signature, missing_signature, signature_case, tampered_body,
    stale_timestamp, replayed_nonce, forgery_not_stored,
)  # fmt: skip
