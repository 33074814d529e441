"""Tinytel: a made-up provider with two operations and one receipt. A folder like this, and nothing else, adds one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from voice_emulator.core.accounts import Key
from voice_emulator.core.attempts import PushReply
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import rfc3339
from voice_emulator.core.placing import ReceiptPlan, Submission
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Envelope, ErrorCode, Provider, PushRequest, ReceiptKind, Route
from voice_emulator.providers.request import Operation, Problem, Reply, Request, json_reply
from voice_emulator.providers.settings import Setting, SettingTable
from voice_emulator.schemas.validate import Violation

ORDER = ("malformed", "method", "encoding", "E1", "E2")


def identify(request: Request) -> Iterable[Key]:
    yield "tinytel", "key", request.text("key")


def authenticate(request: Request) -> Iterable[Problem]:
    if not request.attributed and not request.lenient:
        yield Problem("E1", "nobody has this key", "/key")


def explain(request: Request, violation: Violation) -> Problem:
    return Problem("E2", violation.message, violation.pointer)


def refuse(request: Request, problem: Problem) -> Reply:
    code = problem.code if problem.code in ("E1", "E2") else "E2"
    return json_reply({"error": code, "why": problem.message}, code=code, refused=True, status=400)


def submit(request: Request) -> Submission:
    batch = request.tenant.ids.hexadecimal("tinytel", 8, *request.key)
    return Submission("tinytel", "dial", kind="call", batch_id=batch, receipts=(ReceiptPlan("ended"),))


def dialled(request: Request, calls: Sequence[Call]) -> Reply:
    return json_reply({"id": calls[0].batch_id if calls else "none"}, code="0")


def listed(request: Request, calls: Sequence[Call]) -> Reply:
    ended = [call for call in request.tenant.ledger.of_provider("tinytel") if call.ended]
    rows = [record(request.tenant, call) for call in ended]
    return json_reply({"calls": rows}, code="0", shown_calls=ended)


def record(tenant: Tenant, call: Call) -> dict[str, Any]:
    return {
        "id": call.provider_id,
        "to": call.number,
        "end": rfc3339(call.ended_at or 0),
        "seconds": str(call.talk_seconds),
        "outcome": call.plan.outcome.value,
        "greeting": tenant.settings["tinytel"]["greeting"],
    }


def ended(tenant: Tenant, push: Push) -> dict[str, Any]:
    return record(tenant, push.subject)


def encode(envelope: Envelope) -> PushRequest:
    kind = "text/plain" if envelope.effect.wrong_content_type else "application/x-www-form-urlencoded"
    return PushRequest("POST", envelope.url, (("Content-Type", kind),), urlencode(envelope.fields).encode())


def judge(reply: PushReply) -> str | None:
    return None if reply.status == 200 else f"answered HTTP {reply.status}"


def authorise(
    tenant: Tenant, operation: Operation, fields: Mapping[str, Any], wall: int
) -> tuple[dict[str, Any], dict[str, str]]:
    return {**fields, "key": tenant.credentials["tinytel"]["key"]}, {}


DIAL = Operation(
    name="dial",
    title="Dial a number",
    source="Tinytel manual, page 1",
    accepts=frozenset({"json", "urlencoded"}),
    request="tinytel/dial.request",
    reply="tinytel/dial.reply",
    identify=identify,
    authenticate=authenticate,
    explain=explain,
    answer=dialled,
    numbers=lambda request: [request.text("to")] if request.text("to") else [],
    submit=submit,
    receipts=("ended",),
)
CALLS = Operation(
    name="calls",
    title="List calls",
    source="Tinytel manual, page 2",
    accepts=frozenset({"urlencoded", "query"}),
    request="tinytel/calls.request",
    reply="tinytel/calls.reply",
    identify=identify,
    authenticate=authenticate,
    explain=explain,
    answer=listed,
    queries_calls=True,
)

SETTINGS = SettingTable(Setting("greeting", "text", "hello", "What the record greets with."))

PROVIDER = Provider(
    id="tinytel",
    title="Tinytel",
    description="Made up for the tests.",
    operations={"dial": DIAL, "calls": CALLS},
    routes=(
        Route("/tinytel/dial", select=lambda request: "dial", operations=("dial",)),
        Route("/tinytel/calls", select=lambda request: "calls", operations=("calls",)),
    ),
    receipts={
        "ended": ReceiptKind(
            name="ended",
            title="A call has ended",
            source="Tinytel manual, page 3",
            schema="tinytel/ended.receipt",
            url_key="tinytel",
            fields=ended,
            encode=encode,
            judge=judge,
            corrupt={"unknown_enum": "outcome"},
            encodings=("form",),
        )
    },
    errors=(
        ErrorCode("auth_failed", "E1", "unknown key"),
        ErrorCode("invalid_parameter", "E2", "bad request"),
    ),
    default_credentials={"key": "tiny-key"},
    keys=lambda credentials: [("key", credentials.get("key") or "")],
    settings=SETTINGS,
    refuse=refuse,
    call_id=lambda tenant, request, call, index: call.batch_id,
    error_order=ORDER,
    authorise=authorise,
    schemas=Path(__file__).parent / "schemas",
)
