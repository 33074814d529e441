"""Receipts as the documents have them: whatever its outcome, every one must be accepted."""

from __future__ import annotations

from voice_emulator.core.vocabulary import Outcome
from voice_emulator.verify.check import check
from voice_emulator.verify.judging import accepted, prompt
from voice_emulator.verify.model import Evidence, Failure, Plan
from voice_emulator.verify.receipt_factory import ReceiptFactory


def _acknowledged(evidence: Evidence) -> Failure | None:
    response = evidence.responses[0]
    if response.acknowledged:
        return None
    reason = response.push.kind.judge(response.reply) if response.reply is not None else response.trouble
    return Failure(f"{reason}; expected {response.push.kind.acknowledgement}", response)


@check(
    "acknowledgement", "error", order="first",
    sends="the plain receipt of an answered call",
    expects="the acknowledgement that the provider's page asks for: status and body",
)  # fmt: skip
def acknowledgement(factory: ReceiptFactory) -> Plan:
    """A provider counts a receipt as received only when the reply is the one its page asks for.

    At NXCloud the body is `success`, at Huawei JSON with `retCode` "0"; HTTP 200 alone is none there.
    """
    return Plan([[factory.plain()]], _acknowledged)


@check(
    "prompt-answer", "warning", order="first",
    sends="three plain receipts, one after the other",
    expects="each answered within three seconds",
)  # fmt: skip
def prompt_answer(factory: ReceiptFactory) -> Plan:
    """Providers give up after some seconds and count the receipt as lost.

    A receiver that does its whole work before it replies is slow when it matters: under load.
    """
    return Plan([[factory.plain()] for _ in range(3)], prompt)


def _outcome(factory: ReceiptFactory, outcome: Outcome) -> Plan:
    return Plan([[factory.plain(outcome)]], accepted)


@check("answered", "error", sends="the receipt of an answered call")
def answered(factory: ReceiptFactory) -> Plan:
    """The ordinary case: it carries talk time, cycles and a price."""
    return _outcome(factory, Outcome.ANSWERED)


@check("no-answer", "error", sends="the receipt of a call nobody answered")
def no_answer(factory: ReceiptFactory) -> Plan:
    """One call in four: no talk time, no cycles, and fields for the times that are empty or absent."""
    return _outcome(factory, Outcome.NO_ANSWER)


@check("busy", "error", sends="the receipt of a call to a busy number")
def busy(factory: ReceiptFactory) -> Plan:
    """The call never rang: times that other receipts have are missing."""
    return _outcome(factory, Outcome.BUSY)


@check("rejected", "error", sends="the receipt of a call that was declined")
def rejected(factory: ReceiptFactory) -> Plan:
    """It rang and was declined: a ringing time, but no reply."""
    return _outcome(factory, Outcome.REJECTED)


@check("unreachable", "error", sends="the receipt of a call to a phone that is off")
def unreachable(factory: ReceiptFactory) -> Plan:
    """Causes vary by network; a receiver with a short list of causes trips here."""
    return _outcome(factory, Outcome.UNREACHABLE)


@check("invalid-number", "error", sends="the receipt of a call to a number that does not exist")
def invalid_number(factory: ReceiptFactory) -> Plan:
    """The receipt that should take a number off the list; refused, the number is dialled for ever."""
    return _outcome(factory, Outcome.INVALID_NUMBER)


@check("barred", "error", sends="the receipt of a call the network does not allow")
def barred(factory: ReceiptFactory) -> Plan:
    """Rare, and therefore often without a test."""
    return _outcome(factory, Outcome.BARRED)


@check("network-failure", "error", sends="the receipt of a call the network failed")
def network_failure(factory: ReceiptFactory) -> Plan:
    """Nobody is to blame and nobody hung up: the disposition or direction is the odd one."""
    return _outcome(factory, Outcome.NETWORK_FAILURE)


@check("time-limit", "error", sends="the receipt of a call that was cut at its limit")
def time_limit(factory: ReceiptFactory) -> Plan:
    """Answered, billed, and ended by the platform."""
    return _outcome(factory, Outcome.TIME_LIMIT)


@check(
    "other-operations", "error",
    sends="the receipts of answered and unanswered calls that the provider's other operations placed",
    applies=lambda grading: bool(grading.others),
)  # fmt: skip
def other_operations(factory: ReceiptFactory) -> Plan:
    """Verification codes and notifications report with other fields than group calls, to the same URL."""
    names = factory.grading.others
    outcomes = (Outcome.ANSWERED, Outcome.NO_ANSWER)
    return Plan(
        [[factory.plain(outcome, operation=name) for name in names for outcome in outcomes]], accepted
    )


@check(
    "older-body", "warning", sends="receipts in an older documented form",
    applies=lambda grading: bool(grading.older),
)  # fmt: skip
def older_body(factory: ReceiptFactory) -> Plan:
    """Older pages of the provider show another set of fields, and some accounts may still get it."""
    outcomes = (Outcome.ANSWERED, Outcome.NO_ANSWER)
    return Plan([[factory.plain(outcome, settings=factory.grading.older) for outcome in outcomes]], accepted)


CHECKS = (
    acknowledgement, prompt_answer, answered, no_answer, busy, rejected, unreachable, invalid_number, barred,
    network_failure, time_limit, other_operations, older_body,
)  # fmt: skip
