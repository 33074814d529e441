"""Alibaba Cloud Voice Messaging Service (Dyvmsapi 2017-05-25): one-way notification calls, and the push of their records."""

from __future__ import annotations

from pathlib import Path

from voice_emulator.providers.contract import Contract
from voice_emulator.providers.grading import Grading
from voice_emulator.providers.kit import tables
from voice_emulator.providers.provider import Provider, ReceiptKind, Route
from voice_emulator_aliyun_vms.access import SECRETS, authorise, claims, keys
from voice_emulator_aliyun_vms.errors import ERRORS, ORDER, refuse
from voice_emulator_aliyun_vms.operations import OPERATIONS, call_id, select
from voice_emulator_aliyun_vms.receipts import (
    ACKNOWLEDGEMENT,
    CAUSES,
    ENCODE,
    PUSHED_AGAIN,
    cause_of,
    judge,
    tolerate,
    voice_report,
)
from voice_emulator_aliyun_vms.settings import SETTINGS

RECEIPTS = tables.receipts(
    "aliyun_vms",
    ReceiptKind(
        "VoiceReport",
        "How a call ended",
        "VoiceReport (voicereport-6, -1, -4), HTTP batch push pattern (214639), Receipt messages (112503)",
        fields=voice_report,
        encode=ENCODE,
        judge=judge,
        tolerate=tolerate,
        # The request that starts a call cannot name a URL.
        target=lambda tenant, push: None,
        corrupt={
            "unknown_enum": "status_code",
            "wrong_type": "duration",
            "oversize": "out_id",
            "empty": "status_msg",
            "bad_date": "end_time",
            "negative": "duration",
            "wrong_id": "call_id",
        },
        encodings=("json",),
        acknowledgement=ACKNOWLEDGEMENT,
        array=True,
        answer_within=lambda settings: settings["answer_limit"] / 1000,
    ),
)

GRADING = Grading(
    operation="SingleCallByTts",
    identity="call_id",
    cause=("status_code", "200999"),
    words={"status_msg": "客户-Ñandú-Åse"},
    customer={"OutId": "a&b=c d+e%20\"'"},
    customer_operation="SingleCallByTts",
    empty="status_msg",
)

PROVIDER = Provider(
    id="aliyun_vms",
    api=1,
    title="Alibaba Cloud Voice Messaging Service",
    description="Signed RPC-style requests on /, and the push of call records in JSON arrays.",
    operations=OPERATIONS,
    routes=(
        Route(
            "/",
            select=select,
            operations=tuple(OPERATIONS),
            methods=frozenset({"GET", "POST"}),
            claims=claims,
        ),
    ),
    receipts=RECEIPTS,
    errors=ERRORS,
    default_credentials={
        "access_key_id": "aliyun-access-key-id",
        "access_key_secret": "aliyun-access-key-secret",
    },
    keys=keys,
    settings=SETTINGS,
    refuse=refuse,
    causes=frozenset(CAUSES) | frozenset(CAUSES.values()),
    cause_of=cause_of,
    call_id=call_id,
    error_order=ORDER,
    secrets=SECRETS,
    numbering="5 to 20 digits: a mobile number, a landline with area code, or country code and number, without +",
    contract=Contract(
        grading=GRADING,
        refusals=frozenset({"InvalidAccessKeyId.NotFound", "SignatureDoesNotMatch"}),
        limited=frozenset({"isv.BUSINESS_LIMIT_CONTROL", "Throttling.User"}),
        temporary=frozenset({"isp.SYSTEM_ERROR", "ServiceUnavailable", "InternalError"}),
        causes=tuple(CAUSES.values()),
    ),
    authorise=authorise,
    schemas=Path(__file__).parent / "schemas",
    retries={"aliyun_vms": PUSHED_AGAIN},
)
