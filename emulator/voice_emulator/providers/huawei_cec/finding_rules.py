"""What the finding rules are told about Huawei CEC, and the rules that only Huawei CEC needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voice_emulator.core.clock import SECOND
from voice_emulator.providers.contract import Contract, Pace, Pages, When, finding
from voice_emulator.providers.grading import Grading
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID, REASONS
from voice_emulator.providers.rule_context import Look

_TOKEN_PAGE = "C1 System Configuration Interface Authentication (Huawei CEC, cec_07_0002, cec_07_2211)"
_BUSINESS = (
    "createVoiceNotification", "createVoiceNotificationV1", "queryVoiceNotificationRecording",
    "importVoiceFile", "createVoiceTemplate", "queryCallDetailRecord", "queryCallState", "getRecordingAddress",
)  # fmt: skip
LONGEST_LIFETIME = 3600


@finding(
    "huawei-bearer-spacing", "error", When.REFUSED, operations=_BUSINESS, providers=(PROVIDER_ID,),
    source=f"{_TOKEN_PAGE}: Bearer, exactly one space, AccessToken",
)  # fmt: skip
def bearer_spacing(look: Look) -> Iterator[str]:
    """The Authorization header is not `Bearer`, one space, and the token.

    The gateway compares the header as it stands: two spaces, no space, `bearer` in small letters, quotes
    around the token or a line end after it make it an unknown token.

    How to fix it: write `Authorization: Bearer <AccessToken>`, with exactly one space.
    """
    given = look.request.headers.get("authorization", "")
    scheme, space, token = given.partition(" ")
    if given and (
        scheme != "Bearer" or not space or token != token.strip() or not token or token[0] in "\"'"
    ):
        how = (
            "no space"
            if not space
            else "more than one space"
            if token != token.lstrip()
            else "the wrong form"
        )
        # Without a blank, what looks like the scheme is the token.
        named = repr(scheme) if space and len(scheme) < 10 else "scheme"
        yield f"the Authorization header has {how} after its {named}"


@finding(
    "huawei-app-key-missing", "warning", When.ARRIVED, operations=_BUSINESS, providers=(PROVIDER_ID,), missing="x-app-key",
    source="Creating a Voice Notification (V2.0.0) (Huawei CEC, cec_07_2802): X-APP-Key is mandatory",
)  # fmt: skip
def app_key_missing(look: Look) -> Iterator[str]:
    """A business request came without the header X-APP-Key.

    One family of pages calls the header optional, the other mandatory. A client that leaves it out works
    on some deployments only.

    How to fix it: send `X-APP-Key` with the `app_key` of the token, always.
    """
    told: set[str] = look.memory.room("huawei-app-key-missing", set)
    if look.operation not in told:
        told.add(look.operation)
        yield "the header X-APP-Key is missing; told once per operation"


@finding(
    "huawei-token-lifetime-clamped", "warning", When.ARRIVED, operations=("tokenByAkSk",), providers=(PROVIDER_ID,),
    source=f"{_TOKEN_PAGE}: X-Token-Expire is at most 3600",
)  # fmt: skip
def token_lifetime_clamped(look: Look) -> Iterator[str]:
    """A token was asked for that should last longer than an hour.

    `X-Token-Expire` is at most 3600 seconds. What a platform makes of more is not stated; here it is cut
    to 3600. A client that trusts its own wish instead of the reply's `Expires` uses dead tokens.

    How to fix it: ask for at most 3600, and believe `Expires`.
    """
    wish = look.request.headers.get("x-token-expire", "").strip()
    if wish.isascii() and wish.isdigit() and len(wish) < 12 and int(wish) > LONGEST_LIFETIME:
        yield f"X-Token-Expire is {wish}; at most {LONGEST_LIFETIME} is given"


def _total(payload: Any) -> int | None:
    result = payload.get("result")
    total = result.get("total") if isinstance(result, dict) else None
    return total if isinstance(total, int) else None


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
    temporary=frozenset(
        {
            "500",
            "unfinished_task",
            "creation_failed",
            "review_pending",
            "vdn_disabled",
            "401",
            "no_record",
            "query_failed",
            "1",
            "20",
        }
    ),
    paces={
        "importVoiceFile": Pace(
            10, SECOND, "Uploading IVR Voice Files (Huawei CEC, cec_07_1039): 10 per second"
        ),
    },
    pages={"queryCallDetailRecord": Pages("offset", "limit", _total, size_default=100, by_row=True)},
    uses_token=frozenset(_BUSINESS),
    token_source=f"{_TOKEN_PAGE}: Expires is the token's life in seconds",
    causes=tuple(REASONS.values()),
    rules=(bearer_spacing, app_key_missing, token_lifetime_clamped),
)
