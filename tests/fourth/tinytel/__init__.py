"""Tinytel: a made-up provider with two operations and one receipt. A folder like this, and nothing else, adds one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import rfc3339
from voice_emulator.core.placing import ReceiptPlan, Submission
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.kit.access import by_field, credentials_in
from voice_emulator.providers.kit.problems import explained, known_tenant
from voice_emulator.providers.kit.pushes import Encoder, by_status, call_of
from voice_emulator.providers.kit.tables import operations, receipts, route
from voice_emulator.providers.provider import ErrorCode, Provider, ReceiptKind
from voice_emulator.providers.request import Operation, Problem, Reply, Request, json_reply
from voice_emulator.providers.settings import Setting, SettingTable


def refuse(request: Request, problem: Problem) -> Reply:
    code = problem.code if problem.code in ("E1", "E2") else "E2"
    return json_reply({"error": code, "why": problem.message}, code=code, refused=True, status=400)


def submit(request: Request) -> Submission:
    batch = request.tenant.ids.hexadecimal("tinytel", 8, *request.key)
    return Submission("tinytel", "dial", kind="call", batch_id=batch, receipts=(ReceiptPlan("ended"),))


def dialled(request: Request, calls: Sequence[Call]) -> Reply:
    return json_reply({"id": calls[0].batch_id if calls else "none"}, code="0")


def record(tenant: Tenant, call: Call) -> dict[str, Any]:
    return {
        "id": call.provider_id,
        "to": call.number,
        "end": rfc3339(call.ended_at or 0),
        "seconds": str(call.talk_seconds),
        "outcome": call.plan.outcome.value,
        "greeting": tenant.settings["tinytel"]["greeting"],
    }


def listed(request: Request, calls: Sequence[Call]) -> Reply:
    ended = [call for call in request.tenant.ledger.of_provider("tinytel") if call.ended]
    rows = [record(request.tenant, call) for call in ended]
    return json_reply({"calls": rows}, code="0", shown_calls=ended)


def ended(tenant: Tenant, push: Push) -> dict[str, Any]:
    return record(tenant, call_of(push))


operation = partial(
    Operation, identify=by_field("key"), authenticate=known_tenant("E1", "key"), explain=explained("E2")
)
OPERATIONS = operations(
    "tinytel",
    operation(
        "dial",
        "Dial a number",
        "Tinytel manual, page 1",
        frozenset({"json", "urlencoded"}),
        numbers=lambda request: [request.text("to")] if request.text("to") else [],
        submit=submit,
        answer=dialled,
        receipts=("ended",),
    ),
    operation(
        "calls",
        "List calls",
        "Tinytel manual, page 2",
        frozenset({"urlencoded", "query"}),
        answer=listed,
        queries_calls=True,
    ),
)
RECEIPTS = receipts(
    "tinytel",
    ReceiptKind(
        "ended",
        "A call has ended",
        "Tinytel manual, page 3",
        fields=ended,
        encode=Encoder("form"),
        judge=by_status(200),
        corrupt={"unknown_enum": "outcome"},
        encodings=("form",),
    ),
)

SETTINGS = SettingTable(Setting("greeting", "text", "hello", "What the record greets with."))

PROVIDER = Provider(
    id="tinytel",
    title="Tinytel",
    description="Made up for the tests.",
    operations=OPERATIONS,
    routes=(route("/tinytel/dial", "dial"), route("/tinytel/calls", "calls")),
    receipts=RECEIPTS,
    errors=(
        ErrorCode("auth_failed", "E1", "unknown key"),
        ErrorCode("invalid_parameter", "E2", "bad request"),
    ),
    default_credentials={"key": "tiny-key"},
    keys=lambda credentials: [("key", credentials.get("key") or "")],
    settings=SETTINGS,
    refuse=refuse,
    error_order=("malformed", "method", "encoding", "E1", "E2"),
    authorise=credentials_in("tinytel", "key"),
    schemas=Path(__file__).parent / "schemas",
)
