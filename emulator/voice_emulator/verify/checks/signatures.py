"""Signed receipts: good ones must be taken, bad ones must not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.grading import Grading
from voice_emulator.verify.check import check
from voice_emulator.verify.judging import last_refused, taken, unchanged_by_last
from voice_emulator.verify.model import NotApplicable, Plan, TestPush
from voice_emulator.verify.receipt_factory import ReceiptFactory


def _signs(grading: Grading) -> bool:
    return grading.signed


def _need_key(bench: ReceiptFactory) -> None:
    if not bench.options.shared_key:
        raise NotApplicable("--shared-key is not given, so nothing can be signed")


def _edited(letter: TestPush, change: Callable[[dict[str, Any]], None]) -> TestPush:
    """``letter`` with its JSON changed after it was signed."""
    fields = json.loads(letter.request.body)
    change(fields)
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    return replace(letter, request=replace(letter.request, body=body), fields=fields)


@check("good-signature", "error", applies=_signs, sends="properly signed receipts", expects="taken")
def good_signature(bench: ReceiptFactory) -> Plan:
    """HMAC-SHA256 over the sorted fields, with the key in front, as the page's reference code computes it."""
    _need_key(bench)
    return Plan([[bench.plain(), bench.plain(Outcome.BUSY)]], taken)


@check(
    "signature-over-blanks",
    "error",
    applies=_signs,
    sends="a signed receipt with a blank inside a value",
    expects="taken",
)
def signature_over_blanks(bench: ReceiptFactory) -> Plan:
    """The page's reference code takes every blank out of the text before it signs, also inside values. A
    receiver that does not finds the first such receipt forged.
    """
    _need_key(bench)
    changes = {name: f"{value} a b" for name, value in bench.grading.words.items()}
    changes = {name: value.encode("ascii", "ignore").decode() for name, value in changes.items()}
    return Plan([[bench.letter(bench.draft(), changes=changes)]], taken)


@check("bad-signature", "error", applies=_signs, sends="a receipt signed with another key", expects="refused")
def bad_signature(bench: ReceiptFactory) -> Plan:
    """The signature is the only thing that tells the provider from anybody who knows the URL."""
    _need_key(bench)
    return Plan([[bench.letter(bench.draft(), ReceiptEffect(bad_signature=True))]], last_refused)


@check(
    "missing-signature",
    "error",
    applies=_signs,
    sends="a receipt without signature, timestamp and nonce",
    expects="refused",
)
def missing_signature(bench: ReceiptFactory) -> Plan:
    """With a key configured every receipt to this URL is signed; leaving the signature out must not help."""
    _need_key(bench)
    return Plan([[bench.letter(bench.draft(), signed=False)]], last_refused)


@check(
    "signature-case",
    "error",
    applies=_signs,
    sends="a receipt whose signature has its letters' case swapped",
    expects="refused",
)
def signature_case(bench: ReceiptFactory) -> Plan:
    """Base64 tells `a` from `A`. Comparing without regard to case throws away a good part of the signature."""
    _need_key(bench)
    name = bench.grading.signature

    def swap(fields: dict[str, Any]) -> None:
        fields[name] = fields[name].swapcase()

    return Plan([[_edited(bench.plain(), swap)]], last_refused)


@check(
    "tampered-body",
    "error",
    applies=_signs,
    sends="a signed receipt with one field changed afterwards",
    expects="refused",
)
def tampered_body(bench: ReceiptFactory) -> Plan:
    """A signature that does not cover what is read protects nothing."""
    _need_key(bench)
    name, _ = bench.grading.cause

    def tamper(fields: dict[str, Any]) -> None:
        fields[name] = "0" if fields.get(name) != "0" else "4"

    return Plan([[_edited(bench.plain(Outcome.NO_ANSWER), tamper)]], last_refused)


@check(
    "stale-timestamp",
    "warning",
    applies=_signs,
    sends="a receipt properly signed with the time of yesterday",
    expects="refused",
)
def stale_timestamp(bench: ReceiptFactory) -> Plan:
    """A recorded receipt can be played back for ever if its age is not looked at. (A few minutes must be
    allowed: the page's own sample is almost two minutes off.)
    """
    _need_key(bench)
    return Plan([[bench.letter(bench.draft(), ReceiptEffect(stale_timestamp=True))]], last_refused)


@check(
    "replayed-nonce", "warning", applies=_signs,
    sends="a signed receipt, then one of another call with the same nonce", expects="the second refused",
)  # fmt: skip
def replayed_nonce(bench: ReceiptFactory) -> Plan:
    """A nonce is used once. Seeing it again, with other contents at that, is a sign of somebody at work."""
    _need_key(bench)
    first = bench.plain()
    second = bench.letter(bench.draft(Outcome.BUSY), ReceiptEffect(duplicate_nonce=True))
    return Plan([[first], [second]], last_refused)


@check(
    "forgery-not-stored", "error", applies=_signs, needs_probe=True,
    sends="a good receipt, then a forged one of the same call", expects="the business state stays as it was",
)  # fmt: skip
def forgery_not_stored(bench: ReceiptFactory) -> Plan:
    """Refusing a forged receipt and storing it all the same is as bad as taking it."""
    _need_key(bench)
    draft = bench.draft(Outcome.NO_ANSWER)
    other = bench.draft(Outcome.ANSWERED, id=draft.id)
    forged = bench.letter(other, ReceiptEffect(bad_signature=True))
    return Plan([[bench.letter(draft)], [forged]], unchanged_by_last)


CHECKS = (
    good_signature, signature_over_blanks, bad_signature, missing_signature, signature_case, tampered_body,
    stale_timestamp, replayed_nonce, forgery_not_stored,
)  # fmt: skip
