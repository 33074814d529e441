"""JSON Schemas of what the control API gives: those of its shapes, pages of them, and what only the page reads."""

from __future__ import annotations

from collections.abc import Mapping

from voice_emulator.core.json_schema import COUNT, TEXT, Json, nullable, ref
from voice_emulator.core.shapes import SHAPES


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


_ANY_OBJECT: Json = {"type": "object", "additionalProperties": True}

#: What the control API gives, by component name.
COMPONENTS: Mapping[str, Json] = {
    **{shape.__name__: shape.schema() for shape in SHAPES},
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
    "Nodes": listing("nodes", "Node"),
    "Scenarios": listing("scenarios", "ShippedScenario"),
    "Tenants": listing("tenants", "Tenant"),
    "Calls": listing("calls", "Call"),
    "Callbacks": listing("callbacks", "Callback"),
    "Pushed": record("The attempts that were made.", callbacks={"type": "array", "items": ref("Callback")}),
    "Violations": listing("violations", "Violation"),
    "Rule": record("A contract rule.", id=TEXT, severity=TEXT, title=TEXT, fix=TEXT),
    "Rules": listing("rules", "Rule"),
    "Entries": listing("entries", "JournalEntry"),
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
    "Waited": record(
        "What there is.", satisfied={"type": "boolean"},
        items={"type": "array", "items": {"anyOf": [ref("Callback"), ref("Call"), ref("JournalEntry")]}},
        next=nullable({**TEXT, "description": "The `after` of a following wait."}),
    ),
    "Anything": _ANY_OBJECT,
}  # fmt: skip
