"""The calls of a recording: which push reports which call, and how often and when it came."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.clock import SECOND, ClockSpec
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.vocabulary import CONNECTED, RINGS
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Problem, Request
from voice_emulator.recording.course import BEGIN, Course, Courses
from voice_emulator.recording.exchanges import Exchange, Read, Reader, leaves
from voice_emulator.schemas.fields import fields as fields_of

Codes = tuple[tuple[str, str], ...]
#: The longest ringing that a network allows; what is longer was something else.
LONGEST_RING = 120 * SECOND
_CODE = re.compile("-?[0-9]{1,7}|[a-z]{1,8}")


@dataclass(slots=True)
class Receipt:
    """One receipt of a call: ``pushes`` are all exchanges that carried it, the first one and repeats."""

    kind: str
    fields: Mapping[str, Any]
    pushes: list[Exchange] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class RecordedCall:
    """A number that a request asked to call. ``attempt`` counts the calls that were placed to it, from 1."""

    provider: str
    operation: str
    number: str
    attempt: int
    request: Exchange
    refused: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    receipts: list[Receipt] = field(default_factory=list)


class Calls:
    """Finds the calls of a recording, and tells how they went."""

    def __init__(self, reader: Reader, exchanges: Iterable[Exchange]) -> None:
        self._reader = reader
        self.read = [reader.read(one) for one in exchanges]
        self.calls: list[RecordedCall] = []
        #: Pushes that report no call of the recording.
        self.unmatched: list[Read] = []
        self._errors: dict[tuple[str, str, frozenset[str]], dict[tuple[int, Codes], str]] = {}
        self._by_number: dict[tuple[str, str], list[RecordedCall]] = defaultdict(list)
        self._by_id: dict[tuple[str, str], list[RecordedCall]] = defaultdict(list)
        #: Requests that placed a call of which a receipt came.
        self.reported: set[int] = set()
        # A push may come before the reply to its request: all requests first.
        for one in self.read:
            if not one.exchange.is_push and one.places_calls:
                self._request(one)
        for one in self.read:
            if one.exchange.is_push:
                for receipt in one.receipts:
                    self._push(one, receipt)
        attempts: Counter[tuple[str, str]] = Counter()
        for call in self.calls:
            # A call that a receipt reports was placed, whatever its reply said.
            call.refused = call.refused and not call.receipts
            if not call.refused:
                attempts[call.provider, call.number] += 1
                call.attempt = attempts[call.provider, call.number]

    def _request(self, one: Read) -> None:
        exchange = one.exchange
        refused = self.is_refused(one)
        ids = set(self._ids(f"{exchange.provider}/{one.name}.reply", one.answer))
        for number in one.numbers:
            key = (exchange.provider, number)
            call = RecordedCall(
                exchange.provider, one.name, number, 0, exchange, refused, one.fields, set(ids)
            )
            self.calls.append(call)
            self._by_number[key].append(call)
            for one_id in ids:
                self._by_id[exchange.provider, one_id].append(call)

    def _push(self, one: Read, receipt: Mapping[str, Any]) -> None:
        provider = one.exchange.provider
        call = self._call_of(one, receipt) if one.schema else None
        if call is None:
            self.unmatched.append(one)
            return
        same = next((each for each in call.receipts if self._same(one, each, receipt)), None)
        if same is None:
            same = Receipt(one.name, receipt)
            call.receipts.append(same)
            for one_id in self._ids(one.schema, receipt):
                if one_id not in call.ids:
                    call.ids.add(one_id)
                    self._by_id[provider, one_id].append(call)
        same.pushes.append(one.exchange)
        self.reported.add(id(call.request))

    def _call_of(self, one: Read, receipt: Mapping[str, Any]) -> RecordedCall | None:
        provider = one.exchange.provider
        numbers = [
            str(receipt[name]) for name in self._reader.schemas.get(one.schema).numbers if name in receipt
        ]
        named = [call for number in numbers for call in self._by_number.get((provider, number), ())]
        ids = set(self._ids(one.schema, receipt))
        if numbers:
            fitting = [call for call in named if ids & call.ids]
        else:
            fitting = [call for one_id in ids for call in self._by_id.get((provider, one_id), ())]
        # Without an id in common, the number alone says it: not every reply names the calls that it placed.
        candidates = fitting or named
        again = [call for call in candidates if any(self._same(one, each, receipt) for each in call.receipts)]
        if again:
            return again[-1]
        open_ones = [
            call
            for call in candidates
            if not any(each.kind == one.name for each in call.receipts) and call.request.at <= one.exchange.at
        ]
        # Of several, the one whose own words the receipt repeats: a customer's id, say.
        open_ones.sort(key=lambda call: (call.refused, -_repeated(receipt, call.fields)))
        return next(iter(open_ones), candidates[-1] if candidates else None)

    def _same(self, one: Read, known: Receipt, receipt: Mapping[str, Any]) -> bool:
        """Whether a receipt is the same as a known one; what a signature covers is new in every push."""
        if known.kind != one.name or known.fields.keys() != receipt.keys():
            return False
        changing = self._signed(one.exchange.provider)
        return all(receipt[name] == value for name, value in known.fields.items() if name not in changing)

    @cache  # noqa: B019 - as many entries as there are providers
    def _signed(self, provider: str) -> frozenset[str]:
        grading = self._reader.providers[provider].contract.grading
        if grading is None or not grading.signed:
            return frozenset()
        return frozenset({grading.nonce, grading.signature, "timestamp"})

    def _ids(self, schema: str, value: Any) -> Iterator[str]:
        kinds = self._id_paths(schema)
        for path, leaf in leaves(value):
            if path in kinds and isinstance(leaf, str) and leaf:
                yield leaf

    @cache  # noqa: B019 - as many entries as there are schemas
    def _id_paths(self, schema: str) -> frozenset[str]:
        if schema not in self._reader.schemas:
            return frozenset()
        found = fields_of(self._reader.schemas.get(schema).document)
        return frozenset(path for path, one in found.items() if one.kind == "id" and not one.secret)

    def is_refused(self, one: Read) -> bool:
        """Whether a reply refuses the request: it has no success form, or is none of the provider's replies."""
        return not one.exchange.status or self.error_of(one) is not None or one.answer is None

    def error_of(self, one: Read) -> str | None:
        """The symbolic name of the error in a reply: the one that the provider renders with the same codes."""
        provider = self._reader.providers[one.exchange.provider]
        request = self._reader.request(
            one.exchange.method, one.exchange.target, one.exchange.headers, one.exchange.body
        )
        if request is None or request.operation is None or not isinstance(one.answer, Mapping):
            return None
        # The shape of a refusal depends on which fields a request has.
        key = (provider.id, one.name, frozenset(request.fields))
        if key not in self._errors:
            self._errors[key] = self._rendered_errors(provider, request)
        return self._errors[key].get((one.exchange.status, _codes(one.answer)))

    def _rendered_errors(self, provider: Provider, request: Request) -> dict[tuple[int, Codes], str]:
        tenancy = Tenancy({provider.id: provider}, lambda: BEGIN)
        request.tenant = tenancy.create(
            Scenario("errors"), id="errors", clock=ClockSpec("manual", start=BEGIN)
        )
        request.now = BEGIN
        found: dict[tuple[int, Codes], str] = {}
        for error in provider.errors_of(request.operation_name):
            reply = provider.refuse(request, Problem(error.code, error.text, name=error.name))
            if isinstance(reply.payload, Mapping):
                found.setdefault((reply.status, _codes(reply.payload)), error.name)
        return found


def _repeated(receipt: Mapping[str, Any], fields: Mapping[str, Any]) -> int:
    return sum(str(fields[name]) == str(receipt[name]) for name in fields.keys() & receipt.keys())


def _codes(payload: Mapping[str, Any]) -> Codes:
    """The leaves of a reply that can be codes: small numbers, and words such as ``failed``."""
    found = ((path, str(value)) for path, value in leaves(payload))
    return tuple(sorted(pair for pair in found if _CODE.fullmatch(pair[1])))


def acknowledged(reader: Reader, provider: str, kind: str, push: Exchange) -> bool:
    """Whether the receiver's answer to a push acknowledged it."""
    judge = reader.providers[provider].receipts[kind].judge
    return judge(PushReply(push.status, push.reply_headers, push.reply)) is None


def course_of(reader: Reader, courses: Mapping[str, Courses], call: RecordedCall) -> Course | None:
    """How a recorded call went, from the receipt that says most; None when none does."""
    mine = courses[call.provider]
    ranked = sorted(call.receipts, key=lambda each: -mine.power(call.operation, each.kind))
    for receipt in ranked:
        course = mine.tell(call.operation, receipt.kind, receipt.fields, call.request.at)
        if course is not None:
            return _with_ring(course, receipt.pushes[0].at - call.request.at)
    return None


def _with_ring(course: Course, span: int) -> Course:
    """The course, ringing for all of ``span`` (to the push) where nobody picked up and no field says how long."""
    ringing = course.way.outcome in RINGS - CONNECTED
    if course.ring is not None or not ringing or not 0 < span <= LONGEST_RING:
        return course
    return replace(course, ring=seconds(span))


def seconds(span: int) -> int:
    """Microseconds as the nearest whole seconds."""
    return round(span / SECOND)
