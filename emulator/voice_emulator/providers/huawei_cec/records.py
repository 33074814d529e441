"""One call in the fields of the release event and of the record queries.

Both are rendered from the same instants of the same call, so they agree. Sources: "Release Event Callback
API" (cec_07_2805, cec_07_0080) and "Querying Call Detail Records" (cec_07_1305, cec_07_0054).
"""

from __future__ import annotations

from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import MILLISECOND, SECOND, wall_text
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Outcome, Party, State

PROVIDER_ID = "huawei_cec"

#: Names a rule may use instead of the number of a releaseReason.
REASONS = {
    "called_hung_up": "0",
    "played_to_end": "1",
    "refused_or_timeout": "4",
    "failed_before_ringing": "6",
    "no_resources": "8",
    "queue_timeout": "9",
    "restricted": "10",
    "recording_failed": "999",
}
CAUSES = frozenset({*REASONS, *REASONS.values()})

_STATES = {State.QUEUED: 0, State.DIALLING: 1, State.RINGING: 1, State.TALKING: 2, State.ENDED: 3}


def release_reason(call: Call) -> str:
    """The releaseReason of an ended call; a rule's ``cause`` overrides the outcome."""
    cause = call.plan.cause
    if cause is not None and cause in CAUSES:
        return REASONS.get(cause, cause)
    outcome = call.plan.outcome
    if outcome is Outcome.ANSWERED:
        return "0" if call.plan.ended_by is Party.CALLEE else "1"
    if outcome is Outcome.TIME_LIMIT:
        return "1"
    if outcome in (Outcome.NO_ANSWER, Outcome.REJECTED) or call.ring_at is not None:
        return "4"
    if outcome is Outcome.BARRED:
        return "10"
    return "8" if outcome is Outcome.NETWORK_FAILURE else "6"


def wall_time(instant: int, offset_hours: float) -> str:
    """``yyyy/MM/dd,HH:mm:ss:SSS``, truncated to milliseconds; the sample's wall clock is UTC."""
    return f"{wall_text(instant, offset_hours, '%Y/%m/%d,%H:%M:%S')}:{instant // MILLISECOND % 1000:03d}"


def epoch_ms(instant: int) -> str:
    """Epoch milliseconds as text."""
    return str(instant // MILLISECOND)


def record_file(tenant: Tenant, call: Call) -> str | None:
    """Path of the call's recording, ``Y:/<n>/mobileAgent/<yyyyMMdd>/<epoch s>-<ms>.wav``.

    None when there is none: nobody answered, the recording failed to start (999), or the account
    does not record. Date and number are UTC and of the start of the call, as in the sample.
    """
    if call.answered_at is None or call.dialled_at is None or release_reason(call) == "999":
        return None
    if not tenant.settings[PROVIDER_ID]["recording"]:
        return None
    seconds, rest = divmod(call.dialled_at, SECOND)
    day = wall_text(call.dialled_at, pattern="%Y%m%d")
    return f"Y:/2/mobileAgent/{day}/{seconds}-{rest // MILLISECOND:03d}.wav"


def release_fields(tenant: Tenant, call: Call) -> dict[str, Any]:
    """The fields of the release event without the signature, keys in alphabetical order as in the sample.

    A field without a value is left out, not null: a null would be signed.
    """
    settings = tenant.settings[PROVIDER_ID]
    offset = float(settings["utc_offset_hours"])
    fields = {"callSerialNo": call.provider_id, "called": call.number}
    if call.caller:
        fields["callerPresent"] = call.caller
    for name, instant in _instants(call).items():
        fields[name] = wall_time(instant, offset)
    path = record_file(tenant, call)
    if path is not None:
        fields["recordfile"] = path
        fields["locationId"] = str(settings["location_id"])
    fields["releaseReason"] = release_reason(call)
    fields["talkDuration"] = str(call.talk_seconds)
    return dict(sorted(fields.items()))


def _instants(call: Call) -> dict[str, int]:
    """The instants of a call so far, by the names of the release event."""
    instants = {
        "createCallTime": call.dialled_at,
        "alertingTime": call.ring_at,
        "talkingTime": call.answered_at,
        "releaseTime": call.ended_at,
    }
    return {name: instant for name, instant in instants.items() if instant is not None}


def call_state(call: Call) -> dict[str, Any]:
    """A call so far, as queryCallState shows it."""
    started = call.dialled_at if call.dialled_at is not None else call.submitted_at
    shown: dict[str, Any] = {"state": _STATES[call.state]}
    if call.ended:
        shown["reasonCode"] = int(release_reason(call))
    if call.caller:
        shown["caller"] = call.caller
    shown["called"] = call.number
    shown["startTime"] = epoch_ms(started)
    if call.ended_at is not None:
        shown["endTime"] = epoch_ms(call.ended_at)
    if call.caller:
        shown["callerPresent"] = call.caller
    return shown


def call_record(call: Call) -> dict[str, Any]:
    """A call as queryCallDetailRecord lists it: the state, and the instants of the release event."""
    shown = {"callSerialNo": call.provider_id, **call_state(call)}
    instants = _instants(call)
    for name in ("alertingTime", "talkingTime", "releaseTime"):
        if name in instants:
            shown[name] = epoch_ms(instants[name])
    if call.ended:
        shown["talkDuration"] = str(call.talk_seconds)
    return shown


def started_at(call: Call) -> int:
    """The start of a call, by which queryCallDetailRecord selects."""
    return call.dialled_at if call.dialled_at is not None else call.submitted_at


def is_listed(call: Call, now: int) -> bool:
    """Whether the record query shows a call: no dropped ones, and late ones only from their time on."""
    if call.dropped or not call.provider_id:
        return False
    if call.effect is not None and call.effect.query_lag is not None:
        return call.query_from is not None and now >= call.query_from
    return True
