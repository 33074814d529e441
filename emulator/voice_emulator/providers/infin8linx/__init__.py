"""Infin8linx, the "yunhu" voice API: tokens, batch IVR calls, call records and recordings."""

from __future__ import annotations

from voice_emulator.providers.infin8linx.access import PROVIDER_ID, credential_keys
from voice_emulator.providers.infin8linx.errors import ERRORS, ORDER, refuse
from voice_emulator.providers.infin8linx.examples import authorise
from voice_emulator.providers.infin8linx.finding_rules import CONTRACT
from voice_emulator.providers.infin8linx.hangups import KNOWN, cause_of
from voice_emulator.providers.infin8linx.operations import OPERATIONS, ROUTES
from voice_emulator.providers.infin8linx.playvoice import prepare_call
from voice_emulator.providers.infin8linx.receipts import RECEIPTS
from voice_emulator.providers.infin8linx.records import references
from voice_emulator.providers.infin8linx.settings import SETTINGS
from voice_emulator.providers.infin8linx.state import rebuild_links
from voice_emulator.providers.provider import Provider

PROVIDER = Provider(
    id=PROVIDER_ID,
    title="Infin8linx",
    description="One dispatcher URL, the form field service chooses; results arrive as call record pushes.",
    operations=OPERATIONS,
    routes=ROUTES,
    receipts=RECEIPTS,
    errors=ERRORS,
    default_credentials={"appid": "in8-appid", "accesskey": "in8-accesskey"},
    keys=credential_keys,
    settings=SETTINGS,
    refuse=refuse,
    causes=KNOWN,
    cause_of=cause_of,
    call_id=prepare_call,
    references=references,
    error_order=ORDER,
    secrets=frozenset({"accesskey", "token"}),
    token_expired="600",
    numbering="2 to 20 digits; neither country code nor trunk 0 is added or cut",
    contract=CONTRACT,
    authorise=authorise,
    example_settings={"recordings": True},
    revive=lambda tenant, pushes: rebuild_links(tenant, PROVIDER_ID),
)
