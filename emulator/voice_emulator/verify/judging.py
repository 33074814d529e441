"""How answers are judged: small judges that checks are put together from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.verify.model import Answer, Evidence, State

#: Members of a call in the business state that a second receipt must leave as they are.
BUSINESS = (
    "answered", "charge", "charged", "cost", "billed", "state", "status", "outcome", "result", "cycles",
    "size", "seconds", "second", "duration", "talk_seconds",
)  # fmt: skip


def taken(evidence: Evidence) -> str | None:
    """Every letter was taken."""
    for position, answer in enumerate(evidence.answers, 1):
        if not evidence.taken(answer):
            which = f"letter {position} of {len(evidence.answers)}: " if len(evidence.answers) > 1 else ""
            return f"{which}not taken: {answer.shown}"
    return None


def last_taken(evidence: Evidence) -> str | None:
    """The letters of the last stage were taken, whatever became of the others."""
    for answer in evidence.stages[-1]:
        if not evidence.taken(answer):
            return f"not taken: {answer.shown}"
    return None


def last_refused(evidence: Evidence) -> str | None:
    """The letters of the last stage were answered, and not taken."""
    for answer in evidence.stages[-1]:
        if evidence.taken(answer):
            return f"taken: {answer.shown}"
        if answer.reply is None:
            return f"neither taken nor refused: {answer.shown}"
    return None


def last_not_taken(evidence: Evidence) -> str | None:
    """The letters of the last stage were not taken; a connection that breaks off is a refusal too."""
    for answer in evidence.stages[-1]:
        if evidence.taken(answer):
            return f"taken: {answer.shown}"
    return None


def answered_politely(evidence: Evidence) -> str | None:
    """Every letter got an answer, and none of them a server's error."""
    for answer in evidence.answers:
        if answer.reply is None:
            return answer.shown
        if answer.reply.status >= 500:
            return f"the receiver failed: {answer.shown}"
    return None


def prompt(evidence: Evidence) -> str | None:
    """No answer took longer than the limit."""
    slowest = max(evidence.answers, key=lambda answer: answer.seconds)
    if slowest.seconds > evidence.slow_after:
        return f"answered after {slowest.seconds:.1f} s; more than {evidence.slow_after:g} s is slow"
    return None


def entry(state: State, id: str) -> Mapping[str, Any] | None:
    """What the business state says of a call, None when it does not know it."""
    found = state.get(id)
    return found if isinstance(found, Mapping) else None


def stored(evidence: Evidence) -> str | None:
    """Every call whose receipt was taken is in the business state afterwards."""
    last = evidence.states[-1] if evidence.states else {}
    missing = [
        answer.letter.id
        for answer in evidence.answers
        if evidence.taken(answer) and answer.letter.id not in last
    ]
    if missing:
        return f"{len(missing)} of {len(evidence.answers)} calls are acknowledged and not stored, such as {missing[0]}"
    return None


def unchanged_by_last(evidence: Evidence) -> str | None:
    """The last stage changed nothing of the business state of its calls."""
    if not evidence.states:
        return None
    before, after = evidence.states[-2], evidence.states[-1]
    for answer in evidence.stages[-1]:
        old, new = entry(before, answer.letter.id), entry(after, answer.letter.id)
        change = difference(old, new)
        if change is not None:
            return f"call {answer.letter.id}: {change}"
    return None


def difference(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str | None:
    """What changed in a call's business state; None when nothing that matters did."""
    if old is None:
        return None if new is None else "it appeared"
    if new is None:
        return "it disappeared"
    names = [name for name in BUSINESS if name in old or name in new] or sorted({*old, *new})
    for name in names:
        if old.get(name) != new.get(name):
            return f"{name} was {old.get(name)!r} and is {new.get(name)!r}"
    return None


def not_answered(evidence: Evidence) -> str | None:
    """The business state does not call an unanswered call answered."""
    last = evidence.states[-1] if evidence.states else {}
    for answer in evidence.answers:
        found = entry(last, answer.letter.id)
        if found is not None and found.get("answered") is True:
            return f"call {answer.letter.id} was not answered, and the business state says it was"
    return None


def shown(answers: list[Answer]) -> str:
    """The answers of a check in a few words."""
    if not answers:
        return "nothing"
    if len(answers) <= 3:
        return "; ".join(answer.shown for answer in answers)
    taken_ones = sum(answer.acknowledged for answer in answers)
    return f"{taken_ones} of {len(answers)} acknowledged; first: {answers[0].shown}"
