"""Waiting and verifying over the control API: long polls that never miss what came before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

from aiohttp import web

from voice_emulator.core import shapes
from voice_emulator.core.journal import Entry
from voice_emulator.core.masking import MASK
from voice_emulator.core.matchers import Difference, Globs, Match, Subject, as_text
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.turns import Turns, at_once
from voice_emulator.core.vocabulary import Outcome, PushOutcome
from voice_emulator.core.words import counted, nearest_word
from voice_emulator.wire.control.calls import attempt_filter, call_filter, glance
from voice_emulator.wire.control.clock import body_duration
from voice_emulator.wire.control.document.request_schemas import COUNTS, LONGEST_WAIT
from voice_emulator.wire.control.long_poll import Collector, NumberedSource, RequestSource, Source
from voice_emulator.wire.control.problems import invalid, wrong
from voice_emulator.wire.control.request import ControlRequest, reply_apart
from voice_emulator.wire.control.views import show_call, show_entry
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.turns import in_turns

EVENTS = {"callbacks": "callback", "calls": "call", "requests": "request"}
#: How each of these can end.
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "callbacks": tuple(word.value for word in PushOutcome if word is not PushOutcome.PENDING),
    "calls": tuple(word.value for word in Outcome),
    "requests": (),
}
NEAR_MISSES = 5
#: Requests looked at for near misses, and numbers of one request compared for the nearest.
EXPLAINED = 1_000
COMPARED = 200
#: Bytes of requests that are held against a verification before others have their turn.
COUNTED = 256 * 1024


async def wait(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/wait``: the first ``count`` of what was asked for, as soon as they are there."""
    tenant, query = request.tenant, request.query
    what = query["for"]
    outcome = query["outcome"]
    if outcome is not None and outcome not in OUTCOMES[what]:
        if not OUTCOMES[what]:
            raise wrong("?outcome", "a request has no outcome; wait for calls or callbacks")
        names = ", ".join(OUTCOMES[what])
        raise wrong(
            "?outcome", f"invalid outcome {outcome!r} of {what}: with for={what} it is one of {names}"
        )
    source, matches, show = _kind_of_wait(request, tenant, what)
    collector = Collector(source, matches, query["count"], tenant)
    satisfied = await request.services.waiters.until(
        tenant, (EVENTS[what],), collector.ready, query["timeout"]
    )
    following = collector.next
    things = collector.things
    return await reply_apart(
        map(weight_of, things),
        lambda: {
            "satisfied": satisfied,
            "items": [show(thing) for thing in things],
            "next": str(following) if following is not None else None,
        },
    )


def weight_of(thing: Any) -> int:
    """Bytes of an entry, an attempt or a call."""
    record = thing.record if isinstance(thing, Entry) else thing
    weight: int = getattr(record, "weight", 0)
    return weight


def _kind_of_wait(
    request: ControlRequest, tenant: Tenant, what: str
) -> tuple[Source, Callable[[Any], bool], Callable[[Any], dict[str, Any]]]:
    after = request.query["after"]
    if what == "callbacks":
        wanted = attempt_filter(request)
        attempts = NumberedSource(tenant, tenant.attempts.after, after)
        return attempts, lambda attempt: wanted(glance(attempt)), lambda attempt: dict(attempt.shown())
    if what == "calls":
        providers = request.runtime.providers
        calls = NumberedSource(tenant, tenant.ledger.ended_after, after)
        return calls, call_filter(request), lambda call: show_call(tenant, providers, call)
    provider, number = request.query["provider"], request.query["number"]

    def fits(entry: Entry) -> bool:
        request = entry.record.request if isinstance(entry.record, RequestRecord) else None
        return (
            request is not None
            and (provider is None or request.provider == provider)
            and (number is None or any(map(number, request.numbers)))
        )

    return RequestSource(tenant, after), fits, show_entry


async def verify(request: ControlRequest) -> web.Response:
    """``POST /v1/tenants/{id}/verify``: whether as many requests came as should have.

    Waits, up to ``within``, only while waiting can still change the verdict.
    """
    tenant, document = request.tenant, request.document
    within = body_duration(document, "within", 0, LONGEST_WAIT)
    given = [name for name in COUNTS if name in document]
    if len(given) > 1:
        raise invalid(
            [(f"/{name}", "give one of exactly, at_least and at_most") for name in given[1:]],
            "the body is invalid",
        )
    count = Count(given[0], document[given[0]]) if given else Count("at_least", 1)
    tally = Tally(tenant, _match(document), count)
    await in_turns(tally.count_all())
    await request.services.waiters.until(tenant, ("request",), tally.decided, within)
    tally.decided()
    satisfied = count.holds(tally.count)
    entries = [] if satisfied else newest_requests(tenant)
    return await reply_apart(
        map(weight_of, entries),
        lambda: shapes.VerifyResult.shown(
            satisfied=satisfied,
            count=tally.count,
            matched=tally.matched[-EXPLAINED:],
            near_misses=near_misses(entries, tally.match),
        ),
    )


@dataclass(frozen=True, slots=True)
class Count:
    """How many there should be; ``kind`` is one of :data:`COUNTS`."""

    kind: str
    wanted: int

    def holds(self, count: int) -> bool:
        """Whether ``count`` is right."""
        if self.kind == "exactly":
            return count == self.wanted
        return count >= self.wanted if self.kind == "at_least" else count <= self.wanted

    def decided(self, count: int) -> bool:
        """Whether more requests cannot change the result."""
        return self.holds(count) or (self.kind != "at_least" and count > self.wanted)


class Tally:
    """Counts the journal's requests that match, each once."""

    def __init__(self, tenant: Tenant, match: Match, count: Count) -> None:
        self.match = match
        self.matched: list[int] = []
        self._tenant = tenant
        self._count = count
        self._position = 0
        self._resets = tenant.resets

    @property
    def count(self) -> int:
        """Matching requests so far."""
        return len(self.matched)

    def decided(self) -> bool:
        """Count what is new; whether the verdict stands."""
        at_once(self.count_all())
        return self._count.decided(self.count)

    def count_all(self) -> Turns[None]:
        """Count what is new; others have their turn in between."""
        tenant = self._tenant
        if tenant.resets != self._resets:
            self._resets = tenant.resets
            self.matched.clear()
        spent = 0
        for entry in list(tenant.journal.after(self._position, "request")):
            self._position = entry.id
            subject = subject_of(entry)
            if subject is None:
                continue
            spent += entry.record.weight if self.match.fields else 100
            if spent > COUNTED:
                spent = 0
                matches = yield partial(self.match.accepts, subject)
            else:
                matches = self.match.accepts(subject)
            if matches and tenant.resets == self._resets:
                self.matched.append(entry.id)


def _match(document: Mapping[str, Any]) -> Match:
    fields = []
    for name, wanted in (document.get("fields") or {}).items():
        fields.append((name, Globs(*map(as_text, wanted if isinstance(wanted, list) else [wanted]))))
    return Match(
        provider=frozenset({document["provider"]}) if "provider" in document else None,
        operation=frozenset({document["operation"]}) if "operation" in document else None,
        number=Globs(document["number"]) if "number" in document else None,
        fields=tuple(fields),
    )


def subject_of(entry: Entry) -> Subject | None:
    """A request entry as rules and verifications see it."""
    if not isinstance(entry.record, RequestRecord):
        return None
    request = entry.record.request
    return Subject(request.provider, entry.record.operation or "", request.numbers, request.fields, 0, 0)


def near_misses(entries: list[Entry], match: Match) -> list[dict[str, Any]]:
    """Those of ``entries`` that miss ``match`` by least, with what differs and the nearest value they have."""
    misses = []
    for entry in entries:
        subject = subject_of(entry)
        differences = match.differences(subject) if subject is not None else []
        if subject is not None and differences:
            misses.append((len(differences), -entry.id, entry, subject, differences))
    misses.sort(key=lambda miss: miss[:2])
    return [
        shapes.NearMiss.shown(
            id=entry.id, differences=[_shown(entry, subject, match, one) for one in differences]
        )
        for _, _, entry, subject, differences in misses[:NEAR_MISSES]
    ]


def newest_requests(tenant: Tenant) -> list[Entry]:
    """The newest requests of a tenant, as many as are looked at for near misses."""
    return [entry for entry in tenant.journal if entry.kind == "request"][-EXPLAINED:]


def _shown(entry: Entry, subject: Subject, match: Match, difference: Difference) -> dict[str, Any]:
    actual = difference.actual
    if difference.place == "number" and match.number is not None and len(subject.numbers) > 1:
        near = _nearest_number(match.number.patterns[0], subject.numbers)
        actual = f"{near!r} is nearest of {counted(len(subject.numbers), 'number')}" if near else actual
    elif difference.place.startswith("fields."):
        name = difference.place.removeprefix("fields.")
        record = entry.record
        if isinstance(record, RequestRecord) and record.masker.is_secret(name):
            found = MASK if name in subject.fields else actual
            return shapes.Difference.shown(place=difference.place, expected=MASK, actual=found)
        if name not in subject.fields:
            near = nearest_word(name, subject.fields)
            actual = f"no such field; nearest is {near!r}" if near else actual
    hide = entry.record.request.tenant.secrets.hide if isinstance(entry.record, RequestRecord) else str
    return shapes.Difference.shown(
        place=difference.place, expected=hide(difference.expected), actual=hide(actual)
    )


def _nearest_number(pattern: str, numbers: Any) -> str | None:
    wanted = pattern.replace("*", "").replace("?", "")
    found = get_close_matches(wanted, numbers[:COMPARED], n=1, cutoff=0.0)
    return found[0] if found else None
