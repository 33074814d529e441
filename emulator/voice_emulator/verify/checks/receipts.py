"""Receipts as the documents have them: whatever its outcome, every one must be taken."""

from __future__ import annotations

from voice_emulator.core.vocabulary import Outcome
from voice_emulator.verify.check import check
from voice_emulator.verify.judging import prompt, taken
from voice_emulator.verify.model import Evidence, Plan
from voice_emulator.verify.receipt_factory import ReceiptFactory


def _acknowledged(evidence: Evidence) -> str | None:
    answer = evidence.answers[0]
    if answer.acknowledged:
        return None
    reason = answer.letter.kind.judge(answer.reply) if answer.reply is not None else answer.trouble
    return f"{reason}; expected {answer.letter.kind.acknowledgement}"


@check(
    "acknowledgement", "error", order="first",
    sends="the plain receipt of an answered call",
    expects="the acknowledgement that the provider's page asks for: status and body",
)  # fmt: skip
def acknowledgement(bench: ReceiptFactory) -> Plan:
    """A provider counts a receipt as received only when the answer is the one its page asks for.

    At NXCloud the body is `success`, at Huawei JSON with `retCode` "0"; HTTP 200 alone is none there.
    """
    return Plan([[bench.plain()]], _acknowledged)


@check(
    "prompt-answer", "warning", order="first",
    sends="three plain receipts, one after the other",
    expects="each answered within three seconds",
)  # fmt: skip
def prompt_answer(bench: ReceiptFactory) -> Plan:
    """Providers give up after some seconds and count the receipt as lost.

    A receiver that does its whole work before it answers is slow when it matters: under load.
    """
    return Plan([[bench.plain()] for _ in range(3)], prompt)


def _outcome(bench: ReceiptFactory, outcome: Outcome) -> Plan:
    return Plan([[bench.plain(outcome)]], taken)


@check("answered", "error", sends="the receipt of an answered call", expects="taken")
def answered(bench: ReceiptFactory) -> Plan:
    """The ordinary case: it carries talk time, cycles and a price."""
    return _outcome(bench, Outcome.ANSWERED)


@check("no-answer", "error", sends="the receipt of a call nobody answered", expects="taken")
def no_answer(bench: ReceiptFactory) -> Plan:
    """One call in four: no talk time, no cycles, and fields for the times that are empty or absent."""
    return _outcome(bench, Outcome.NO_ANSWER)


@check("busy", "error", sends="the receipt of a call to a busy number", expects="taken")
def busy(bench: ReceiptFactory) -> Plan:
    """The call never rang: times that other receipts have are missing."""
    return _outcome(bench, Outcome.BUSY)


@check("rejected", "error", sends="the receipt of a call that was declined", expects="taken")
def rejected(bench: ReceiptFactory) -> Plan:
    """It rang and was declined: a ringing time, but no answer."""
    return _outcome(bench, Outcome.REJECTED)


@check("unreachable", "error", sends="the receipt of a call to a phone that is off", expects="taken")
def unreachable(bench: ReceiptFactory) -> Plan:
    """Causes vary by network; a receiver with a short list of causes trips here."""
    return _outcome(bench, Outcome.UNREACHABLE)


@check(
    "invalid-number", "error", sends="the receipt of a call to a number that does not exist", expects="taken"
)
def invalid_number(bench: ReceiptFactory) -> Plan:
    """The receipt that should take a number off the list; refused, the number is dialled for ever."""
    return _outcome(bench, Outcome.INVALID_NUMBER)


@check("barred", "error", sends="the receipt of a call the network does not allow", expects="taken")
def barred(bench: ReceiptFactory) -> Plan:
    """Rare, and therefore often without a test."""
    return _outcome(bench, Outcome.BARRED)


@check("network-failure", "error", sends="the receipt of a call the network failed", expects="taken")
def network_failure(bench: ReceiptFactory) -> Plan:
    """Nobody is to blame and nobody hung up: the disposition or direction is the odd one."""
    return _outcome(bench, Outcome.NETWORK_FAILURE)


@check("time-limit", "error", sends="the receipt of a call that was cut at its limit", expects="taken")
def time_limit(bench: ReceiptFactory) -> Plan:
    """Answered, billed, and ended by the platform."""
    return _outcome(bench, Outcome.TIME_LIMIT)


@check(
    "other-operations", "error",
    sends="the receipts of answered and unanswered calls that the provider's other operations placed",
    expects="taken",
    applies=lambda grading: bool(grading.others),
)  # fmt: skip
def other_operations(bench: ReceiptFactory) -> Plan:
    """Verification codes and notifications report with other fields than group calls, to the same URL."""
    names = bench.grading.others
    outcomes = (Outcome.ANSWERED, Outcome.NO_ANSWER)
    return Plan([[bench.plain(outcome, operation=name) for name in names for outcome in outcomes]], taken)


@check(
    "older-body", "warning", sends="receipts in an older documented form", expects="taken",
    applies=lambda grading: bool(grading.older),
)  # fmt: skip
def older_body(bench: ReceiptFactory) -> Plan:
    """Older pages of the provider show another set of fields, and some accounts may still get it."""
    outcomes = (Outcome.ANSWERED, Outcome.NO_ANSWER)
    return Plan([[bench.plain(outcome, settings=bench.grading.older) for outcome in outcomes]], taken)


CHECKS = (
    acknowledgement, prompt_answer, answered, no_answer, busy, rejected, unreachable, invalid_number, barred,
    network_failure, time_limit, other_operations, older_body,
)  # fmt: skip
