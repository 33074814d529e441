"""Huawei Cloud CEC (Cognitive Engagement Center, later AICC): voice notifications.

A token for key and secret, then JSON in both directions. One push, the release event, reports the end of a
call. Two families of pages document the same paths differently; see docs/providers/huawei_cec.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voice_emulator.providers.huawei_cec.create import ORDER_V2, serial_number
from voice_emulator.providers.huawei_cec.errors import AUTH, ERRORS, refuse
from voice_emulator.providers.huawei_cec.examples import authorise
from voice_emulator.providers.huawei_cec.files import revive
from voice_emulator.providers.huawei_cec.finding_rules import CONTRACT
from voice_emulator.providers.huawei_cec.operations import OPERATIONS, ROUTES
from voice_emulator.providers.huawei_cec.receipts import RECEIPTS
from voice_emulator.providers.huawei_cec.records import CAUSES, PROVIDER_ID, release_reason
from voice_emulator.providers.huawei_cec.settings import SETTINGS
from voice_emulator.providers.provider import Provider


def _keys(credentials: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The application key. Raises ValueError for a shared key the console would refuse."""
    key = credentials.get("shared_key")
    if key is not None:
        try:
            SETTINGS.settings["shared_key"].read(key)
        except ValueError as error:
            raise ValueError(f"{PROVIDER_ID}.shared_key {error}") from error
    yield "app_key", str(credentials.get("app_key") or "")


PROVIDER = Provider(
    id=PROVIDER_ID,
    title="Huawei Cloud CEC",
    description="Voice notifications of Huawei Cloud's Cognitive Engagement Center (AICC): "
    "a token, JSON both ways, one release event.",
    operations=OPERATIONS,
    routes=ROUTES,
    receipts=RECEIPTS,
    errors=ERRORS,
    default_credentials={
        "app_key": "cec-app-key", "app_secret": "cec-app-secret", "shared_key": None, "access_codes": None,
    },
    keys=_keys,
    settings=SETTINGS,
    refuse=refuse,
    causes=CAUSES,
    cause_of=release_reason,
    call_id=serial_number,
    error_order=ORDER_V2,
    secrets=frozenset({"authorization", "app_secret", "AccessToken", "shared_key"}),
    token_expired=AUTH,
    numbering="an optional +, then digits, * and #; 1 to 32 characters in all",
    contract=CONTRACT,
    authorise=authorise,
    revive=revive,
)  # fmt: skip
