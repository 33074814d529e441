"""The examples of the request schemas with credentials and ids of one customer, ready to send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import HOUR, MILLISECOND, wall_text
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.nxcloud.access import part
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.agent import issue_token
from voice_emulator.providers.nxcloud.signing import sign
from voice_emulator.providers.request import Operation

_AGENT = frozenset({"token", "getSipCdr", "getSipCdrByOrderid"})
_SOUND = b"ID3\x03\x00\x00\x00\x00\x00\x00"


def authorise(
    tenant: Tenant, operation: Operation, fields: Mapping[str, Any], wall: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Keys of the operation's family, an agent token, the newest call's id, the day of the tenant's clock."""
    credentials: Mapping[str, Any] = tenant.credentials[PROVIDER_ID]
    agent = operation.name in _AGENT
    known: dict[str, Any] = {
        "appkey": part(credentials, "agent", "appkey") if agent else credentials["appkey"],
        "secretkey": part(credentials, "agent", "secretkey") if agent else credentials["secretkey"],
        "account": part(credentials, "console", "account"),
        "password": part(credentials, "console", "password"),
        "username": part(credentials, "agent", "username"),
    }
    if "token" in fields:
        known["token"] = issue_token(tenant, part(credentials, "agent", "appkey"), HOUR, "example").value
    call = _newest(tenant, operation, fields)
    if call is not None:
        known["messageid"] = call.provider_id
    if operation.name == "getSipCdrByOrderid" and call is not None:
        known["orderid"] = call.submission.details["orderid"]
    today = wall_text(tenant.now, tenant.settings[PROVIDER_ID]["utc_offset"], "%Y-%m-%d")
    for name in ("start_time", "end_time"):
        known[name] = f"{today}{str(fields.get(name, ''))[10:]}"
    filled = {name: known[name] if value and name in known else value for name, value in fields.items()}
    if operation.name == "uploadFile":
        return {**filled, "file": _SOUND}, _signed_headers(credentials, wall)
    return filled, {}


def _newest(tenant: Tenant, operation: Operation, fields: Mapping[str, Any]) -> Call | None:
    """The newest call that the operation can be about."""
    kinds = {
        "conversion": ("verification",),
        "getVoiceCdr": ("group",) if fields.get("voiceType") == "0" else ("verification", "notification"),
        "getSipCdrByOrderid": ("agent",),
    }.get(operation.name, ())
    calls = [call for call in tenant.ledger.of_provider(PROVIDER_ID) if call.submission.kind in kinds]
    return calls[-1] if calls else None


def _signed_headers(credentials: Mapping[str, Any], wall: int) -> dict[str, str]:
    """The headers of "API Interface Invocation Convention"; a form is signed without its body."""
    key, secret = part(credentials, "signed", "accessKey"), part(credentials, "signed", "accessSecret")
    ts = str(wall // MILLISECOND)
    signature = sign(key, "upload", "8", ts, "", secret)
    return {"accessKey": key, "ts": ts, "bizType": "8", "action": "upload", "sign": signature}
