"""The families of faults that a seed switches on, each a small value.

A family adds members to one kind of effect (INTERFACE section 5). What it may name - operations, errors, receipt fields,
causes - comes from the installed providers. ``legal`` is whether a provider may really do it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from voice_emulator.core.draws import integer
from voice_emulator.core.scenario import CORRUPTIONS, RETRIES
from voice_emulator.core.vocabulary import CONNECTED, Outcome
from voice_emulator.providers.provider import Provider, ReceiptKind
from voice_emulator.providers.request import Operation
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.receipt_section import ENCODINGS
from voice_emulator.scenarios.reply_section import PART

T = TypeVar("T")
Kind = Literal["call", "receipt", "fault", "reply"]
Effect = dict[str, Any]

#: What operations are for: a fault hits those of one role.
ROLES: Mapping[str, Callable[[Operation], bool]] = {
    "submissions": lambda operation: operation.places_calls,
    "tokens": lambda operation: operation.issues_token,
    "queries": lambda operation: operation.queries_calls,
    "rest": lambda operation: (
        not (operation.places_calls or operation.issues_token or operation.queries_calls)
    ),
}
#: Spans of tenant time, shortest first: "weaker" is an earlier one.
SPANS = ("1s", "10s", "1m", "10m", "2h", "26h")
#: Talk times at the edges of billing cycles, and a long one.
TALKS = ("10s", "1s", "6s", "59s", "60s", "61s", "2m", "40m")
#: Real time: the longest that a request may be slowed down, and how.
SLOWEST = "15s"
DRIBBLE = {"every": "200ms", "bytes": 8}
#: Conditions of the network that look alike to a client, and after which the call may have been placed or not.
GATEWAY_STATUSES = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where a family draws: one provider, the operations in question, and the key of all draws."""

    provider: Provider
    catalogue: Catalogue
    operations: tuple[Operation, ...]
    key: tuple[object, ...]

    def choose(self, choices: Sequence[T], purpose: str) -> T:
        """One of ``choices``, by a keyed draw."""
        return choices[integer(len(choices), *self.key, purpose)]

    @property
    def receipts(self) -> list[ReceiptKind]:
        """The receipts of this provider's calls."""
        names = {name for operation in self.provider.operations.values() for name in operation.receipts
                 if operation.places_calls}  # fmt: skip
        return [kind for name, kind in self.provider.receipts.items() if name in names]


@dataclass(frozen=True, slots=True)
class Family:
    """``draw`` gives the members it adds to an effect, None where the provider has no such thing.

    ``hides`` says that other faults hardly show while it is on, ``slow`` that it costs real time. ``whole`` marks what
    hits all operations of a provider at once. ``weaker`` are values of its first member to try when a failure is
    shrunk, weakest first.
    """

    name: str
    kind: Kind
    draw: Callable[[Drawing], Effect | None]
    legal: bool = True
    hides: bool = False
    slow: bool = False
    whole: bool = False
    roles: tuple[str, ...] = tuple(ROLES)
    weaker: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def _always(**effect: Any) -> Callable[[Drawing], Effect | None]:
    return lambda drawing: dict(effect)


def _span(member: str, *more: tuple[str, Any]) -> Callable[[Drawing], Effect | None]:
    return lambda drawing: {member: drawing.choose(SPANS, member), **dict(more)}


# --- calls ----------------------------------------------------------------------------------------------------------


def _unanswered(drawing: Drawing) -> Effect:
    outcomes = [outcome.value for outcome in Outcome if outcome not in CONNECTED]
    return {"outcome": drawing.choose(outcomes, "outcome")}


def _talk(drawing: Drawing) -> Effect:
    return {"outcome": Outcome.ANSWERED.value, "talk": drawing.choose(TALKS, "talk")}


def _keys(drawing: Drawing) -> Effect:
    return {"outcome": Outcome.ANSWERED.value, "keys": drawing.choose(("1", "2", "12#"), "keys")}


def _cause(drawing: Drawing) -> Effect | None:
    causes = sorted(drawing.provider.causes)
    outcome = Outcome.NETWORK_FAILURE.value
    return {"outcome": outcome, "cause": drawing.choose(causes, "cause")} if causes else None


# --- receipts -------------------------------------------------------------------------------------------------------


def _repeated(drawing: Drawing) -> Effect:
    return {"copies": drawing.choose((2, 2, 3), "copies"), "gap": drawing.choose(SPANS, "gap")}


def _corruption(*kinds: str) -> Callable[[Drawing], Effect | None]:
    def draw(drawing: Drawing) -> Effect | None:
        possible = [kind for kind in kinds if all(kind in receipt.corrupt for receipt in drawing.receipts)]
        return {"corrupt": drawing.choose(possible, "corrupt")} if possible else None

    return draw


def _optional_fields(drawing: Drawing) -> list[str]:
    """Fields that some receipt has and none requires."""
    catalogue = drawing.catalogue
    required = {name for kind in drawing.receipts for name in catalogue.required(kind.schema)}
    every = {name for kind in drawing.receipts for name in catalogue.fields(kind.schema)}
    return sorted(every - required)


def _missing(drawing: Drawing) -> Effect | None:
    optional = _optional_fields(drawing)
    return {"drop": [drawing.choose(optional, "drop")]} if optional else None


def _extra(drawing: Drawing) -> Effect:
    known = {name for kind in drawing.receipts for name in drawing.catalogue.fields(kind.schema)}
    names = [name for name in ("traceId", "sip_code", "x-new") if name not in known]
    return {"add": {drawing.choose(names, "add"): drawing.choose(("1", "", "new"), "value")}}


def _contradicted(drawing: Drawing) -> Effect | None:
    fields = sorted(
        {kind.corrupt["unknown_enum"] for kind in drawing.receipts if "unknown_enum" in kind.corrupt}
    )
    causes = drawing.provider.contract.causes
    if not fields or not causes:
        return None
    changed = {drawing.choose(fields, "field"): drawing.choose(causes, "cause")}
    return {"copies": 2, "gap": drawing.choose(SPANS, "gap"), "repeat_set": changed}


def _altered(drawing: Drawing) -> Effect | None:
    fields = sorted({name for kind in drawing.receipts for name in drawing.catalogue.fields(kind.schema)})
    value = drawing.choose(("", "0", "x", "0" * 300), "value")
    return {"set": {drawing.choose(fields, "field"): value}} if fields else None


def _encoding(drawing: Drawing) -> Effect | None:
    possible = [name for name in ENCODINGS if all(name in kind.encodings for kind in drawing.receipts)]
    return {"encoding": drawing.choose(possible, "encoding")} if possible else None


def _signing(member: str) -> Callable[[Drawing], Effect | None]:
    def draw(drawing: Drawing) -> Effect | None:
        grading = drawing.provider.contract.grading
        return {member: True} if grading is not None and grading.signed else None

    return draw


# --- replies --------------------------------------------------------------------------------------------------------


def _errors(wanted: Callable[[Drawing, frozenset[str]], bool]) -> Callable[[Drawing], Effect | None]:
    """One error, by name, that all these operations can reply with."""

    def draw(drawing: Drawing) -> Effect | None:
        provider = drawing.provider
        possible = [
            error.name
            for error in provider.errors
            if wanted(drawing, frozenset({error.name, error.code}))
            and all(error in provider.errors_of(operation.name) for operation in drawing.operations)
        ]
        names = sorted(set(possible))
        return {"error": drawing.choose(names, "error")} if names else None

    return draw


def _refusing(drawing: Drawing, words: frozenset[str]) -> bool:
    return bool(words & drawing.provider.contract.refusals)


def _limiting(drawing: Drawing, words: frozenset[str]) -> bool:
    return bool(words & drawing.provider.contract.limited) and not _refusing(drawing, words)


def _passing(drawing: Drawing, words: frozenset[str]) -> bool:
    return bool(words & drawing.provider.contract.temporary) and not _refusing(drawing, words)


def _other(drawing: Drawing, words: frozenset[str]) -> bool:
    return not (_limiting(drawing, words) or _passing(drawing, words))


def _token_expired(drawing: Drawing) -> Effect | None:
    uses = drawing.provider.contract.uses_token
    if drawing.provider.token_expired is None or not all(each.name in uses for each in drawing.operations):
        return None
    return {"token_expired": True}


def _status(*more: tuple[str, Any]) -> Callable[[Drawing], Effect | None]:
    return lambda drawing: {"http_status": drawing.choose(GATEWAY_STATUSES, "status"), **dict(more)}


_UNKNOWN_REPLY = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": '{"code": "77"}'}
_PLACING = ("submissions",)

FAMILIES: tuple[Family, ...] = (
    Family("unanswered", "call", _unanswered),
    Family("talk-times", "call", _talk),
    Family("slow-pickup", "call", lambda drawing: {"outcome": Outcome.ANSWERED.value, "ring": "55s"}),
    Family("callee-hangs-up", "call", _always(outcome=Outcome.ANSWERED.value, hangup="callee")),
    Family("time-limit", "call", _always(outcome=Outcome.TIME_LIMIT.value)),
    Family("key-presses", "call", _keys),
    Family("odd-causes", "call", _cause, legal=False),
    Family("lost", "receipt", _always(lost=True)),
    Family("late", "receipt", _span("delay"), weaker={"delay": SPANS}),
    Family("repeated", "receipt", _repeated, weaker={"copies": (2,), "gap": SPANS}),
    Family("early", "receipt", _always(before_reply=True)),
    Family("overtaken", "receipt", lambda drawing: {"hold": drawing.choose((1, 2, 3), "hold")}, weaker={"hold": (1,)}),
    Family("pushed-again", "receipt", lambda drawing: {"retry": drawing.choose(sorted(RETRIES), "retry")}),
    Family("query-lags", "receipt", _span("query_lag"), weaker={"query_lag": SPANS}),
    Family("broken-push", "receipt", _always(reset=True)),
    Family("unknown-cause", "receipt", _corruption("unknown_enum")),
    Family("optional-field-missing", "receipt", _missing),
    Family("extra-field", "receipt", _extra),
    Family("slow-push", "receipt", _always(slow_body=DRIBBLE), slow=True),
    Family("spoiled-field", "receipt", _corruption(*(k for k in CORRUPTIONS if k not in ("unknown_enum", "wrong_id"))),
           legal=False),
    Family("wrong-id", "receipt", _corruption("wrong_id"), legal=False),
    Family("altered-field", "receipt", _altered, legal=False),
    Family("contradicted", "receipt", _contradicted, legal=False),
    Family("other-encoding", "receipt", _encoding, legal=False),
    Family("push-as-text", "receipt", _always(wrong_content_type=True), legal=False),
    Family("forged", "receipt", _signing("bad_signature"), legal=False),
    Family("stale", "receipt", _signing("stale_timestamp"), legal=False),
    Family("replayed", "receipt", _signing("duplicate_nonce"), legal=False),
    Family("reply-lost", "fault", _always(reset=True)),
    Family("reply-cut", "fault", _always(truncate=True)),
    Family("reply-empty", "fault", _always(empty=True)),
    Family("reply-not-json", "fault", _always(invalid_json=True)),
    Family("reply-as-text", "fault", _always(wrong_content_type=True)),
    Family("gateway-error", "fault", _status()),
    Family("gateway-error-after", "fault", _status(("placed", True)), roles=_PLACING),
    Family("accepted-in-part", "fault", _always(placed=PART), roles=_PLACING),
    Family("html-page", "fault", _always(html_error=True)),
    Family("token-dies", "fault", _token_expired),
    Family("not-accepted", "fault", _always(reset=True, placed=False), hides=True, roles=_PLACING),
    Family("outage", "fault", _status(), hides=True, whole=True),
    Family("garbage", "fault", _always(garbage=True), legal=False),
    Family("slow-reply", "fault", lambda drawing: {"latency": drawing.choose(("1s", "4s", SLOWEST), "latency")},
           slow=True, weaker={"latency": ("1s", "4s")}),
    Family("no-reply", "fault", _always(latency=SLOWEST, empty=True), slow=True),
    Family("dribbling-reply", "fault", _always(slow_body=DRIBBLE), slow=True),
    Family("limited", "reply", _errors(_limiting)),
    Family("fails", "reply", _errors(_passing)),
    Family("refuses", "reply", _errors(_other), legal=False),
    Family("unknown-reply", "reply", lambda drawing: dict(_UNKNOWN_REPLY), legal=False),
)  # fmt: skip
