"""Huawei CEC's numbers for the finding rules, and the rules for Huawei CEC alone."""

from __future__ import annotations

from collections.abc import Iterator

from voice_emulator.core.clock import SECOND
from voice_emulator.providers.contract import Contract, Pace, Pages, When, finding
from voice_emulator.providers.grading import Grading
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID, REASONS
from voice_emulator.providers.kit.fields import at
from voice_emulator.providers.rule_context import RuleContext

_TOKEN_PAGE = "C1 System Configuration Interface Authentication (Huawei CEC, cec_07_0002, cec_07_2211)"
_BUSINESS = (
    "createVoiceNotification", "createVoiceNotificationV1", "queryVoiceNotificationRecording",
    "importVoiceFile", "createVoiceTemplate", "queryCallDetailRecord", "queryCallState",
    "getRecordingAddress",
)  # fmt: skip
LONGEST_LIFETIME = 3600


@finding(
    "huawei-bearer-spacing", "error", When.REFUSED, operations=_BUSINESS, providers=(PROVIDER_ID,),
    source=f"{_TOKEN_PAGE}: Bearer, exactly one space, AccessToken",
)  # fmt: skip
def bearer_spacing(context: RuleContext) -> Iterator[str]:
    """The Authorization header is not `Bearer`, one space, and the token.

    The gateway compares the header literally. Two spaces, no space, `bearer` in lower case, quotes around
    the token, or a line end after it make it an unknown token.

    How to fix it: write `Authorization: Bearer <AccessToken>`, with exactly one space.
    """
    given = context.request.headers.get("authorization", "")
    scheme, space, token = given.partition(" ")
    if given and (scheme != "Bearer" or not token or token != token.strip() or token[0] in "\"'"):
        how = "more than one space" if token != token.lstrip() else "the wrong form" if space else "no space"
        # Without a blank, what looks like the scheme is the token.
        named = repr(scheme) if space and len(scheme) < 10 else "scheme"
        yield f"the Authorization header has {how} after its {named}"


@finding(
    "huawei-app-key-missing", "warning", When.ARRIVED, operations=_BUSINESS, providers=(PROVIDER_ID,),
    missing="x-app-key",
    source="Creating a Voice Notification (V2.0.0) (Huawei CEC, cec_07_2802): X-APP-Key is mandatory",
)  # fmt: skip
def app_key_missing(context: RuleContext) -> Iterator[str]:
    """A business request came without the header X-APP-Key.

    One family of pages says that the header is optional, the other that it is mandatory. A client without
    it works on some deployments only.

    How to fix it: send `X-APP-Key` with the `app_key` of the token, always.
    """
    told: set[str] = context.memory.room("huawei-app-key-missing", set)
    if context.operation not in told:
        told.add(context.operation)
        yield "the header X-APP-Key is missing; reported once per operation"


@finding(
    "huawei-token-lifetime-clamped", "warning", When.ARRIVED, operations=("tokenByAkSk",),
    providers=(PROVIDER_ID,), source=f"{_TOKEN_PAGE}: X-Token-Expire is at most 3600",
)  # fmt: skip
def token_lifetime_clamped(context: RuleContext) -> Iterator[str]:
    """A client asked for a token that lasts longer than an hour.

    `X-Token-Expire` is at most 3600 seconds. No page says what the platform does with more; here it is cut
    to 3600. A client that relies on its own number instead of `Expires` in the reply uses expired tokens.

    How to fix it: ask for at most 3600, and use `Expires`.
    """
    asked = context.request.headers.get("x-token-expire", "").strip()
    if asked.isascii() and asked.isdigit() and len(asked) < 12 and int(asked) > LONGEST_LIFETIME:
        yield f"X-Token-Expire is {asked}; the maximum is {LONGEST_LIFETIME}"


_PAGES = Pages(
    "offset", "limit", lambda payload: at(payload, "result", "total", of=int), size_default=100, by_row=True
)

GRADING = Grading(
    operation="createVoiceNotification",
    identity="callSerialNo",
    cause=("releaseReason", "77"),
    words={"recordfile": "Y:/2/语音通知/20260105/1767571200-824.wav"},
    signed=True,
    key="shared_key",
    nonce="nonce",
    signature="signature",
)

CONTRACT = Contract(
    grading=GRADING,
    refusals=frozenset({"403"}),
    limited=frozenset({"429"}),
    temporary=frozenset({
        "500", "unfinished_task", "creation_failed", "review_pending", "vdn_disabled", "401", "no_record",
        "query_failed", "1", "20",
    }),
    paces={
        "importVoiceFile": Pace(10, SECOND,
        "Uploading IVR Voice Files (Huawei CEC, cec_07_1039): 10 per second"),
    },
    pages={"queryCallDetailRecord": _PAGES},
    uses_token=frozenset(_BUSINESS),
    token_source=f"{_TOKEN_PAGE}: Expires is the token's life in seconds",
    causes=tuple(REASONS.values()),
    rules=(bearer_spacing, app_key_missing, token_lifetime_clamped),
)  # fmt: skip
