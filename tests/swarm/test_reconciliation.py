"""The bill against the ledger: what differs, why, and that a right bill differs nowhere."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.swarm.ledger import GROUP, START, as_csv, call, mixed, row_of
from voice_emulator.core.billing import Tariff
from voice_emulator.core.shapes import Call, TimelineStep
from voice_emulator.errors import UsageError
from voice_emulator.swarm.bill_columns import Bill, BillRow
from voice_emulator.swarm.bill_map import BillMap
from voice_emulator.swarm.reconciliation import Difference, reconcile, reconcile_text

TARIFFS = {
    "huawei_cec": Tariff(6, Decimal("0.0021")),
    "infin8linx": Tariff(60, Decimal("0.15"), Decimal("0.01")),
}


def compared(rows: list[dict[str, Any]], calls: list[Call], **options: Any) -> tuple[Difference, ...]:
    return reconcile_text(as_csv(rows, row_of(calls[0])), "bill.csv", calls, **options).differences


def told(differences: tuple[Difference, ...]) -> list[tuple[str, str]]:
    return [(each.kind, each.cause) for each in differences]


WITHOUT: list[tuple[str, ...]] = [
    (),
    ("id",),
    ("id", "at"),
    ("number",),
    ("seconds",),
    ("id", "seconds", "at"),
]


@pytest.mark.parametrize("without", WITHOUT, ids=" ".join)
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_right_bill_has_no_difference_whatever_it_leaves_out(without, shuffled):
    calls = mixed(120)
    # The same numbers once more, on the next day.
    calls += [
        replace(each, id=f"again{each.id}", provider_id=f"again{each.provider_id}")
        for each in mixed(30, START + timedelta(days=1))
    ]
    rows = [{name: cell for name, cell in row_of(each).items() if name not in without} for each in calls]
    if shuffled:
        random.Random(7).shuffle(rows)
    assert reconcile_text(as_csv(rows), "bill.csv", calls).differences == ()


ZONES = [timezone(timedelta(hours=hours)) for hours in (0, 8, -5, 5.5)]
TIME_FORMS = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%d/%m/%Y %H:%M")
SPREAD = (
    lambda pick: pick.random() * 2_000_000,
    lambda pick: 600 * pick.randint(0, 200),
    lambda pick: 3600 * pick.randint(0, 60),
)


@pytest.mark.parametrize("without", WITHOUT, ids=" ".join)
def test_right_bills_of_few_numbers_and_many_calls_have_no_difference(without):
    """Calls to one number at several providers, hours apart or at once, in batches, with prices of the client's own."""
    for seed in range(15):
        pick = random.Random(seed)
        calls = []
        for index in range(pick.randint(1, 40)):
            begun = START + timedelta(seconds=pick.choice(SPREAD)(pick))
            provider = pick.choice(["nxcloud", "huawei_cec", "infin8linx"])
            batch: dict[str, Any] = {"provider_id": "batch"} if pick.random() < 0.3 else {}
            calls.append(call(
                index, provider=provider, talk=pick.randint(1, 300), answered=pick.random() < 0.7, at=begun,
                ring=pick.randint(0, 40), number=f"62812{pick.randrange(10):08}", **batch,
            ))  # fmt: skip
        zone, form, own_prices = pick.choice(ZONES), pick.choice(TIME_FORMS), pick.random() < 0.3
        rows = []
        for each in calls:
            own = own_prices and each.provider != "nxcloud" and each.answered_at
            row = row_of(each, at=each.submitted_at.astimezone(zone).strftime(form))
            row["charge"] = str(Decimal(pick.randint(1, 9)) / 100) if own else row["charge"]
            rows.append(
                {name: cell for name, cell in row.items() if name not in without or "number" in without}
            )
        pick.shuffle(rows)
        assert reconcile_text(as_csv(rows), "b.csv", calls).differences == (), (seed, zone, form, own_prices)


def test_missing_extra_and_doubled_rows_are_told_apart():
    calls = mixed(40)
    for without in ((), ("id",), ("id", "at")):
        rows = [{n: c for n, c in row_of(each).items() if n not in without} for each in calls]
        extra = {n: c for n, c in row_of(call(999)).items() if n not in without}
        found = reconcile_text(as_csv([*rows[:3], *rows[4:], rows[8], extra]), "b.csv", calls).differences
        assert {(each.kind, each.call and each.call.id) for each in found} == {
            ("doubled", calls[8].id), ("extra", None), ("missing", calls[3].id),
        }, without  # fmt: skip


@pytest.mark.parametrize("receipt", ["delivered", "lost", "reconciled", "late"])
def test_a_missing_call_says_how_the_client_could_have_learned_of_it(receipt):
    one = call(1, receipt="delivered" if receipt == "late" else receipt)
    if receipt == "late":
        one = replace(
            one, timeline=(TimelineStep(one.submitted_at + timedelta(hours=26, minutes=1), "callback", ""),)
        )
    found = reconcile(Bill(), [one]).differences
    causes = {"delivered": "receipt not booked", "lost": "no receipt", "reconciled": "record not booked",
              "late": "late receipt"}  # fmt: skip
    assert told(found) == [("missing", causes[receipt])]
    assert receipt != "late" or "26 h" in found[0].text


def test_a_call_that_costs_nothing_may_be_left_out_unless_others_are_listed():
    free = [call(index, provider="huawei_cec", answered=False) for index in range(1, 11)]
    paid = [call(index) for index in range(11, 14)]
    rows = [row_of(each) for each in paid]
    assert compared(rows, [*free, *paid]) == ()
    rows += [row_of(each) for each in free[:9]]
    assert [each.call for each in compared(rows, [*free, *paid])] == [free[9]]
    # An empty bill leaves nothing out on purpose.
    assert len(reconcile(Bill(), free).differences) == 10


LONG = call(1, talk=130)  # three cycles of 60 s
SHORT = call(2, talk=19)
SILENT = call(3, answered=False, ring=40)
VOICE = call(4, talk=19, tariff=Tariff(1, Decimal("0.012")), operation="notsend")
TWICE = call(5, talk=61, timeline=(TimelineStep(START, "callback", ""),) * 3)

WRONG: list[tuple[Call, str, str]] = [
    (LONG, "0.072", "rounded down"),
    (LONG, "0.144", "a cycle too many"),
    (call(1, talk=120), "0.036", "a cycle too few"),
    (LONG, "0.078", "no cycles"),
    (LONG, "4.680", "price per second"),
    (LONG, "0.113", "base fee added"),
    (LONG, "0.10800000000000001", "floating point"),
    (LONG, "0.1079999999999999987787546727", "floating point"),
    (LONG, "10.8", "wrong currency unit"),
    (LONG, "0.00108", "wrong currency unit"),
    (LONG, "108", "wrong currency unit"),
    (LONG, "0.1", "rounded down"),
    (LONG, "0.11", "rounded"),
    (SHORT, "0.1", "rounded up"),
    (LONG, "-0.108", "wrong sign"),
    (LONG, "0", "answered call not billed"),
    (LONG, "", "answered call not billed"),
    (LONG, "0.005", "answered call not billed"),
    (LONG, "0.216", "charged more than once"),
    (LONG, "0.12852", "tax added"),
    (LONG, "0.187", ""),
    (call(1, talk=50), str(834 * Decimal("0.036")), "milliseconds"),
    (call(1, talk=130, ring=200), str(6 * Decimal("0.036")), "ringing billed"),
    (VOICE, "0.72", "wrong cycle"),
    (VOICE, "0.036", "wrong tariff"),
    (SILENT, "0.036", "unanswered call billed"),
    (SILENT, "0", "base fee missing"),
    (TWICE, "0.216", "attempt counted instead of call"),
]


@pytest.mark.parametrize(
    ("one", "charge", "cause"), WRONG, ids=lambda value: str(getattr(value, "id", value))
)
def test_a_wrong_amount_has_its_cause(one, charge, cause):
    calls = [one, call(90), call(91, answered=False)]
    rows = [row_of(one, charge=charge), row_of(calls[1]), row_of(calls[2])]
    found = compared(rows, calls)
    assert told(found) == [("wrong amount", cause)]
    assert (found[0].call, found[0].expected) == (one, one.billing.charge)
    assert found[0].row.place == "bill.csv:2"


def test_a_cause_that_explains_more_rows_of_the_bill_is_preferred():
    # Nothing for a call of less than a cycle could as well be a call that was taken for an unanswered one.
    calls = [call(index, talk=index * 17) for index in range(1, 9)]
    rows = [row_of(each, charge=str(each.talk_seconds // 60 * GROUP.price)) for each in calls]
    found = compared(rows, calls)
    assert {each.cause for each in found if each.billed == 0} == {"rounded down"}


def test_the_tolerance_is_what_a_charge_may_be_off_by():
    rows = [row_of(LONG, charge="0.11")]
    assert compared(rows, [LONG], tolerance=Decimal("0.002")) == ()
    assert len(compared(rows, [LONG], tolerance=Decimal("0.0019"))) == 1


@pytest.mark.parametrize("provider", ["huawei_cec", "infin8linx"])
def test_a_provider_without_prices_is_measured_by_the_users_own_tariff(provider):
    calls = [
        call(index, provider=provider, talk=index * 11, answered=index % 3 != 0) for index in range(1, 20)
    ]
    tariff = TARIFFS[provider]
    rows = [
        row_of(each, charge=str(
            -(-each.talk_seconds // tariff.cycle) * tariff.price if each.answered_at else tariff.basic_price
        ))
        for each in calls
    ]  # fmt: skip
    found = reconcile_text(as_csv(rows), "bill.csv", calls)
    assert not found.differences or provider == "infin8linx"
    assert any("states no prices" in note for note in found.notes)
    assert compared(rows, calls, chosen=BillMap(tariffs=TARIFFS)) == ()
    rows[4]["charge"] = str(Decimal(rows[4]["charge"]) + tariff.price)
    assert told(compared(rows, calls, chosen=BillMap(tariffs=TARIFFS))) == [
        ("wrong amount", "a cycle too many")
    ]


def test_an_unanswered_call_that_is_billed_shows_without_prices_too():
    calls = [call(index, provider="huawei_cec", answered=index % 2 == 0) for index in range(1, 9)]
    rows = [row_of(each, charge="0.4" if each.answered_at else "0") for each in calls]
    rows[0]["charge"] = "0.2"
    assert told(compared(rows, calls)) == [("wrong amount", "unanswered call billed")]


def test_charges_where_the_ledger_says_nothing_and_the_bill_too_are_compared():
    calls = [call(index, provider="infin8linx") for index in range(1, 9)]
    rows = [row_of(each) for each in calls]
    rows[3]["charge"] = "0.2"
    assert told(compared(rows, calls)) == [("wrong amount", "")]


@pytest.mark.parametrize(
    ("seconds", "kind", "cause"),
    [("61", "", ""), ("60", "", ""), ("61.7", "", ""), ("120", "", ""), ("61000", "wrong seconds", "milliseconds"),
     ("69", "wrong seconds", "ringing billed"), ("1.02", "wrong seconds", "minutes"),
     ("90", "wrong seconds", "wrong seconds"), ("0", "wrong seconds", "wrong seconds")],
)  # fmt: skip
def test_seconds_are_the_talk_time_or_what_is_billed_of_it(seconds, kind, cause):
    found = told(compared([row_of(call(1), seconds=seconds)], [call(1)]))
    assert found == ([(kind, cause)] if kind else [])


def test_a_column_called_duration_may_include_the_ringing():
    one = call(1)
    row = {"number": one.number, "charge": "0.072", "duration": "69"}
    assert reconcile_text(as_csv([row]), "b.csv", [one]).differences == ()
    chosen = BillMap({"seconds": "duration"}, places={"seconds": ""})
    assert told(reconcile_text(as_csv([row]), "b.csv", [one], chosen=chosen).differences) == [
        ("wrong seconds", "ringing billed")
    ]


def test_wrong_seconds_explain_the_charge_that_follows_from_them():
    found = compared([row_of(call(1), seconds="240", charge="0.144")], [call(1)])
    assert told(found) == [("wrong amount", "wrong seconds")]


# --- days and zones -------------------------------------------------------------------------------

FORMS = {
    "aware": lambda at, hours: (at + timedelta(hours=hours)).isoformat(),
    "naive": lambda at, hours: (at + timedelta(hours=8 + hours)).strftime("%Y-%m-%d %H:%M:%S"),
    "naive utc": lambda at, hours: (at + timedelta(hours=hours)).strftime("%Y/%m/%d,%H:%M:%S:000"),
    "epoch": lambda at, hours: str(int((at + timedelta(hours=hours)).timestamp())),
    "epoch ms": lambda at, hours: str(int((at + timedelta(hours=hours)).timestamp() * 1000)),
    "date": lambda at, hours: (at + timedelta(hours=8 + hours)).strftime("%d.%m.%Y"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("without", [(), ("id",)], ids=["by id", "by number"])
def test_a_row_on_a_wrong_day_is_found_in_every_form_of_time(form, without):
    calls = [call(index, at=START + timedelta(minutes=97 * index)) for index in range(60)]

    def rows(wrong: int, hours: int) -> list[dict[str, Any]]:
        made = [row_of(each, at=FORMS[form](each.submitted_at, hours if index == wrong else 0))
                for index, each in enumerate(calls)]  # fmt: skip
        return [{name: cell for name, cell in row.items() if name not in without} for row in made]

    assert reconcile_text(as_csv(rows(-1, 0)), "b.csv", calls).differences == ()
    for hours in (24, -24, 240):
        found = reconcile_text(as_csv(rows(17, hours)), "b.csv", calls).differences
        assert told(found) == [("wrong day", "wrong day")]
        assert f"{abs(hours) // 24} day" in found[0].text


def test_hours_of_a_time_zone_are_named_where_they_move_a_call_to_another_day():
    one = call(1, at=START.replace(hour=20))
    row = row_of(one, at=(one.submitted_at + timedelta(hours=8)).isoformat())
    found = compared([row], [one])
    assert told(found) == [("wrong day", "time zone")]
    assert "8 h late" in found[0].text


def test_the_zone_of_times_without_one_can_be_given():
    calls = [call(index, at=START + timedelta(minutes=97 * index)) for index in range(60)]
    rows = [row_of(each, at=f"{each.submitted_at:%Y-%m-%d}") for each in calls]
    assert compared(rows, calls) == ()
    found = compared(rows, calls, chosen=BillMap(zone=8 * 3600))
    assert {each.kind for each in found} == {"wrong day"}
    assert 10 < len(found) < 30


def test_a_call_around_midnight_is_on_both_days():
    one = call(1, at=START.replace(hour=23, minute=59))
    for day in ("2026-01-05", "2026-01-06"):
        assert compared([row_of(one, at=day)], [one], chosen=BillMap(zone=0)) == ()


# --- currencies and ids ---------------------------------------------------------------------------


def test_a_row_in_another_currency_stands_out():
    calls = [call(index) for index in range(1, 6)]
    rows = [row_of(each, currency="usd") for each in calls]
    assert reconcile_text(as_csv(rows), "b.csv", calls).differences == ()
    rows[2]["currency"] = "EUR"
    assert told(reconcile_text(as_csv(rows), "b.csv", calls).differences) == [
        ("wrong currency", "wrong currency")
    ]


def test_a_number_of_the_row_is_not_taken_for_an_id_unless_the_map_says_so():
    calls = mixed(6)
    rows = [row_of(each, id=str(index)) for index, each in enumerate(calls)]
    assert compared(rows, calls) == ()
    found = compared(rows, calls, chosen=BillMap({"id": "id"}, places={"id": "map.yaml:1:6"}))
    assert {(each.kind, each.cause) for each in found if each.kind == "extra"} == {("extra", "unknown id")}
    assert len(found) == 12


def test_calls_of_one_batch_share_an_id_and_are_told_apart_by_their_numbers():
    calls = [call(index, provider_id="batch", batch_id="batch", talk=30 * index) for index in range(1, 9)]
    rows = [row_of(each) for each in calls]
    rows[3]["number"] = "0" + rows[3]["number"].removeprefix("62")
    assert compared(rows, calls) == ()
    assert told(compared([*rows, rows[2]], calls)) == [("doubled", "booked again")]


def test_numbers_match_by_their_last_digits_and_those_of_two_countries_by_all():
    calls = [call(1, number="628123456789"), call(2, number="918123456789", talk=300)]
    rows = [
        row_of(calls[1], number="+91 8123-456789"), row_of(calls[0], number="0062 8123 456789"),
    ]  # fmt: skip
    for row in rows:
        del row["id"], row["at"]
    assert reconcile_text(as_csv(rows), "b.csv", calls).differences == ()


@pytest.mark.parametrize("state", ["queued", "talking", "ended"])
def test_a_call_without_a_bill_of_its_own_is_not_billed(state):
    one = call(1, state=state, billing=None, answered=False, ended_at=None)
    assert compared([row_of(one, charge="0")], [one]) == ()
    cause = "dropped call billed" if state == "ended" else "billed too early"
    assert told(compared([row_of(one, charge="0.036")], [one])) == [("extra", cause)]


def test_a_row_more_than_calls_to_a_number_counts_attempts():
    one = call(1)
    later = row_of(one, at=(one.submitted_at + timedelta(hours=3)).isoformat())
    rows = [{name: row[name] for name in ("number", "charge", "at")} for row in (row_of(one), later)]
    assert told(reconcile_text(as_csv(rows), "b.csv", [one]).differences) == [
        ("extra", "attempt counted instead of call")
    ]


def test_a_receipt_that_was_booked_at_each_push_is_named():
    rows = [row_of(TWICE)] * 3
    assert told(compared(rows, [TWICE])) == [("doubled", "attempt counted instead of call")] * 2


def test_rows_and_calls_of_one_number_pair_off_by_time():
    """A row that is missing, one that is doubled, and one with a wrong charge, all of the same number."""
    calls = [call(index, number="6281234567", talk=61) for index in range(0, 600, 10)]
    rows = [{name: row_of(each)[name] for name in ("number", "charge", "at")} for each in calls]
    del rows[5]
    rows.append(rows[20])
    rows[30] = rows[30] | {"charge": "0.108"}
    random.Random(3).shuffle(rows)
    found = reconcile_text(as_csv(rows), "b.csv", calls).differences
    assert sorted((each.kind, calls.index(each.call)) for each in found if each.call) == [
        ("doubled", 21), ("missing", 5), ("wrong amount", 31),
    ]  # fmt: skip


def test_differences_come_in_the_order_of_the_bill_and_missing_calls_last():
    calls = mixed(12)
    rows = [row_of(each) for each in calls[1:]]
    rows[1] = rows[1] | {"at": "2020-01-01"}
    rows.insert(0, row_of(call(77)))
    rows.append(row_of(call(78)))
    assert [each.kind for each in compared(rows, calls)] == ["extra", "wrong day", "extra", "missing"]


def test_rows_of_the_three_providers_own_records_are_a_bill():
    nx, huawei, in8 = mixed(3)[2], mixed(3)[0], mixed(3)[1]
    nx = replace(nx, answered_at=nx.submitted_at, talk_seconds=61)
    rows = [
        {"phone": nx.number[2:], "messageid": nx.provider_id, "size": 2, "customer_price": 0.036, "second": 61,
         "basic_price": 0.005, "cycle": 60, "start_time": f"{nx.submitted_at + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"},
        {"callSerialNo": huawei.provider_id, "called": huawei.number, "talkDuration": str(huawei.talk_seconds),
         "createCallTime": f"{huawei.submitted_at:%Y/%m/%d,%H:%M:%S}:000"},
        {"id": in8.provider_id, "destnumber": in8.number, "billsec": in8.talk_seconds, "duration": 8,
         "starttime": f"{in8.submitted_at + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"},
    ]  # fmt: skip
    assert nx.billing is not None
    nx = replace(nx, billing=replace(nx.billing, cycles=2, charge=Decimal("0.072")))
    body = "\n".join(json.dumps(row) for row in rows).encode()
    found = reconcile_text(body, "records.jsonl", [nx, huawei, in8])
    assert found.differences == ()
    assert "computed from the provider's own fields" in found.notes[0]
    wrong = body.replace(b'"size": 2', b'"size": 3')
    assert told(reconcile_text(wrong, "records.jsonl", [nx, huawei, in8]).differences) == [
        ("wrong amount", "a cycle too many")
    ]


def test_the_oracle_takes_rows_that_were_never_a_file():
    rows = [BillRow("row 1", number=LONG.number, charge=Decimal("0.072"))]
    found = reconcile(Bill(rows), [LONG])
    assert told(found.differences) == [("wrong amount", "rounded down")]
    assert (found.rows, found.calls) == (1, 1)


SEEDS = [
    as_csv([row_of(each) for each in mixed(6)]),
    as_csv([row_of(each, charge="1.234,5 EUR", at="03/04/2026") for each in mixed(6)], delimiter=";"),
    json.dumps([row_of(each) for each in mixed(6)], indent=1).encode(),
    "\n".join(json.dumps(row_of(each)) for each in mixed(6)).encode(),
    b"number,charge,at\n1,2,0001-01-01T00:00:00+14:00\n62812000001,0,9999-12-31T23:59:59-12:00\n62812000001,,9999-12-31\n",
]
PIECES = [
    b'"',
    b",",
    b";",
    b"\n",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"e99",
    b"-",
    b"9" * 20,
    b"\0",
    b"\xff",
    b"NaN",
    b"\\ud800",
]


@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5), st.sampled_from([*PIECES, b""])), max_size=6),
)
def test_a_damaged_bill_is_compared_or_refused_in_one_line(body, damages):
    for where, length, piece in damages:
        start = int(where * len(body))
        body = body[:start] + piece + body[start + length :]
    said = "b:"
    try:
        reconcile_text(body, "b", mixed(6))
    except UsageError as error:
        said = str(error)
    assert said.startswith("b:")
    assert "\n" not in said
