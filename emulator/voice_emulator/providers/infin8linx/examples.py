"""The examples of the request schemas with credentials and ids of one customer, ready to send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.core.clock import HOUR, wall_text
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.infin8linx.access import PROVIDER_ID, TOKEN_SPACE
from voice_emulator.providers.infin8linx.recordings import file_name, is_recorded
from voice_emulator.providers.infin8linx.settings import UTC_OFFSET
from voice_emulator.providers.request import Operation


def authorise(
    tenant: Tenant, operation: Operation, fields: Mapping[str, Any], wall: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Appid and accesskey, or a token; the newest recording; the day of the tenant's clock."""
    credentials: Mapping[str, Any] = tenant.credentials[PROVIDER_ID]
    appid = str(credentials["appid"])
    known: dict[str, Any] = {"appid": appid, "accesskey": credentials["accesskey"]}
    if "token" in fields:
        known["token"] = tenant.ids.hexadecimal(TOKEN_SPACE, 32, "example")
        tenant.issue_token(TOKEN_SPACE, appid, HOUR, known["token"])
    recorded = [call for call in tenant.ledger.of_provider(PROVIDER_ID) if call.ended and is_recorded(call)]
    if recorded:
        known["filename"] = file_name(tenant, recorded[-1])
    today = wall_text(tenant.now, UTC_OFFSET, "%Y-%m-%d")
    for name in ("starttime", "endtime"):
        known[name] = f"{today}{str(fields.get(name, ''))[10:]}"
    return {name: known.get(name, value) for name, value in fields.items()}, {}
