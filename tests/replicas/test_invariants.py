"""The checks of a cluster's run find what they are for: a good history passes, and each made-up breach is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.replicas.chaos.history import (
    Arrival,
    Books,
    Fault,
    History,
    Outcome,
    Sent,
    TakeOver,
    number,
)
from tests.replicas.chaos.invariants import broken, too_slow

ONE, TWO, TWICE = number(1), number(2), number(3, twice=True)
FAULT = Fault(1000.0, "SIGKILL", "replica-1", ("t00",))
KEY = ("t00", "nxcloud")


def arrival(order: int, dialled: str, at: float = 1100.0, by: str = "replica-2") -> Arrival:
    return Arrival(order, at, by, *KEY, dialled, at + 0.1)


def good() -> tuple[History, Outcome]:
    """Three numbers: one pushed, one uncertain since its owner was killed before the push arrived, one pushed twice."""
    history = History(
        sent=[
            Sent(*KEY, (ONE, TWO), 990.0, "accepted"),
            Sent(*KEY, (TWICE,), 991.0, "unknown"),
        ],
        arrivals=[arrival(0, ONE), arrival(1, TWICE), arrival(2, TWICE)],
        faults=[FAULT],
        take_overs=[TakeOver("t00", FAULT, 3.0, 0.0)],
    )
    fates = {"acknowledged": 2, "uncertain": 1, "pending": 0, "orphan": 0, "dropped": 0}
    outcome = Outcome(
        {KEY: Books(3, fates, balanced=True)},
        {ONE: ["ended"], TWO: ["ended"], TWICE: ["ended"]},
        [("t00", "call-2", 999.9)],
        {"replica-1": (2, 3, True)},
    )
    return history, outcome


def test_checks_let_a_good_run_pass():
    history, outcome = good()
    assert broken(history, outcome) == []
    assert too_slow(history, 3.0) == []


def _uncertain(history: History, outcome: Outcome) -> None:
    """The receipt that arrived long after the fault is uncertain too."""
    outcome.books[KEY] = Books(3, {"acknowledged": 1, "uncertain": 2}, balanced=True)


#: What is done to a good run -> what its breach says.
BREACHES: dict[str, tuple[Callable[[History, Outcome], object], str]] = {
    "doubled push": (
        lambda history, outcome: history.arrivals.append(arrival(3, ONE, by="replica-0")),
        f"number {ONE} of tenant t00 was pushed 2 times: no. 0 from replica-2 at 1100.000, no. 3 from replica-0",
    ),
    "pushed three times where a rule says twice": (
        lambda history, outcome: history.arrivals.append(arrival(3, TWICE)),
        f"number {TWICE} of tenant t00 was pushed 3 times",
    ),
    "lost number": (
        lambda history, outcome: outcome.calls.pop(TWO),
        f"number {TWO} of tenant t00 (nxcloud) was accepted and is lost",
    ),
    "a call that never ends": (
        lambda history, outcome: outcome.calls.update({TWO: ["talking"]}),
        f"number {TWO} of tenant t00 (nxcloud) was accepted and never ended: its call is talking",
    ),
    "called twice": (
        lambda history, outcome: outcome.calls.update({TWICE: ["ended", "ended"]}),
        f"number {TWICE} of tenant t00 (nxcloud) was sent once and called twice",
    ),
    "wrong uncertain": (
        _uncertain,
        "tenant t00 (nxcloud): 2 receipts are uncertain, but 1 never arrived and only 0 were on the wire at a fault",
    ),
    "uncertain without a fault": (
        lambda history, outcome: outcome.uncertain.append(("t00", "call-9", 1200.0)),
        "call call-9 of tenant t00 is uncertain, sent at 1200.000, when there was no fault",
    ),
    "missing, and not uncertain": (
        lambda history, outcome: history.arrivals.pop(0),
        "tenant t00 (nxcloud): 2 receipts never arrived, but only 1 are uncertain",
    ),
    "refused": (
        lambda history, outcome: history.sent.append(Sent(*KEY, (number(9),), 995.0, "refused", "HTTP 403")),
        "a batch of tenant t00 (nxcloud) was refused: HTTP 403",
    ),
    "dialled by nobody": (
        lambda history, outcome: history.arrivals.append(arrival(3, number(9))),
        f"push no. 3 is for number {number(9)}, which nobody dialled",
    ),
    "to another tenant": (
        lambda history, outcome: setattr(history.arrivals[0], "tenant", "t01"),
        f"push no. 0 for number {ONE} of tenant t00 (nxcloud) went to the receiver of t01 (nxcloud)",
    ),
    "pushed, but its call is lost": (
        lambda history, outcome: outcome.calls.pop(TWICE),
        f"push no. 1 is for number {TWICE}, whose call is lost",
    ),
    "an account that does not balance": (
        lambda history, outcome: setattr(
            outcome, "books", {KEY: Books(3, {"acknowledged": 1, "uncertain": 1}, balanced=False)}
        ),
        "tenant t00 (nxcloud) does not balance: 3 accepted",
    ),
    "too few accepted": (
        lambda history, outcome: setattr(
            outcome, "books", {KEY: Books(1, {"acknowledged": 1}, balanced=True)}
        ),
        "tenant t00 (nxcloud) has accepted 1 numbers; its client knows of 2 to 3",
    ),
    "an orphan": (
        lambda history, outcome: setattr(
            outcome, "books", {KEY: Books(3, {"acknowledged": 1, "uncertain": 1, "orphan": 1}, balanced=True)}
        ),
        "tenant t00 (nxcloud) has 1 numbers that are orphan",
    ),
    "forgotten tenant": (
        lambda history, outcome: outcome.books.clear(),
        "tenant t00 (nxcloud) has no books, but 2 of its numbers were accepted",
    ),
    "replicas that disagree": (
        lambda history, outcome: outcome.together.update({"replica-2": (2, 2, True)}),
        "replica-2 sums up 2 accepted numbers of 2 tenants, the tenants' own books 3",
    ),
    "complaint": (
        lambda history, outcome: history.complaints.append("replica-1 printed a traceback"),
        "replica-1 printed a traceback",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_found_and_named(name: str):
    history, outcome = good()
    breach, said = BREACHES[name]
    breach(history, outcome)
    found = broken(history, outcome)
    assert any(sentence.startswith(said) for sentence in found), found


def test_an_uncertain_receipt_that_was_answered_at_a_fault_is_no_breach():
    history, outcome = good()
    _uncertain(history, outcome)
    history.arrivals[0] = arrival(0, ONE, at=999.0)
    assert broken(history, outcome) == []
    history.arrivals[0] = arrival(0, ONE)
    history.lapses.append(1101.0)
    assert broken(history, outcome) == []


def test_slow_take_overs_are_found_and_the_machine_is_not_blamed_on_them():
    history, _ = good()
    history.take_overs.append(TakeOver("t01", FAULT, 5.5, 0.0))
    (said,) = too_slow(history, 3.0)
    assert said.startswith(
        "one take-over in a hundred took 5.50 s or longer (tenant t01, SIGKILL of replica-1)"
    )
    history.take_overs[-1] = TakeOver("t01", FAULT, 5.5, 0.6)
    assert too_slow(history, 3.0) == []
    history.take_overs = [TakeOver("t00", FAULT, 1.0, 0.0)] * 199 + [TakeOver("t01", FAULT, 50.0, 0.0)]
    assert too_slow(history, 3.0) == []
