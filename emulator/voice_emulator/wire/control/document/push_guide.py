"""What ``/llms.txt`` says of a provider's pushes: a real one of each kind, and how to read and acknowledge it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.calls import Call
from voice_emulator.core.vocabulary import Outcome, Party
from voice_emulator.providers.examples import SAMPLE_NUMBER
from voice_emulator.providers.provider import Provider, PushRequest, ReceiptKind
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.control.document.rehearsal import RECEIVER, Played, Rehearsal, leaves

#: Characters of a value that is found again in a receipt by more than chance.
_TELLING = 8


def push_lines(
    rehearsal: Rehearsal, schemas: SchemaSet, kind: ReceiptKind, before: dict[tuple[str, ...], str]
) -> Iterator[str]:
    """One kind of push; ``before`` is what was said of earlier ones, with their names: it is not said twice."""
    schema = schemas.get(kind.schema)
    place = f"Push `{kind.name}` ({kind.title}) goes to `callback_urls.{kind.url_key}`"
    operation = rehearsal.pushed.get(kind.name)
    played = rehearsal.play(operation) if operation is not None else None
    if played is None:
        yield f"{place}. Not by default: {schema.document.get('description', '')}\n"
        return
    fields, sent = played.pushes[kind.name]
    if sent.url.startswith(RECEIVER):
        place = f"Push `{kind.name}` ({kind.title}) goes to the URL in the request"
    setting = getattr(kind.encode, "setting", "")
    yield f"{place} as {sent.method}, {_way(sent)}" + (
        f" (see the setting `{setting}`)." * bool(setting) or "."
    )
    unread = kind.judge(PushReply(200, (), b"-")) is None
    body = "any body, which is not read" if unread else kind.accepted_body or kind.acknowledgement
    yield f"Acknowledge it with HTTP 200 and: {body}"
    if played.call is None:
        yield f"After `{played.request.operation_name}`: {as_json(fields)}\n"
        return
    yield f"Of an answered call, 3 s ringing and 10 s talk: {as_json(fields)}"
    units = [
        f"`{name}`: {member['description']}"
        for name, member in schema.document.get("properties", {}).items()
        if name in fields and "seconds" in member.get("description", "")
    ]
    told = (
        *_outcomes(rehearsal, kind, played),
        *_correlation(kind, played),
        *([" ".join(units)] if units else []),
    )
    known = before.setdefault(told, kind.name)
    yield ("\n".join(told) if known == kind.name else f"Outcomes, ids and units are as for `{known}`.") + "\n"


def _way(sent: PushRequest) -> str:
    kind = dict(sent.headers).get("Content-Type", "")
    return "in the query string" if not sent.body else "as JSON" if "json" in kind else "as a form"


def _outcomes(rehearsal: Rehearsal, kind: ReceiptKind, answered: Played) -> Iterator[str]:
    """How each outcome shows: the field with the cause, and the fields that only an answered call has."""
    operation = rehearsal.pushed[kind.name]
    seen: dict[Outcome, tuple[Call | None, Mapping[str, Any]]] = {}
    for outcome in Outcome:
        play = rehearsal.play(operation, outcome)
        if play is not None and kind.name in play.pushes:
            seen[outcome] = (play.call, play.pushes[kind.name][0])
    name = _cause_field(rehearsal.provider, kind, seen.values())
    if name:
        codes = [f"{outcome.value} {fields.get(name)}" for outcome, (_, fields) in seen.items()]
        by_callee = rehearsal.play(operation, Outcome.ANSWERED, Party.CALLEE)
        other = by_callee.pushes[kind.name][0].get(name) if by_callee is not None else None
        if other != answered.pushes[kind.name][0].get(name):
            codes[0] += f" ({other} if the called party hangs up)"
        yield f"Outcomes in `{name}`: {', '.join(codes)}"
    _, busy = seen.get(Outcome.BUSY, (None, answered.pushes[kind.name][0]))
    missing = [name for name in answered.pushes[kind.name][0] if name not in busy]
    if missing:
        yield f"That of a busy line has no {', '.join(missing)}"


def _cause_field(
    provider: Provider, kind: ReceiptKind, seen: Iterable[tuple[Call | None, Mapping[str, Any]]]
) -> str:
    """The field that says how a call ended: that of the cause, else that of the codes a receiver may not know."""
    shown = [(provider.cause_of(call), fields) for call, fields in seen if call is not None]
    names = shown[0][1] if shown else ()
    exact = [name for name in names if all(str(fields.get(name)) == cause for cause, fields in shown)]
    return exact[0] if exact else kind.corrupt.get("unknown_enum", "")


def _correlation(kind: ReceiptKind, played: Played) -> Iterator[str]:
    """Which values of reply and request come back in the receipt, and what repeats of it have in common."""
    fields = played.pushes[kind.name][0]
    replied = [
        f"`{place}` of the reply is `{name}`"
        for place, value in leaves(played.reply.payload)
        for name, pushed in fields.items()
        if str(value) == str(pushed) and len(str(value)) >= _TELLING
    ]
    returned = [
        f"`{name}`" if name == pushed else f"`{name}` as `{pushed}`"
        for name, value in played.request.fields.items()
        for pushed, found in fields.items()
        if value == found and (_plain(name) == _plain(pushed) or value == SAMPLE_NUMBER)
    ]
    same = [
        name
        for name in (
            kind.corrupt.get("wrong_id"),
            *(name for name, value in fields.items() if value == SAMPLE_NUMBER),
        )
        if name in fields
    ]
    parts = [
        ", ".join(replied) or "The reply has no id of the call",
        f"what comes back of the request: {', '.join(returned)}" if returned else "",
        f"repeats of a receipt have the same {' and '.join(f'`{name}`' for name in same)}" if same else "",
    ]
    yield "; ".join(part for part in parts if part)


def shared_receivers(rehearsal: Rehearsal, schemas: SchemaSet) -> Iterator[str]:
    """How to tell apart what comes to one URL by default."""
    kinds = [rehearsal.provider.receipts[name] for name in rehearsal.pushed]
    for key in rehearsal.provider.url_keys:
        here = [kind for kind in kinds if kind.url_key == key]
        told = [f"`{kind.name}` has {mark}" for kind in here if (mark := _mark(kind, here, schemas))]
        if len(told) > 1:
            yield (
                f"One receiver may get several kinds, each to be acknowledged as above: {', '.join(told)}\n"
            )


def _mark(kind: ReceiptKind, here: Iterable[ReceiptKind], schemas: SchemaSet) -> str:
    """A field that every receipt of ``kind`` has and no other has, or has with another value."""
    document = schemas.get(kind.schema).document
    others = [schemas.get(other.schema).document["properties"] for other in here if other is not kind]
    for name in document.get("required", ()):
        if others and all(name not in properties for properties in others):
            return f"`{name}`"
    for name, member in document["properties"].items():
        if "const" in member and all(name in each and each[name] != member for each in others):
            return f"`{name}` {member['const']}"
    return ""


def as_json(value: Any) -> str:
    """As the page shows it: on one line."""
    return json.dumps(value, ensure_ascii=False)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
