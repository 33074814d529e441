"""Checks that look behind the reply, at the business state the receiver's owner shows (``--probe``)."""

from __future__ import annotations

from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.grading import LateNews
from voice_emulator.verify.check import check
from voice_emulator.verify.checks.delivery import BURST
from voice_emulator.verify.judging import accepted, not_answered, stored, unchanged_by_last
from voice_emulator.verify.model import Evidence, Failure, NotApplicable, Plan
from voice_emulator.verify.receipt_factory import ReceiptFactory


@check(
    "stored", "error", needs_probe=True, sends="a plain receipt", expects="the call is in the business state"
)
def stored_once(factory: ReceiptFactory) -> Plan:
    """Acknowledged means kept. A receiver that replies first and stores afterwards loses what it cannot
    store, and nobody sends it again.
    """
    return Plan([[factory.plain()]], stored)


@check(
    "charged-once", "error", needs_probe=True,
    sends="the same receipt three times", expects="the repeats change nothing",
)  # fmt: skip
def charged_once(factory: ReceiptFactory) -> Plan:
    """The same receipt may come twice; charging, counting or crediting it twice is the classic mistake."""
    draft = factory.draft()
    return Plan(
        [[factory.push(draft)], [factory.push(draft)], [factory.push(draft)]], _repeats_change_nothing
    )


def _repeats_change_nothing(evidence: Evidence) -> Failure | None:
    states = evidence.states or []
    for count in range(3, len(states) + 1):
        pair = Evidence(evidence.stages[: count - 1], evidence.usual, states[:count])
        wrong = unchanged_by_last(pair)
        if wrong is not None:
            return wrong
    return None


@check(
    "unanswered-not-answered", "error", needs_probe=True,
    sends="the receipts of unanswered calls: no talk time",
    expects="the business state does not call them answered",
)  # fmt: skip
def unanswered_not_answered(factory: ReceiptFactory) -> Plan:
    """Talk time 0 is a value too. A receiver that only checks whether the field exists takes every failed call
    for a success, and reports and bills it so.
    """
    return Plan([[factory.plain(outcome) for outcome in (Outcome.NO_ANSWER, Outcome.BUSY)]], not_answered)


@check(
    "burst-stored", "error", needs_probe=True, order="last",
    sends=f"{BURST} receipts at the same time", expects="every one that was acknowledged is in the business state",
)  # fmt: skip
def burst_stored(factory: ReceiptFactory) -> Plan:
    """Races show under load: two receipts read and write the same row, and one is lost."""
    return Plan([[factory.plain() for _ in range(BURST)]], stored)


def _news(factory: ReceiptFactory) -> LateNews:
    news = factory.grading.news
    if news is None:
        raise NotApplicable("this provider pushes nothing before the end of a call")
    return news


@check(
    "late-news-ignored", "error", applies=lambda grading: grading.news is not None, needs_probe=True,
    sends="the record of an ended agent call, then the state that it is going on",
    expects="accepted, and the call stays ended in the business state",
)  # fmt: skip
def late_news_ignored(factory: ReceiptFactory) -> Plan:
    """States of a call arrive out of order. An earlier state must not overwrite that the call has ended."""
    news = _news(factory)
    draft = factory.draft(operation=news.operation)
    late = factory.news(draft, news.late)

    def judge(evidence: Evidence) -> Failure | None:
        first = evidence.stages[0][0]
        if not first.acknowledged:
            return Failure(f"the record was not acknowledged: {first.shown}", first)
        return unchanged_by_last(evidence)

    return Plan([[factory.push(draft)], [factory.push(late)]], judge)


@check(
    "agent-record", "error", applies=lambda grading: grading.news is not None,
    sends="the records of an answered and of an unanswered agent call", expects="accepted, with HTTP 200",
)  # fmt: skip
def agent_record(factory: ReceiptFactory) -> Plan:
    """The agent family pushes JSON, not fields in the query string, and expects HTTP 200."""
    news = _news(factory)
    outcomes = (Outcome.ANSWERED, Outcome.NO_ANSWER)
    pushes = [factory.push(factory.draft(outcome, operation=news.operation)) for outcome in outcomes]
    return Plan([pushes], accepted)


CHECKS = (
    stored_once, charged_once, unanswered_not_answered, burst_stored, late_news_ignored, agent_record,
)  # fmt: skip
