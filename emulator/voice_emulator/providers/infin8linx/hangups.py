"""Hang-up codes: why a call ended (``hangupcause``) and who ended it (``hangupdirection``).

The table is that of a public client; the provider's samples use 10001, 10015, 10020 and 10040 from
it. Which outcome gets which code is our choice, made by the labels.
"""

from __future__ import annotations

from collections.abc import Mapping

from voice_emulator.core.calls import Call
from voice_emulator.core.vocabulary import Outcome, Party

#: Code by name; a rule's ``cause`` may use either.
CAUSES: Mapping[str, str] = {
    "normal_hangup": "10001",
    "call_cancelled": "10002",
    "refused": "10003",
    "line_failed": "10004",
    "unanswered": "10005",
    "user_busy": "10006",
    "server_hangup": "10007",
    "extension_not_registered": "10008",
    "destination_unreachable": "10009",
    "timer_expired": "10011",
    "callback_interface_failed": "10012",
    "extension_does_not_exist": "10013",
    "not_found": "10014",
    "request_timed_out": "10015",
    "nobody_answered": "10016",
    "call_invalid": "10017",
    "origin_unknown": "10019",
    "other_reason": "10020",
    "bad_request": "10024",
    "call_forbidden": "10025",
    "number_changed": "10027",
    "call_intercepted": "10028",
    "unknown": "10031",
    "caller_hung_up": "10040",
    "callee_hung_up": "10041",
}

_BY_OUTCOME: Mapping[Outcome, str] = {
    Outcome.ANSWERED: "10001",
    Outcome.NO_ANSWER: "10016",
    Outcome.BUSY: "10006",
    Outcome.REJECTED: "10003",
    Outcome.UNREACHABLE: "10009",
    Outcome.INVALID_NUMBER: "10014",
    Outcome.BARRED: "10025",
    Outcome.NETWORK_FAILURE: "10004",
    Outcome.TIME_LIMIT: "10007",
}

#: (hangupdirection, hangupcause) in the older code set: the three pairs that were seen. Which outcomes
#: they stand for is our choice, by their labels; the first one has the normal cause.
_OLDER_ANSWERED, _OLDER_CANCELLED, _OLDER_OTHER = (10014, 10001), (10040, 10002), (10031, 10020)

CALLER_SIDE = 10040
CALLED_SIDE = 10041

#: What a rule may write as ``cause``: names and codes.
KNOWN = frozenset(CAUSES) | frozenset(CAUSES.values())


def cause_of(call: Call) -> str:
    """``hangupcause`` of an ended call as text: the rule's own cause, else by outcome."""
    if call.dropped:
        return CAUSES["call_cancelled"]
    wanted = call.plan.cause
    if wanted in KNOWN:
        return CAUSES.get(wanted, wanted)
    return _BY_OUTCOME[call.plan.outcome]


def direction_of(call: Call) -> int:
    """``hangupdirection``: the called side if the callee ended it, else the caller's, the platform."""
    return CALLED_SIDE if call.ended_by is Party.CALLEE else CALLER_SIDE


def older_pair(call: Call) -> tuple[int, int]:
    """``hangupDirection`` and ``hangupCause`` of the 2017 body; a rule's own cause stands for the pair's."""
    if call.answered:
        direction, cause = _OLDER_ANSWERED
    elif call.dropped or call.plan.outcome is Outcome.NO_ANSWER:
        direction, cause = _OLDER_CANCELLED
    else:
        direction, cause = _OLDER_OTHER
    named = not call.dropped and call.plan.cause in KNOWN
    return direction, int(cause_of(call)) if named else cause
