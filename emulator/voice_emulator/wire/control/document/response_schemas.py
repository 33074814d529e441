"""JSON Schemas of what the control API gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.core.pushes import PushOutcome
from voice_emulator.core.vocabulary import Outcome, Party, State
from voice_emulator.schemas.shorthand import COUNT, TEXT, Json, nullable

TIME: Json = {"type": "string", "format": "date-time"}
MONEY: Json = {"type": "string", "pattern": "^[0-9]+([.][0-9]+)?$"}


def ref(name: str) -> Json:
    """A component schema by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(description: str, /, **members: Json) -> Json:
    """An object that has exactly these members."""
    return {
        "type": "object",
        "description": description,
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }


def listing(plural: str, item: str) -> Json:
    """A page of a list."""
    return record(
        f"A page of {plural}.",
        **{
            plural: {"type": "array", "items": ref(item)},
            "next": nullable({**TEXT, "description": "Cursor of the next page."}),
        },
    )


def words(kind: Any) -> Json:
    """One of an enumeration's words."""
    return {"type": "string", "enum": [member.value for member in kind]}


def headers() -> Json:
    """Header pairs, in order."""
    return {"type": "array", "items": {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}}


#: How the client learnt of a call's end, or how its newest push went.
RECEIPT_WORDS = [*(outcome.value for outcome in PushOutcome), "reconciled", "none"]

_TEXTS: Json = {"type": "array", "items": TEXT}
_ANY_OBJECT: Json = {"type": "object", "additionalProperties": True}

#: What the control API gives, by component name.
COMPONENTS: Mapping[str, Json] = {
    "Problem": {
        "type": "object",
        "description": "A problem document (RFC 9457).",
        "properties": {
            "type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT,
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"pointer": TEXT, "message": TEXT, "line": COUNT, "column": COUNT},
                    "required": ["pointer", "message"],
                },
            },
        },
        "required": ["type", "title", "status", "detail"],
    },
    "Health": record("Both ports serve.", status={"const": "ok"}, version=TEXT, scenario=TEXT, traffic=TEXT),
    "Scenario": record("A shipped scenario.", name=TEXT, description=TEXT),
    "Scenarios": listing("scenarios", "Scenario"),
    "Tenant": record(
        "One customer of all providers at once.",
        id=TEXT, scenario=TEXT, seed={"type": "integer"},
        clock={**TEXT, "description": "real, manual, or a speed such as 60x."},
        now=TIME, callback_urls={"type": "object", "additionalProperties": TEXT},
        credentials={"type": "object", "additionalProperties": _ANY_OBJECT},
        settings={"type": "object", "additionalProperties": _ANY_OBJECT},
    ),
    "Tenants": listing("tenants", "Tenant"),
    "Billing": record(
        "What an ended call costs.",
        cycle=COUNT, cycles=COUNT, unit_price=MONEY, basic_price=MONEY, charge=MONEY,
    ),
    "Moment": record("One point of a call's timeline.", at=TIME, event=TEXT, detail=TEXT),
    "Call": record(
        "One dialled number. What is known only at the end is null before.",
        id=TEXT, provider=TEXT, operation=TEXT, number=TEXT, caller=nullable(TEXT), state=words(State),
        outcome=nullable(words(Outcome)), cause=nullable(TEXT), ended_by=nullable(words(Party)),
        submitted_at=TIME, ring_at=nullable(TIME), answered_at=nullable(TIME), ended_at=nullable(TIME),
        talk_seconds=nullable(COUNT), keys=nullable(TEXT), billing=nullable(ref("Billing")),
        provider_id=nullable(TEXT), batch_id=nullable(TEXT), references=_TEXTS,
        rule=nullable(TEXT),
        receipt={"enum": RECEIPT_WORDS}, timeline={"type": "array", "items": ref("Moment")},
    ),
    "Calls": listing("calls", "Call"),
    "Callback": record(
        "One attempt of a push.",
        id=TEXT, call_id=nullable(TEXT), call_ids=_TEXTS, number=nullable(TEXT), numbers=_TEXTS,
        provider=TEXT, kind=TEXT,
        attempt={"type": "integer", "minimum": 1}, at=TIME, url=nullable(TEXT), method=TEXT,
        headers=headers(), body=TEXT, fields=_ANY_OBJECT, faults=_TEXTS,
        receipts={
            "type": "array", "items": _ANY_OBJECT,
            "description": "The fields of each receipt of a push that carries several; empty where fields is all.",
        },
        outcome=words(PushOutcome), reason=TEXT,
        status=nullable({"type": "integer"}), reply=nullable(TEXT), duration_ms={"type": "number"},
        rule=nullable(TEXT),
    ),
    "Callbacks": listing("callbacks", "Callback"),
    "Pushed": record("The attempts that were made.", callbacks={"type": "array", "items": ref("Callback")}),
    "Violation": record(
        "Where the client under test broke the contract.",
        rule=TEXT, severity={"type": "string", "enum": ["error", "warning"]}, provider=TEXT, operation=TEXT,
        entry=nullable({"type": "integer"}), call_id=nullable(TEXT), message=TEXT, source=TEXT,
        at=nullable(TIME),
    ),
    "Violations": listing("violations", "Violation"),
    "Rule": record("A contract rule.", id=TEXT, severity=TEXT, title=TEXT, fix=TEXT),
    "Rules": listing("rules", "Rule"),
    "Entry": {
        "type": "object",
        "description": "One line of the journal: a request's parts in the entry itself, else under its kind.",
        "properties": {
            "id": {"type": "integer"}, "at": TIME,
            "kind": {"enum": ["request", "callback", "violation", "system"]},
            "provider": nullable(TEXT), "operation": nullable(TEXT), "attributed": {"type": "boolean"},
            "request": _ANY_OBJECT, "reply": nullable(_ANY_OBJECT),
            "violations": {"type": "array", "items": _ANY_OBJECT},
            "rule": _ANY_OBJECT, "fault": nullable(TEXT), "code": nullable(TEXT),
            "refused": {"type": "boolean"}, "duration_ms": {"type": "number"},
            **{name: {"type": "array", "items": TEXT} for name in ("numbers", "calls", "why", "fix", "words")},
            "callback": _ANY_OBJECT, "violation": _ANY_OBJECT,
            "system": _ANY_OBJECT,
        },
        "required": ["id", "kind", "at"],
    },
    "Entries": listing("entries", "Entry"),
    "Advanced": record(
        "What an advance did.",
        now=TIME, fired=COUNT, callbacks={"type": "array", "items": ref("Callback"), "maxItems": 1000},
        complete={"type": "boolean"},
        next_due={**nullable(TIME), "description": "The next thing due, if anything is."},
    ),
    "Difference": record(
        "One thing that did not fit.", place=TEXT, expected=TEXT, actual=TEXT
    ),
    "Verified": record(
        "The verdict.",
        satisfied={"type": "boolean"}, count=COUNT, matched={"type": "array", "items": {"type": "integer"}},
        near_misses={"type": "array", "items": record(
            "A request that came close.", id={"type": "integer"},
            differences={"type": "array", "items": ref("Difference")},
        )},
    ),
    "Offers": record(
        "What test calls can be placed, and the keys of receivers.",
        offers={"type": "array", "items": record(
            "One operation.", provider=TEXT, operation=TEXT, title=TEXT, numbering=TEXT, number_field=TEXT,
            fields=_ANY_OBJECT,
            curl=record(
                "A first call as shell lines, and the credentials that their variables stand for.",
                lines={"type": "array", "items": TEXT},
                variables={"type": "object", "additionalProperties": TEXT},
            ),
        )},
        receivers={"type": "array", "items": TEXT}, traffic=TEXT,
    ),
    "Placed": record(
        "What was sent and came back, and the calls that it placed.",
        exchanges={"type": "array", "items": record(
            "One request.", method=TEXT, path=TEXT, status=nullable({"type": "integer"}),
            reply=nullable(TEXT), error=nullable(TEXT), entry=nullable({"type": "integer"}),
        )},
        calls={"type": "array", "items": TEXT},
    ),
    "Waited": record(
        "What there is.", satisfied={"type": "boolean"},
        items={"type": "array", "items": _ANY_OBJECT},
        next=nullable({**TEXT, "description": "The `after` of a following wait."}),
    ),
    "Anything": _ANY_OBJECT,
}  # fmt: skip
