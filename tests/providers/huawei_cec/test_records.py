from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import DAY, MILLISECOND, SECOND, ClockSpec, parse_rfc3339
from voice_emulator.core.distributions import Fixed, Uniform
from voice_emulator.core.lifecycle import place
from voice_emulator.core.matchers import Match
from voice_emulator.core.placing import ReceiptPlan, Submission
from voice_emulator.core.plan import Plan
from voice_emulator.core.scenario import CallEffect, CallSpec, ReceiptEffect, Rule, Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Outcome, Party, State, Step
from voice_emulator.providers.huawei_cec import PROVIDER
from voice_emulator.providers.huawei_cec.queries import list_records
from voice_emulator.providers.huawei_cec.records import (
    CAUSES,
    REASONS,
    call_record,
    release_fields,
    release_reason,
    wall_time,
)
from voice_emulator.providers.request import Request

BEGIN = parse_rfc3339("2022-02-22T10:04:28.823+00:00")


def tenant_with(*rules: Rule, **settings: object) -> Tenant:
    scenario = Scenario("generated", rules=rules, providers={"huawei_cec": settings})
    tenancy = Tenancy({"huawei_cec": PROVIDER}, lambda: BEGIN)
    return tenancy.create(scenario, id="default", clock=ClockSpec("manual", start=BEGIN))


def request_of(tenant: Tenant, **fields: str) -> Request:
    request = Request("huawei_cec", "POST", "", {}, {}, b"{}", "127.0.0.1", document=dict(fields))
    request.tenant, request.now = tenant, tenant.now
    return request


def submission() -> Submission:
    return Submission(
        provider="huawei_cec", operation="createVoiceNotification", caller="960003",
        receipts=(ReceiptPlan("release"),),
    )  # fmt: skip


def dial(tenant: Tenant, *numbers: str) -> list[Call]:
    calls = place(tenant, submission(), numbers, {}, tenant.now)
    for index, call in enumerate(calls):
        call.provider_id = PROVIDER.call_id(tenant, request_of(tenant), call, index)
    tenant.steps.start(calls, tenant.now)
    return calls


def run_out(tenant: Tenant) -> None:
    while (due := tenant.engine.next_due()) is not None:
        tenant.clock.advance_to(due)
        tenant.engine.fire(due)


def ended(
    outcome: Outcome, by: Party, *, ring: int | None = None, talk: int | None = None, cause: str | None = None
) -> Call:
    """A call that went like this, without any tenant."""
    plan = Plan(outcome, by, setup=SECOND if ring is None else 0, ring=ring, talk=talk, cause=cause)
    call = Call("c", "8899", 1, submission(), plan, BEGIN)
    call.take(Step.DIAL, BEGIN)
    if ring is not None:
        call.take(Step.RING, BEGIN)
        if talk is not None:
            call.take(Step.ANSWER, BEGIN + ring)
    call.take(Step.END, BEGIN + plan.span)
    return call


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (ended(Outcome.ANSWERED, Party.CALLEE, ring=SECOND, talk=SECOND), "0"),
        (ended(Outcome.ANSWERED, Party.CALLER, ring=SECOND, talk=SECOND), "1"),
        (ended(Outcome.TIME_LIMIT, Party.CALLER, ring=SECOND, talk=SECOND), "1"),
        (ended(Outcome.NO_ANSWER, Party.CALLER, ring=SECOND), "4"),
        (ended(Outcome.REJECTED, Party.CALLEE, ring=SECOND), "4"),
        (ended(Outcome.BUSY, Party.CALLEE, ring=SECOND), "4"),
        (ended(Outcome.BUSY, Party.CALLEE), "6"),
        (ended(Outcome.UNREACHABLE, Party.NETWORK), "6"),
        (ended(Outcome.INVALID_NUMBER, Party.NETWORK), "6"),
        (ended(Outcome.NETWORK_FAILURE, Party.NETWORK), "8"),
        (ended(Outcome.BARRED, Party.NETWORK), "10"),
        (ended(Outcome.NETWORK_FAILURE, Party.NETWORK, cause="queue_timeout"), "9"),
        (ended(Outcome.ANSWERED, Party.CALLER, ring=SECOND, talk=SECOND, cause="999"), "999"),
        (ended(Outcome.BUSY, Party.CALLEE, cause="USER_BUSY"), "6"),
    ],
)
def test_every_outcome_has_its_release_reason(call: Call, reason: str) -> None:
    assert reason == release_reason(call)


def test_every_documented_reason_can_be_had() -> None:
    assert set(REASONS.values()) == {"0", "1", "4", "6", "8", "9", "10", "999"}
    assert {release_reason(ended(Outcome.BUSY, Party.CALLEE, cause=cause)) for cause in CAUSES} == set(
        REASONS.values()
    )


@pytest.mark.parametrize(
    ("instant", "offset", "text"),
    [
        (BEGIN, 0, "2022/02/22,10:04:28:823"),
        (BEGIN + 999, 0, "2022/02/22,10:04:28:823"),
        (BEGIN, 8, "2022/02/22,18:04:28:823"),
        (BEGIN, 5.5, "2022/02/22,15:34:28:823"),
        (0, 0, "1970/01/01,00:00:00:000"),
        (parse_rfc3339("2026-12-31T23:59:59.999999+00:00"), 0, "2026/12/31,23:59:59:999"),
        (parse_rfc3339("2024-02-29T00:00:00.007+00:00"), -1, "2024/02/28,23:00:00:007"),
    ],
)
def test_wall_times(instant: int, offset: float, text: str) -> None:
    assert text == wall_time(instant, offset)


def everything_mixed() -> Rule:
    ring, talk = Uniform(0, 30 * SECOND), Uniform(0, 90 * SECOND)
    outcomes = (Outcome.NO_ANSWER, Outcome.REJECTED, Outcome.BUSY)
    return Rule(
        "mixed",
        call=CallEffect(
            (
                CallSpec(
                    Outcome.ANSWERED,
                    ring=ring,
                    talk=talk,
                    hangup=((Party.CALLEE, 1), (Party.CALLER, 1)),
                    weight=9,
                ),
                CallSpec(Outcome.ANSWERED, ring=ring, talk=talk, cause="999"),
                CallSpec(Outcome.TIME_LIMIT, ring=ring, talk=Fixed(60 * SECOND)),
                *(CallSpec(outcome, ring=ring) for outcome in outcomes),
                *(
                    CallSpec(outcome)
                    for outcome in Outcome
                    if outcome not in outcomes and outcome is not Outcome.TIME_LIMIT
                ),
                CallSpec(Outcome.NETWORK_FAILURE, cause="9"),
            )
        ),
    )


def all_pages(tenant: Tenant, **fields: str) -> list[dict[str, object]]:
    span = {"startTime": str(BEGIN // MILLISECOND), "endTime": str((BEGIN + 7 * DAY) // MILLISECOND)}
    records: list[dict[str, object]] = []
    while True:
        offset = {"offset": str(len(records))}
        reply = list_records(request_of(tenant, **{**span, **offset, **fields}), ())
        records += reply.payload["result"]["callInfo"]
        if len(records) >= reply.payload["result"]["total"]:
            return records


def as_ms(text: str) -> str:
    """A wall time of the release event in epoch milliseconds, by the standard library."""
    head, _, millis = text.rpartition(":")
    moment = datetime.strptime(head, "%Y/%m/%d,%H:%M:%S").replace(tzinfo=UTC)
    return str(int(moment.timestamp()) * 1000 + int(millis))


def test_records_equal_receipts_over_thousands_of_calls() -> None:
    tenant = tenant_with(everything_mixed())
    for batch in range(300):
        dial(tenant, *(f"86{batch:04d}{index}" for index in range(10)))
        tenant.clock.advance_to(tenant.now + 123_457)
        tenant.engine.fire(tenant.now)
    run_out(tenant)
    receipts = {}
    while (push := tenant.outbox.take()) is not None:
        fields = PROVIDER.receipts["release"].fields(tenant, push)
        receipts[fields["callSerialNo"]] = fields
    records = all_pages(tenant)
    assert len(records) == len(receipts) == 3000
    reasons = set()
    for record in records:
        receipt = receipts[record["callSerialNo"]]
        reasons.add(receipt["releaseReason"])
        assert record["state"] == 3
        assert str(record["reasonCode"]) == receipt["releaseReason"]
        assert record["called"] == receipt["called"]
        assert record["callerPresent"] == receipt["callerPresent"]
        assert record["talkDuration"] == receipt["talkDuration"]
        assert record["startTime"] == as_ms(receipt["createCallTime"])
        assert record["endTime"] == record["releaseTime"] == as_ms(receipt["releaseTime"])
        for name in ("alertingTime", "talkingTime"):
            assert (name in record) == (name in receipt)
            assert name not in record or record[name] == as_ms(receipt[name])
    assert reasons == set(REASONS.values())


def test_release_events_hold_together() -> None:
    """Times in order; talk time, ringing and recording only where there was some."""
    tenant = tenant_with(everything_mixed())
    calls = dial(tenant, *(f"86{index:05d}" for index in range(2000)))
    run_out(tenant)
    while (push := tenant.outbox.take()) is not None:
        fields = PROVIDER.receipts["release"].fields(tenant, push)
        assert list(fields) == sorted(fields)
        assert all(isinstance(value, str) and value for value in fields.values())
        reason, times = (
            fields["releaseReason"],
            [
                fields[name]
                for name in ("createCallTime", "alertingTime", "talkingTime", "releaseTime")
                if name in fields
            ],
        )
        assert times == sorted(times)
        answered = reason in ("0", "1", "999")
        assert ("talkingTime" in fields) == answered
        assert ("alertingTime" in fields) == (answered or reason == "4")
        assert ("recordfile" in fields) == ("locationId" in fields) == (reason in ("0", "1"))
        assert (int(fields["talkDuration"]) > 0) == answered
        if answered:
            talked = int(as_ms(fields["releaseTime"])) - int(as_ms(fields["talkingTime"]))
            assert abs(talked - 1000 * int(fields["talkDuration"])) <= 1
        if "recordfile" in fields:
            path = re.fullmatch(
                r"Y:/2/mobileAgent/([0-9]{8})/([0-9]{10})-([0-9]{3})\.wav", fields["recordfile"]
            )
            assert path is not None
            assert path[1] == fields["createCallTime"][:10].replace("/", "")
            assert path[2] + path[3] == as_ms(fields["createCallTime"])
    assert {call.state for call in calls} == {State.ENDED}


def test_serial_numbers_have_19_digits_grow_and_never_repeat() -> None:
    tenant = tenant_with()
    serials = []
    for _ in range(300):
        serials += [call.provider_id for call in dial(tenant, "8899")]
        tenant.clock.advance_to(tenant.now + 1000)
    assert serials == sorted(set(serials))
    assert {len(serial) for serial in serials} == {19}
    crowd = [call.provider_id for call in dial(tenant, *(f"1{index:04d}" for index in range(5000)))]
    assert len(set(crowd)) == 5000


def test_the_account_may_shift_the_wall_clock_and_record_nothing() -> None:
    tenant = tenant_with(utc_offset_hours="8", recording=False)
    dial(tenant, "8899")
    run_out(tenant)
    push = tenant.outbox.take()
    assert push is not None
    fields = PROVIDER.receipts["release"].fields(tenant, push)
    assert fields["createCallTime"] == "2022/02/22,18:04:28:823"
    assert "recordfile" not in fields
    assert "locationId" not in fields


def test_a_caller_that_is_not_shown_is_left_out() -> None:
    tenant = tenant_with()
    placed = place(tenant, Submission("huawei_cec", "createVoiceNotification"), ("8899",), {}, tenant.now)
    placed[0].provider_id = "1"
    tenant.steps.start(placed, tenant.now)
    run_out(tenant)
    assert "callerPresent" not in release_fields(tenant, placed[0])
    assert not {"caller", "callerPresent"} & set(call_record(placed[0]))


def test_a_record_may_lag_behind_its_push() -> None:
    lag = Rule("lag", match=Match(), receipt=ReceiptEffect(query_lag=Fixed(30 * SECOND)))
    tenant = tenant_with(lag)
    dial(tenant, "8899")
    span = {"startTime": str(BEGIN // MILLISECOND), "endTime": str((BEGIN + DAY) // MILLISECOND)}
    assert list_records(request_of(tenant, **span), ()).code == "1"
    run_out(tenant)
    assert tenant.outbox.due
    assert list_records(request_of(tenant, **span), ()).code == "1"
    tenant.clock.advance_to(tenant.now + 30 * SECOND)
    assert list_records(request_of(tenant, **span), ()).payload["result"]["total"] == 1
