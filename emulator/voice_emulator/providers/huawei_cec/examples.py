"""The examples of the request schemas with credentials and ids of one customer, ready to send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.core.clock import DAY, SECOND
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.huawei_cec.access import LONGEST_LIFETIME, TOKEN_SPACE
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID, epoch_ms
from voice_emulator.providers.request import Operation


def authorise(
    tenant: Tenant, operation: Operation, fields: Mapping[str, Any], wall: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Key and secret, or a token and the headers that carry it; the newest call's serial; the last day."""
    credentials: Mapping[str, Any] = tenant.credentials[PROVIDER_ID]
    app_key = str(credentials["app_key"])
    known = {"app_key": app_key, "app_secret": credentials["app_secret"]}
    calls = list(tenant.ledger.of_provider(PROVIDER_ID))
    if calls:
        known["callSerialNo"] = calls[-1].provider_id
    known |= {"startTime": epoch_ms(tenant.now - DAY), "endTime": epoch_ms(tenant.now)}
    filled = {name: known.get(name, value) for name, value in fields.items()}
    if operation.issues_token:
        return filled, {}
    value = tenant.ids.hexadecimal(TOKEN_SPACE, 32, "example")
    tenant.issue_token(PROVIDER_ID, app_key, LONGEST_LIFETIME * SECOND, value)
    return filled, {"Authorization": f"Bearer {value}", "X-APP-Key": app_key}
