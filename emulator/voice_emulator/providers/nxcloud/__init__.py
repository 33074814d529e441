"""NXCloud (NXTele): group calls, spoken notifications and verification codes, agent calls.

Facts come from the provider's wiki; each module names the page it follows, docs/providers/nxcloud.md
says what is documented, inferred or our choice.
"""

from __future__ import annotations

from voice_emulator.providers.nxcloud.access import DEFAULT_CREDENTIALS, keys
from voice_emulator.providers.nxcloud.account import PROVIDER_ID, revive
from voice_emulator.providers.nxcloud.causes import CAUSES, cause_of
from voice_emulator.providers.nxcloud.errors import ERRORS
from voice_emulator.providers.nxcloud.examples import authorise
from voice_emulator.providers.nxcloud.finding_rules import CONTRACT
from voice_emulator.providers.nxcloud.operations import OPERATIONS, ROUTES
from voice_emulator.providers.nxcloud.receipts import RECEIPTS
from voice_emulator.providers.nxcloud.replies import refuse
from voice_emulator.providers.nxcloud.sending import call_id
from voice_emulator.providers.nxcloud.settings import SETTINGS
from voice_emulator.providers.provider import Provider

PROVIDER = Provider(
    id=PROVIDER_ID,
    title="NXCloud",
    description="Voice API of NXCloud (NXTele): group calls, notifications, verification codes, agent calls.",
    operations=OPERATIONS,
    routes=ROUTES,
    receipts=RECEIPTS,
    errors=ERRORS,
    default_credentials=DEFAULT_CREDENTIALS,
    keys=keys,
    settings=SETTINGS,
    refuse=refuse,
    causes=CAUSES,
    cause_of=cause_of,
    call_id=call_id,
    secrets=frozenset({"secretkey", "password", "accessSecret", "token"}),
    token_expired="token_expired",
    numbering="5 to 20 digits",
    contract=CONTRACT,
    authorise=authorise,
    revive=revive,
)
