"""Why calls end: the names of the page "Explanation of Call Hangup Reasons", and the cause of each outcome.

The receipt carries the name, never the number. Which cause and disposition go with an outcome is
documented for one pair only (answered, the platform hangs up); the others are inferred from what
FreeSWITCH, whose vocabulary this is, reports for an outgoing leg.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from voice_emulator.core.calls import Call
from voice_emulator.core.vocabulary import Outcome, Party

#: Number and name of every cause, as the page lists them.
CAUSE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "0": "UNSPECIFIED", "1": "UNALLOCATED_NUMBER", "2": "NO_ROUTE_TRANSIT_NET",
        "3": "NO_ROUTE_DESTINATION", "6": "CHANNEL_UNACCEPTABLE", "7": "CALL_AWARDED_DELIVERED",
        "16": "NORMAL_CLEARING", "17": "USER_BUSY", "18": "NO_USER_RESPONSE", "19": "NO_ANSWER",
        "20": "SUBSCRIBER_ABSENT", "21": "CALL_REJECTED", "22": "NUMBER_CHANGED",
        "23": "REDIRECTION_TO_NEW_DESTINATION", "25": "EXCHANGE_ROUTING_ERROR",
        "27": "DESTINATION_OUT_OF_ORDER", "28": "INVALID_NUMBER_FORMAT", "29": "FACILITY_REJECTED",
        "30": "RESPONSE_TO_STATUS_ENQUIRY", "31": "NORMAL_UNSPECIFIED", "34": "NORMAL_CIRCUIT_CONGESTION",
        "38": "NETWORK_OUT_OF_ORDER", "41": "NORMAL_TEMPORARY_FAILURE", "42": "SWITCH_CONGESTION",
        "43": "ACCESS_INFO_DISCARDED", "44": "REQUESTED_CHAN_UNAVAIL", "45": "PRE_EMPTED",
        "50": "FACILITY_NOT_SUBSCRIBED", "52": "OUTGOING_CALL_BARRED", "54": "INCOMING_CALL_BARRED",
        "57": "BEARERCAPABILITY_NOTAUTH", "58": "BEARERCAPABILITY_NOTAVAIL", "63": "SERVICE_UNAVAILABLE",
        "65": "BEARERCAPABILITY_NOTIMPL", "66": "CHAN_NOT_IMPLEMENTED", "69": "FACILITY_NOT_IMPLEMENTED",
        "79": "SERVICE_NOT_IMPLEMENTED", "81": "INVALID_CALL_REFERENCE", "88": "INCOMPATIBLE_DESTINATION",
        "95": "INVALID_MSG_UNSPECIFIED", "96": "MANDATORY_IE_MISSING", "97": "MESSAGE_TYPE_NONEXIST",
        "98": "WRONG_MESSAGE", "99": "IE_NONEXIST", "100": "INVALID_IE_CONTENTS", "101": "WRONG_CALL_STATE",
        "102": "RECOVERY_ON_TIMER_EXPIRE", "103": "MANDATORY_IE_LENGTH_ERROR", "111": "PROTOCOL_ERROR",
        "127": "INTERWORKING", "487": "ORIGINATOR_CANCEL", "500": "CRASH", "501": "SYSTEM_SHUTDOWN",
        "502": "LOSE_RACE", "503": "MANAGER_REQUEST", "600": "BLIND_TRANSFER", "601": "ATTENDED_TRANSFER",
        "602": "ALLOTTED_TIMEOUT", "603": "USER_CHALLENGE", "604": "MEDIA_TIMEOUT", "605": "PICKED_OFF",
        "606": "USER_NOT_REGISTERED", "607": "PROGRESS_TIMEOUT", "609": "GATEWAY_DOWN",
    }
)  # fmt: skip

#: What a scenario's ``cause`` may say: a name or its number.
CAUSES = frozenset(CAUSE_NAMES) | frozenset(CAUSE_NAMES.values())

_BY_OUTCOME: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.ANSWERED: "NORMAL_CLEARING",
        Outcome.NO_ANSWER: "NO_ANSWER",
        Outcome.BUSY: "USER_BUSY",
        Outcome.REJECTED: "CALL_REJECTED",
        Outcome.UNREACHABLE: "NO_USER_RESPONSE",
        Outcome.INVALID_NUMBER: "UNALLOCATED_NUMBER",
        Outcome.BARRED: "OUTGOING_CALL_BARRED",
        Outcome.NETWORK_FAILURE: "NORMAL_TEMPORARY_FAILURE",
        Outcome.TIME_LIMIT: "ALLOTTED_TIMEOUT",
    }
)

_REFUSED = frozenset(
    {Outcome.BUSY, Outcome.REJECTED, Outcome.UNREACHABLE, Outcome.INVALID_NUMBER, Outcome.BARRED}
)


def cause_of(call: Call) -> str:
    """The cause name of an ended call: the rule's cause, or else that of its outcome."""
    if call.plan.cause:
        return CAUSE_NAMES.get(call.plan.cause, call.plan.cause)
    if call.plan.outcome is Outcome.TIME_LIMIT:
        return str(call.submission.details.get("limit_cause", _BY_OUTCOME[Outcome.TIME_LIMIT]))
    return _BY_OUTCOME[call.plan.outcome]


def disposition_of(call: Call) -> str:
    """``hangup_disposition`` of an ended call: who hung up, seen from the platform's leg."""
    outcome = call.plan.outcome
    if call.answered:
        return "recv_bye" if call.plan.ended_by is Party.CALLEE else "send_bye"
    if outcome is Outcome.NO_ANSWER:
        return "send_cancel"
    return "recv_refuse" if outcome in _REFUSED else "other"
