"""One call, one record: its times, spans, uuid and id, and that push and query tell the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import RFC_4122, UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.providers.infin8linx.account import EVER, dial, make_request, make_tenant, run_out, some_numbers
from voice_emulator.core.clock import SECOND
from voice_emulator.core.distributions import Fixed, Uniform
from voice_emulator.core.matchers import Match
from voice_emulator.core.scenario import CallEffect, CallSpec, Rule
from voice_emulator.core.vocabulary import CONNECTED, Outcome, Party
from voice_emulator.providers.infin8linx import PROVIDER, receipts
from voice_emulator.providers.infin8linx.bills import BILL
from voice_emulator.providers.infin8linx.records import call_uuid, make_record

SHANGHAI = ZoneInfo("Asia/Shanghai")

EVERYTHING = Rule(
    "everything",
    Match(),
    call=CallEffect(
        tuple(
            CallSpec(
                outcome,
                ring=Uniform(0, 25 * SECOND)
                if outcome not in (Outcome.UNREACHABLE, Outcome.BARRED)
                else None,
                talk=Uniform(0, 90 * SECOND) if outcome in CONNECTED else None,
                hangup=((Party.CALLEE, 1.0), (Party.CALLER, 1.0)) if outcome is Outcome.ANSWERED else (),
                keys="12#" if outcome is Outcome.ANSWERED else "",
            )
            for outcome in Outcome
        )
    ),
)


def seconds_between(earlier: str, later: str) -> int:
    form = "%Y-%m-%d %H:%M:%S"
    return int((datetime.strptime(later, form) - datetime.strptime(earlier, form)).total_seconds())


def test_push_and_query_tell_the_same_of_thousands_of_calls() -> None:
    tenant = make_tenant([EVERYTHING])
    for batch in range(3):
        dial(
            tenant,
            some_numbers(1000, prefix=f"6281{batch}"),
            userkey="1",
            chengshudu="c",
            customuuid=f"batch {batch}",
        )
    pushed: dict[int, dict[str, Any]] = {}
    for push in run_out(tenant):
        fields = receipts.fields_2025(tenant, push)
        pushed[fields["id"]] = fields
    request = make_request(
        tenant, "GetBill", {**EVER, "callmethod": "6", "syncflag": "3", "itemsperpage": "1000"}
    )
    queried: dict[int, dict[str, Any]] = {}
    for page in ("1", "2", "3"):
        request.fields = {**request.fields, "currentpage": page}
        result = PROVIDER.operations["GetBill"].answer(request, ()).payload["data"]["result"]
        assert result["totalitems"] == 3000
        queried |= {bill["id"]: bill for bill in result["bills"]}
    assert len(pushed) == len(queried) == 3000
    for identity, bill in queried.items():
        fields = dict(pushed[identity])
        fields["displaynumber"] = fields.pop("disnumber")
        fields["answertime"] = fields["answertime"] or None
        assert bill == {name: fields[name] for name in bill}


def test_records_never_contradict_themselves() -> None:
    tenant = make_tenant([EVERYTHING])
    calls = dial(tenant, some_numbers(3000), userkey="1")
    run_out(tenant)
    outcomes = set()
    for call in calls:
        record = make_record(tenant, call)
        outcomes.add(call.outcome)
        whole = seconds_between(record.starttime, record.endtime)
        if call.outcome in CONNECTED:
            assert record.answertime is not None
            assert record.duration == seconds_between(record.starttime, record.answertime)
            assert (
                record.billsec == seconds_between(record.answertime, record.endtime) == call.talk_seconds >= 1
            )
            assert record.billsec <= 60, "conntime cuts at its default"
        else:
            assert record.answertime is None
            assert record.billsec == 0
            assert record.userkey == ""
            assert record.duration == whole <= 60
        assert record.userkey in ("", "1")
        assert (record.hangupdirection == 10041) is (call.ended_by is Party.CALLEE)
    assert outcomes == set(Outcome)


@given(st.integers(0, 2**40), st.integers(0, 59_999_999), st.integers(0, 59_999_999))
def test_times_are_utc_plus_8_cut_to_seconds(start: int, ring: int, talk: int) -> None:
    """Against the zone database: China has had no other offset since 1991."""
    at = 700_000_000 * SECOND + start * 1000
    spec = CallSpec(Outcome.ANSWERED, ring=Fixed(ring), talk=Fixed(talk))
    tenant = make_tenant([Rule("one", Match(), call=CallEffect((spec,)))], at=at)
    (call,) = dial(tenant, ["81351111451"])
    run_out(tenant)
    record = make_record(tenant, call)
    for text, instant in (
        (record.starttime, call.dialled_at),
        (record.answertime, call.answered_at),
        (record.endtime, call.ended_at),
    ):
        assert instant is not None
        shown = datetime.fromtimestamp(instant // SECOND, SHANGHAI)
        assert text == shown.strftime("%Y-%m-%d %H:%M:%S")


def test_the_uuid_is_version_1_and_holds_the_instant_of_dialling() -> None:
    tenant = make_tenant([EVERYTHING], {"dial_concurrency": 10})
    calls = dial(tenant, some_numbers(2000))
    run_out(tenant)
    seen = set()
    for call in calls:
        identity = UUID(call_uuid(call))
        seen.add(identity)
        assert identity.version == 1
        assert identity.variant == RFC_4122
        made = datetime(1582, 10, 15, tzinfo=UTC) + timedelta(microseconds=identity.time // 10)
        assert call.dialled_at is not None
        assert made == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=call.dialled_at)
        assert identity.node >> 40 & 1, "a node that is not a network card has the multicast bit"
    assert len(seen) == 2000
    assert len({call.dialled_at for call in calls}) > 50, "ten at a time are not dialled all at once"


def test_the_document_s_uuid_and_time_agree_as_ours_do() -> None:
    """The proof of UTC+8: the 2025 sample's uuid and starttime are one instant."""
    identity = UUID("db4a44cc-aa72-11f0-ad78-1d7ff0749d07")
    made = datetime(1582, 10, 15, tzinfo=UTC) + timedelta(microseconds=identity.time // 10)
    assert (made + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S") == "2025-10-16 17:31:13"


def test_uuids_do_not_depend_on_the_order_of_submission() -> None:
    """Nor does anything else in a record but its id, which counts."""
    wanted = some_numbers(400)
    shown = []
    for order in (wanted, wanted[::-1]):
        tenant = make_tenant([EVERYTHING])
        calls = [call for number in order for call in dial(tenant, [number])]
        run_out(tenant)
        shown.append({call.number: replace(make_record(tenant, call), id=0) for call in calls})
    assert shown[0] == shown[1]


def test_duration_may_be_the_whole_call() -> None:
    tenant = make_tenant(settings={"duration_is_total": True})
    (call,) = dial(tenant, ["81351111451"])
    run_out(tenant)
    record = make_record(tenant, call)
    assert (record.duration, record.billsec) == (13, 10)


def test_all_keys_may_be_shown() -> None:
    tenant = make_tenant([EVERYTHING], {"userkey_digits": "all"})
    calls = dial(tenant, some_numbers(50), userkey="1")
    run_out(tenant)
    assert {make_record(tenant, call).userkey for call in calls} == {"", "12#"}


def test_getbill_shows_userkey_only_when_told_to() -> None:
    tenant = make_tenant()
    (call,) = dial(tenant, ["81351111451"])
    run_out(tenant)
    record = make_record(tenant, call)
    assert "userkey" not in BILL(record)
