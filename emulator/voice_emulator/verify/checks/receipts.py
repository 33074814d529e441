"""Receipts as documented: every one must be accepted, whatever the outcome of its call."""

from __future__ import annotations

from voice_emulator.core.vocabulary import Outcome
from voice_emulator.verify.check import Check, check
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

    At NXCloud the body is `success`, at Huawei JSON with `retCode` "0"; HTTP 200 alone is not enough there.
    """
    return Plan([[factory.plain()]], _acknowledged)


@check(
    "prompt-answer", "warning", order="first",
    sends="three plain receipts, one after the other",
    expects="each answered within three seconds",
)  # fmt: skip
def prompt_answer(factory: ReceiptFactory) -> Plan:
    """Providers give up after some seconds and count the receipt as lost.

    A receiver that does all its work before it replies is slow under load, when it matters.
    """
    return Plan([[factory.plain()] for _ in range(3)], prompt)


def _outcome(name: str, outcome: Outcome, receipt: str, why: str) -> Check:
    """The check that the receipt of a call with ``outcome`` is accepted."""

    def plan(factory: ReceiptFactory) -> Plan:
        return Plan([[factory.plain(outcome)]], accepted)

    plan.__doc__ = why
    return check(name, "error", sends=f"the receipt of {receipt}")(plan)


OUTCOMES = tuple(
    _outcome(*each)
    for each in (
        ("answered", Outcome.ANSWERED, "an answered call",
         "The ordinary case: it has talk time, cycles and a price."),
        ("no-answer", Outcome.NO_ANSWER, "an unanswered call",
         "One call in four: no talk time, no cycles, and fields for the times that are empty or absent."),
        ("busy", Outcome.BUSY, "a call to a busy number",
         "The call never rang: times that other receipts have are missing."),
        ("rejected", Outcome.REJECTED, "a call that was declined",
         "It rang and was declined: it has a ringing time and was not answered."),
        ("unreachable", Outcome.UNREACHABLE, "a call to a phone that is off",
         "Causes vary by network; a receiver with a short list of causes fails here."),
        ("invalid-number", Outcome.INVALID_NUMBER, "a call to a number that does not exist",
         "This receipt should take a number off the list; if it is refused, the number is dialled for ever."),
        ("barred", Outcome.BARRED, "a call that the network does not allow",
         "It is rare, and therefore often untested."),
        ("network-failure", Outcome.NETWORK_FAILURE, "a call that the network failed",
         "Neither side hung up: the disposition or direction has an unusual value."),
        ("time-limit", Outcome.TIME_LIMIT, "a call that was cut at its limit",
         "It was answered, billed, and ended by the platform."),
    )
)  # fmt: skip


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
    acknowledgement, prompt_answer, *OUTCOMES, other_operations, older_body,
)  # fmt: skip
