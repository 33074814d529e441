"""The two pushes: the release event of a call, and the result of a review.

Sources: "Callback API Description" (cec_07_2804, cec_07_0079), "Release Event Callback API" (cec_07_2805,
cec_07_0080), "Uploading IVR Voice Files" (cec_07_1039, cec_07_0049).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import DAY, MILLISECOND
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.huawei_cec.media import APPROVED, CecState, VoiceFile
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID, release_fields
from voice_emulator.providers.huawei_cec.settings import shared_key
from voice_emulator.providers.huawei_cec.signing import signature
from voice_emulator.providers.kit.pushes import FORM_TYPE, Encoder
from voice_emulator.providers.kit.tables import receipts
from voice_emulator.providers.provider import Envelope, PushRequest, ReceiptKind


def release_of(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The unsigned fields of the release event of the push's call."""
    call: Call = push.subject
    return release_fields(tenant, call)


def review_of(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The fields of the review result of the push's file: status 2 approved, 3 rejected."""
    file: VoiceFile = push.subject
    status = "2" if file.verdict == APPROVED else "3"
    return {"fileUrl": file.path, "fileId": file.id, "status": status, "comment": file.comment}


def encode_release(envelope: Envelope) -> PushRequest:
    """The release event, signed if the URL came with the create call and a key is set.

    A push to the URL configured in the console is never signed. Exactly the sent fields are signed.
    """
    call = envelope.push.call
    key = shared_key(envelope.tenant.credentials[PROVIDER_ID], envelope.tenant.settings[PROVIDER_ID])
    if key and call is not None and call.submission.callback_url is not None:
        # The journal shows the fields of the envelope, as they are sent.
        envelope.fields = _signed(envelope, key)
    return encode(envelope)


def _signed(envelope: Envelope, key: str) -> dict[str, Any]:
    tenant, push, effect = envelope.tenant, envelope.push, envelope.effect
    state = tenant.account_state(PROVIDER_ID, CecState)
    sent_at = envelope.sent_at - (DAY if effect.stale_timestamp else 0)
    timestamp = str(sent_at // MILLISECOND)
    # The sample's nonce is a signed 64-bit number.
    nonce = str(tenant.ids.drawn_integer(2**64, "nonce", push.id, push.attempt) - 2**63)
    if effect.duplicate_nonce and state.last_nonce is not None:
        nonce = state.last_nonce
    state.last_nonce = nonce
    algorithm = tenant.settings[PROVIDER_ID]["signature_algorithm"]
    text = signature(key, timestamp, nonce, envelope.fields, algorithm)
    if effect.bad_signature:
        text = signature(f"{key}-forged", timestamp, nonce, envelope.fields, algorithm)
    triple = {"nonce": nonce, "signature": text, "timestamp": timestamp}
    return dict(sorted({**envelope.fields, **triple}.items()))


#: The fields as JSON, unless a rule's ``encoding`` asks for a form or a query.
encode = Encoder(form_type=f"{FORM_TYPE};charset=UTF-8", quote=quote_plus)


def judge_by(name: str) -> Callable[[PushReply], str | None]:
    """A judge that expects HTTP 200 and a JSON object whose member ``name`` is the text ``0``."""

    def judge(reply: PushReply) -> str | None:
        if reply.status != 200:
            return f"HTTP status {reply.status}, expected 200"
        try:
            answer = json.loads(reply.body)
        except (ValueError, RecursionError):
            return f'the reply is not JSON; expected {{"{name}":"0"}}'
        if not isinstance(answer, dict) or name not in answer:
            return f'the reply has no {name}; expected {{"{name}":"0"}}'
        if answer[name] != "0":
            return f'{name} is {str(answer[name])[:60]!r}, expected "0"'
        return None

    return judge


def review_target(tenant: Tenant, push: Push) -> str | None:
    """The callBackUrl of the upload."""
    file: VoiceFile = push.subject
    return file.callback_url


RECEIPTS = receipts(
    PROVIDER_ID,
    ReceiptKind(
        "release", "Release event", "Release Event Callback API (cec_07_2805, cec_07_0080)",
        fields=release_of, encode=encode_release, judge=judge_by("retCode"),
        acknowledgement='{"retCode":"0","retMsg":"success"}',
        corrupt={"unknown_enum": "releaseReason", "wrong_type": "talkDuration", "oversize": "called",
                 "empty": "called",
                 "bad_date": "releaseTime", "negative": "talkDuration", "wrong_id": "callSerialNo"},
    ),
    ReceiptKind(
        "review", "Review result", "Uploading IVR Voice Files (cec_07_1039, cec_07_0049)",
        fields=review_of, encode=encode, judge=judge_by("returnCode"), target=review_target,
        acknowledgement='{"returnCode":"0"}',
        corrupt={"unknown_enum": "status", "wrong_type": "status", "oversize": "comment", "empty": "fileUrl",
                 "wrong_id": "fileId"},
    ),
)  # fmt: skip
