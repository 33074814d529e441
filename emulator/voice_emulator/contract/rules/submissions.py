"""Rules about what a client does after a failed request: repeating, retrying in a tight loop, dialling twice."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from voice_emulator.contract.memory import LostReply, Memory, Recent
from voice_emulator.core.clock import HOUR, SECOND
from voice_emulator.core.vocabulary import Fate
from voice_emulator.providers.contract import When, finding
from voice_emulator.providers.rule_context import RuleContext

#: How long after a lost reply the same number must not be submitted blindly, in tenant time.
BLIND = HOUR
#: How often a request may be repeated unchanged after a refusal that repeating cannot change.
PATIENCE = 2
#: More unsuccessful repetitions than this within :data:`STORM_SPAN` of real time are a storm.
STORM = 5
STORM_SPAN = 1 * SECOND


@finding("repeated-submission", "error", When.PLACED, occasional=True)
def repeated_submission(context: RuleContext) -> Iterator[str]:
    """A submission was repeated after its reply had been lost: the number is dialled twice.

    When a reply does not arrive (a reset, a time-out, half a body, an error page of some proxy), the
    client does not know whether the call was placed. Often it was. Submitting again dials the person a
    second time and pays a second time: the double-dial trap. The finding comes when the reply to a placed
    call was lost and the number is submitted again within an hour, although the client has neither queried
    the records nor received the receipt in between.

    How to fix it: after a lost reply ask the record query first, or wait for the receipt; or use an id
    of your own that the provider accepts only once (`orderid`).
    """
    memory: Memory = context.memory
    provider = context.request.provider
    numbers = context.request.numbers
    for number in dict.fromkeys(numbers):
        lost = memory.lost.get((provider, number))
        if lost is None or lost.operation != context.operation or context.seen.at - lost.at > BLIND:
            continue
        if lost.entry_id != context.seen.entry_id:
            memory.lost.forget((provider, number))
            yield f"request {lost.entry_id} had already placed {number}; its reply was lost ({lost.why})"
    why = context.why_lost
    if why:
        memory.occasions["repeated-submission", provider] += 1
        # A receipt may have come before the reply: then the client knows how the call ended.
        calls = [context.tenant.ledger.get(call_id) for call_id in context.seen.calls]
        told = {call.number for call in calls if call is not None and call.fate is Fate.ACKNOWLEDGED}
        for number in dict.fromkeys(numbers):
            if number in told:
                continue
            memory.lost.put(
                (provider, number), LostReply(context.operation, context.seen.entry_id, context.seen.at, why)
            )


#: HTTP statuses that ask a client to try again later.
PASSING = frozenset({408, 425, 429})


class _Repeats:
    """Unsuccessful requests that were the same byte for byte."""

    __slots__ = ("count", "first_wall", "ignored", "stormed")

    def __init__(self, wall: int) -> None:
        self.count = 0
        self.ignored = 0
        self.first_wall = wall
        self.stormed = False


def _fingerprint(context: RuleContext) -> bytes:
    request = context.request
    told = f"{request.provider} {request.method} {request.path}?{request.raw_query} {context.tokens()}"
    return blake2b(
        request.body, digest_size=16, key=blake2b(told.encode("utf-8", "surrogatepass")).digest()
    ).digest()


@finding("refusal-ignored", "warning", When.REFUSED, occasional=True)
def refusal_ignored(context: RuleContext) -> Iterator[str]:
    """The same request was sent again and again although the refusal cannot change.

    A missing field, a wrong country code, an invalid number: the reply will be the same tomorrow. The finding
    comes with the third time. Refusals that may pass (rate limits, a server error, a pending review) do not
    count, and neither do those that a rule of the scenario made.

    How to fix it: tell permanent refusals from temporary ones by their code, and repeat only the latter.
    """
    reply = context.seen.reply
    passing = context.contract.limited | context.contract.temporary
    if (
        reply is None
        or not reply.refused
        or context.seen.reply_rule is not None
        or context.why_lost
        or context.refused_for(passing)
    ):
        return
    if reply.status >= 500 or reply.status in PASSING:
        return
    repeats = _repeats(context)
    repeats.ignored += 1
    context.memory.occasions["refusal-ignored", context.request.provider] += 1
    if repeats.ignored == PATIENCE + 1:
        yield f"sent {repeats.ignored} times unchanged; the refusal ({reply.code}) is permanent"


@finding("retry-storm", "error", When.REFUSED, occasional=True)
def retry_storm(context: RuleContext) -> Iterator[str]:
    """A failed request was repeated without a pause.

    More than five times within a second of real time, the same request was refused or got no usable reply,
    whether a rule of the scenario caused that or not: the fault is the missing pause. When a gateway is
    overloaded, clients that all do this keep it overloaded; real gateways then block them.

    How to fix it: wait before repeating, longer each time and with jitter, and give up in the end.
    """
    repeats = _repeats(context)
    context.memory.occasions["retry-storm", context.request.provider] += 1
    wall = context.request.wall
    if wall - repeats.first_wall > STORM_SPAN:
        repeats.first_wall, repeats.count, repeats.stormed = wall, 0, False
    repeats.count += 1
    if repeats.count > STORM and not repeats.stormed:
        repeats.stormed = True
        yield f"{repeats.count} unsuccessful repetitions within {STORM_SPAN // SECOND} s"


def _repeats(context: RuleContext) -> _Repeats:
    memory: Memory = context.memory
    known: Recent[bytes, _Repeats] = memory.room("repeats", Recent)
    mark = _fingerprint(context)
    found = known.get(mark) or _Repeats(context.request.wall)
    known.put(mark, found)
    return found


RULES = (repeated_submission, refusal_ignored, retry_storm)
