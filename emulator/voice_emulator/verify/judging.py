"""Judges: small functions over the evidence that checks are put together from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.verify.model import Evidence, Failure, Response, State

#: Members of a call in the business state that a second receipt must leave as they are.
BUSINESS = (
    "answered", "charge", "charged", "cost", "billed", "state", "status", "outcome", "result", "cycles",
    "size", "seconds", "second", "duration", "talk_seconds",
)  # fmt: skip


def accepted(evidence: Evidence) -> Failure | None:
    """Every push was accepted."""
    for position, response in enumerate(evidence.responses, 1):
        if not evidence.accepted(response):
            which = f"push {position} of {len(evidence.responses)}: " if len(evidence.responses) > 1 else ""
            return Failure(f"{which}not accepted: {response.shown}", response)
    return None


def last_refused(evidence: Evidence) -> Failure | None:
    """Each push of the last stage got a reply that does not accept it."""
    for response in evidence.stages[-1]:
        if evidence.accepted(response):
            return Failure(f"accepted: {response.shown}", response)
        if response.reply is None:
            return Failure(f"neither accepted nor refused: {response.shown}", response)
    return None


def last_not_accepted(evidence: Evidence) -> Failure | None:
    """No push of the last stage was accepted; a connection that breaks off is a refusal too."""
    for response in evidence.stages[-1]:
        if evidence.accepted(response):
            return Failure(f"accepted: {response.shown}", response)
    return None


def no_server_error(evidence: Evidence) -> Failure | None:
    """Every push got a reply, and no reply was a server error."""
    for response in evidence.responses:
        if response.reply is None:
            return Failure(response.shown, response)
        if response.reply.status >= 500:
            return Failure(f"the receiver failed: {response.shown}", response)
    return None


def prompt(evidence: Evidence) -> Failure | None:
    """No reply took longer than the limit."""
    slowest = max(evidence.responses, key=lambda response: response.seconds)
    if slowest.seconds <= evidence.slow_after:
        return None
    limit = f"more than {evidence.slow_after:g} s is slow"
    return Failure(f"replied after {slowest.seconds:.1f} s; {limit}", slowest)


def entry(state: State, id: str) -> Mapping[str, Any] | None:
    """What the business state says of a call, None when it does not know it."""
    found = state.get(id)
    return found if isinstance(found, Mapping) else None


def stored(evidence: Evidence) -> Failure | None:
    """Every call whose receipt was accepted is in the business state afterwards."""
    last = evidence.states[-1] if evidence.states else {}
    missing = [each for each in evidence.responses if evidence.accepted(each) and each.push.id not in last]
    if not missing:
        return None
    of = f"{len(missing)} of {len(evidence.responses)}" if len(evidence.responses) > 1 else "the call"
    verb = "are" if len(missing) > 1 else "is"
    return Failure(f"{of} {verb} acknowledged and not stored, such as {missing[0].push.id}", missing[0])


def unchanged_by_last(evidence: Evidence) -> Failure | None:
    """The last stage changed nothing of the business state of its calls."""
    if not evidence.states:
        return None
    before, after = evidence.states[-2], evidence.states[-1]
    for response in evidence.stages[-1]:
        change = difference(entry(before, response.push.id), entry(after, response.push.id))
        if change is not None:
            return Failure(f"call {response.push.id}: {change}", response)
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


def not_answered(evidence: Evidence) -> Failure | None:
    """The business state does not call an unanswered call answered."""
    last = evidence.states[-1] if evidence.states else {}
    for response in evidence.responses:
        call_id = response.push.id
        if (entry(last, call_id) or {}).get("answered") is True:
            return Failure(f"call {call_id} was not answered, and the business state says it was", response)
    return None


def shown(responses: list[Response]) -> str:
    """What came back, in a few words."""
    if not responses:
        return "nothing"
    if len(responses) <= 3:
        return "; ".join(response.shown for response in responses)
    count = sum(response.acknowledged for response in responses)
    return f"{count} of {len(responses)} acknowledged; first: {responses[0].shown}"
