"""The call record: one view of an ended call, from which the push and GetBill are both rendered.

All wall-clock texts are UTC+8 and cut to whole seconds; spans are differences of the times shown,
so that a record never contradicts itself.
"""

from __future__ import annotations

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND, wall_text
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.values import plain_record
from voice_emulator.providers.infin8linx.access import PROVIDER_ID
from voice_emulator.providers.infin8linx.hangups import cause_of, direction_of, older_pair
from voice_emulator.providers.infin8linx.playvoice import RequestOptions
from voice_emulator.providers.infin8linx.recordings import file_name, is_recorded, record_url, server_name
from voice_emulator.providers.infin8linx.settings import UTC_OFFSET

#: 100-nanosecond ticks from 1582-10-15, the origin of version 1 UUIDs, to 1970-01-01.
_UUID_EPOCH = 0x01B21DD213814000


#: What a customer's field that was never set holds in the newer bodies.
UNSET = "0"


@plain_record
class Record:
    """The record of one call. Spans are seconds; ``answertime`` is None if unanswered."""

    # Not frozen: with so many fields that is half of the time it takes to make one, for each of 5,000.

    id: int
    starttime: str
    answertime: str | None
    endtime: str
    duration: int
    billsec: int
    callmethod: int
    memberid: str
    custom: str
    customuuid: str
    caller: str
    destnumber: str
    extnumber: str
    recordfilename: str
    downloadip: str
    recordurl: str
    hangupdirection: int
    hangupcause: int
    uuid: str
    userkey: str
    companycode: str
    #: Direction and cause in the code set of 2017.
    older_direction: int
    older_cause: int
    #: The same for every call placed here: no employee, outgoing, no agent's leg, no task.
    userid: str = UNSET
    direction: str = "callout"
    nothing: str = ""
    zero: int = 0


def make_record(tenant: Tenant, call: Call) -> Record:
    """The record of an ended call."""
    settings = tenant.settings[PROVIDER_ID]
    options: RequestOptions = call.submission.details["options"]
    start, end = dial_second(call), _second(call.ended_at)
    answer = _second(call.answered_at) if call.answered_at is not None else None
    # "Waiting time": the only samples are unanswered calls, where it is the whole call.
    waiting = (end if answer is None else answer) - start
    recorded = is_recorded(call)
    older_direction, older_cause = older_pair(call)
    return Record(
        id=call.record,
        starttime=_text(start),
        answertime=None if answer is None else _text(answer),
        endtime=_text(end),
        duration=end - start if settings["duration_is_total"] else waiting,
        billsec=0 if answer is None else end - answer,
        callmethod=options.callmethod,
        memberid=options.memberid,
        custom=options.custom,
        customuuid=options.customuuid,
        caller=call.caller,
        destnumber=call.number,
        extnumber=options.extension if _transferred(call, options) else "",
        recordfilename=file_name(tenant, call) if recorded else "",
        downloadip=server_name(options.base_url) if recorded else "",
        recordurl=record_url(options.base_url, call) if recorded else "",
        hangupdirection=direction_of(call),
        hangupcause=int(cause_of(call)),
        uuid=call_uuid(call),
        userkey=_keys(call, settings["userkey_digits"]),
        companycode=settings["company_code"],
        older_direction=older_direction,
        older_cause=older_cause,
    )


def references(call: Call) -> list[str]:
    """What the client may know a call by besides the id of its record: its own ids, and the call's uuid."""
    options: RequestOptions = call.submission.details["options"]
    return [value for value in (options.customuuid, options.custom, call_uuid(call)) if value]


def dialled_at(call: Call) -> int:
    """Instant of dialling; of leaving the queue for a call that was never dialled."""
    if call.dialled_at is not None:
        return call.dialled_at
    return call.submitted_at if call.ended_at is None else call.ended_at


def dial_second(call: Call) -> int:
    """Unix seconds of dialling."""
    return _second(dialled_at(call))


def _second(instant: int | None) -> int:
    return (instant or 0) // SECOND


def _text(second: int) -> str:
    return wall_text(second * SECOND, UTC_OFFSET)


def _keys(call: Call, shown: str) -> str:
    if not call.keys:
        return ""
    keys = "".join(key for key in call.keys if key in "0123456789*#")
    return keys[:1] if shown == "first" else keys


def _transferred(call: Call, options: RequestOptions) -> bool:
    return bool(options.transfer_key) and options.transfer_key in call.keys


def call_uuid(call: Call) -> str:
    """A version 1 UUID of the instant of dialling, as in the 2025 sample; its node is a drawn one."""
    dialled = dialled_at(call)
    drawn = int(call.id, 16)
    # The call's id is 64 drawn bits: 14 for the clock sequence, 47 for the node (whose lowest bit of
    # the first byte says "not a network card"), 3 for ticks below a microsecond.
    ticks = dialled * 10 + _UUID_EPOCH + drawn % 8
    sequence = (drawn >> 3) & 0x3FFF
    node = (drawn >> 17) & 0xFFFFFFFFFFFF | 0x010000000000
    low, middle, high = ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF | 0x1000
    return f"{low:08x}-{middle:04x}-{high:04x}-{sequence | 0x8000:04x}-{node:012x}"
