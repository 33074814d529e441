"""What must be true of a cluster after any faults, each as a function that yields a sentence for each breach."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from tests.replicas.chaos.history import Arrival, History, Outcome, TakeOver, pushes_allowed

#: Seconds in which an owner writes down what a receiver answered, or a push reaches the receiver, on a busy machine.
SLACK = 2.0
#: Take-over: the lease and this many seconds, for all but one in a hundred.
MARGIN = 2.0

Check = Callable[[History, Outcome], Iterator[str]]


def every_accepted_number_ends(history: History, outcome: Outcome) -> Iterator[str]:
    """A number whose request was answered with success has one call, and that has ended."""
    for number, sent in history.numbers("accepted").items():
        states = outcome.calls.get(number, [])
        where = f"number {number} of tenant {sent.tenant} ({sent.provider})"
        if not states:
            yield f"{where} was accepted and is lost: there is no call to it"
        elif len(states) > 1:
            yield f"{where} was sent once and called {len(states)} times"
        elif states != ["ended"]:
            yield f"{where} was accepted and never ended: its call is {states[0]}"
    for number, sent in history.numbers("unknown").items():
        if len(outcome.calls.get(number, [])) > 1:
            yield f"number {number} of tenant {sent.tenant} ({sent.provider}) was sent once and called twice"


def nobody_is_refused(history: History, outcome: Outcome) -> Iterator[str]:
    """A provider's refusal of correct credentials is a bug; a 503 of the emulator's own is not."""
    for sent in history.sent:
        if sent.result == "refused":
            yield f"a batch of tenant {sent.tenant} ({sent.provider}) was refused: {sent.said}"


def no_push_is_doubled(history: History, outcome: Outcome) -> Iterator[str]:
    """At most one push for each number, unless a rule says so."""
    by_number: defaultdict[str, list[Arrival]] = defaultdict(list)
    for arrival in history.arrivals:
        by_number[arrival.number].append(arrival)
    for number, arrivals in by_number.items():
        if len(arrivals) > pushes_allowed(number):
            told = ", ".join(f"no. {each.order} from {each.by} at {each.at:.3f}" for each in arrivals)
            yield f"number {number} of tenant {arrivals[0].tenant} was pushed {len(arrivals)} times: {told}"


def pushes_belong_to_calls(history: History, outcome: Outcome) -> Iterator[str]:
    """Nothing is pushed that nobody dialled, to a receiver that is not its tenant's, or for a call that is lost."""
    dialled = history.numbers("accepted") | history.numbers("unknown")
    for arrival in history.arrivals:
        sent = dialled.get(arrival.number)
        if sent is None:
            yield f"push no. {arrival.order} is for number {arrival.number}, which nobody dialled"
        elif (sent.tenant, sent.provider) != (arrival.tenant, arrival.provider):
            yield (
                f"push no. {arrival.order} for number {arrival.number} of tenant {sent.tenant} ({sent.provider}) "
                f"went to the receiver of {arrival.tenant} ({arrival.provider})"
            )
        elif arrival.number not in outcome.calls:
            yield f"push no. {arrival.order} is for number {arrival.number}, whose call is lost"


def uncertain_was_on_the_wire(history: History, outcome: Outcome) -> Iterator[str]:
    """A receipt is uncertain only if it may have been on the wire at a fault, and only those may be missing.

    Of each tenant and provider as many are uncertain as never arrived, and at most those more that arrived but whose
    answer may not have been written down: they were on the wire within :data:`SLACK` of a fault.
    """
    moments = [fault.at for fault in history.faults] + history.lapses
    arrived: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    doubtful: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for arrival in history.arrivals:
        key = (arrival.tenant, arrival.provider)
        arrived[key].add(arrival.number)
        last = arrival.at if arrival.answered is None else arrival.answered
        if any(arrival.at - SLACK <= moment <= last + SLACK for moment in moments):
            doubtful[key].add(arrival.number)
    for key, books in outcome.books.items():
        who, uncertain = f"tenant {key[0]} ({key[1]})", books.fates.get("uncertain", 0)
        missing = books.accepted - len(arrived[key])
        if missing > uncertain:
            yield f"{who}: {missing} receipts never arrived, but only {uncertain} are uncertain"
        if uncertain > missing + len(doubtful[key]):
            yield (
                f"{who}: {uncertain} receipts are uncertain, but {missing} never arrived and only "
                f"{len(doubtful[key])} were on the wire at a fault"
            )
    for tenant, call, at in outcome.uncertain:
        if not any(at - SLACK <= moment <= at + 2 * SLACK for moment in moments):
            yield f"call {call} of tenant {tenant} is uncertain, sent at {at:.3f}, when there was no fault"


def conservation_balances(history: History, outcome: Outcome) -> Iterator[str]:
    """Every accepted number has one fate, and the replicas count what the clients count."""
    accepted = Counter((each.tenant, each.provider) for each in history.numbers("accepted").values())
    unknown = Counter((each.tenant, each.provider) for each in history.numbers("unknown").values())
    for key in accepted.keys() - outcome.books.keys():
        yield f"tenant {key[0]} ({key[1]}) has no books, but {accepted[key]} of its numbers were accepted"
    for key, books in outcome.books.items():
        who, most = f"tenant {key[0]} ({key[1]})", accepted[key] + unknown[key]
        if not books.balanced or sum(books.fates.values()) != books.accepted:
            yield f"{who} does not balance: {books.accepted} accepted, {books.fates}"
        if not accepted[key] <= books.accepted <= most:
            yield f"{who} has accepted {books.accepted} numbers; its client knows of {accepted[key]} to {most}"
        for fate in ("pending", "orphan", "dropped"):
            if books.fates.get(fate, 0):
                yield f"{who} has {books.fates[fate]} numbers that are {fate}"
    summed = sum(books.accepted for books in outcome.books.values())
    for replica, (tenants, total, balanced) in outcome.together.items():
        if not balanced or total != summed:
            yield f"{replica} sums up {total} accepted numbers of {tenants} tenants, the tenants' own books {summed}"


def nothing_was_complained_about(history: History, outcome: Outcome) -> Iterator[str]:
    """No traceback, no clock that ran back, no unexpected end."""
    yield from history.complaints


CHECKS: tuple[Check, ...] = (
    every_accepted_number_ends, nobody_is_refused, no_push_is_doubled, pushes_belong_to_calls,
    uncertain_was_on_the_wire, conservation_balances, nothing_was_complained_about,
)  # fmt: skip


def broken(history: History, outcome: Outcome) -> list[str]:
    """All breaches."""
    return [sentence for check in CHECKS for sentence in check(history, outcome)]


def percentile(take_overs: list[TakeOver], share: float) -> TakeOver | None:
    """The take-over that ``share`` of all are not slower than, without the time that the machine cost; None of none."""
    ordered = sorted(take_overs, key=lambda each: each.seconds - each.late)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def too_slow(history: History, lease: float) -> list[str]:
    """Whether one take-over in a hundred took longer than the lease and :data:`MARGIN`."""
    slow = percentile(history.take_overs, 0.99)
    if slow is None or slow.seconds - slow.late <= lease + MARGIN:
        return []
    return [
        (
            f"one take-over in a hundred took {slow.seconds - slow.late:.2f} s or longer (tenant {slow.tenant}, {slow.fault.kind} "
            f"of {slow.fault.replica}); at most {lease + MARGIN:g} s are promised"
        )
    ]
