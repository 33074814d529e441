"""Which columns are recognised, and rows as values."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from voice_emulator.errors import UsageError
from voice_emulator.swarm.bill_columns import Bill, BillRow, Known, read_rows
from voice_emulator.swarm.bill_file import read_table
from voice_emulator.swarm.bill_map import BillMap, read_map

KNOWN = Known({"81234567", "81234568"}, {"m-1", "m-2"})


def rows_of(text: str, chosen: str = "", known: Known = KNOWN) -> Bill:
    return read_rows(read_table(text.encode(), "b"), read_map(chosen.encode(), "map"), known)


NUMBERS = ("number", "Called Number", "phone_number", "destNumber", "MSISDN", "called", "To")
CHARGES = ("charge", "Amount", "total_cost", "FEE", "Price", "Charge (USD)", "amount EUR")
SECONDS = ("seconds", "billsec", "Talk Duration", "talkDuration", "duration", "duration_seconds", "second")


@pytest.mark.parametrize(("number", "charge", "seconds"), list(zip(NUMBERS, CHARGES, SECONDS, strict=True)))
def test_usual_names_in_any_case_and_spelling_are_recognised(number, charge, seconds):
    bill = rows_of(f"{charge};{number};{seconds}\n0.5;6281234567;61\n")
    (row,) = bill.rows
    assert (row.place, row.number, row.charge, row.seconds) == (
        "b:2",
        "6281234567",
        Decimal("0.5"),
        Decimal(61),
    )
    assert f"number = {number}" in bill.recognised
    assert row.currency == ("USD" if "USD" in charge else "EUR" if "EUR" in charge else "")


@pytest.mark.parametrize(
    ("charge", "seconds"),
    [("charge_cents", "duration_ms"), ("amountCt", "talk_seconds_ms"), ("fee minor", "milliseconds")],
)
def test_a_unit_in_the_name_is_taken_into_account(charge, seconds):
    bill = rows_of(f"number,{charge},{seconds}\n6281234567,3.6,61000\n")
    assert (bill.rows[0].charge, bill.rows[0].seconds) == (Decimal("0.036"), Decimal(61))
    assert any("(times 0.01)" in told for told in bill.recognised)


def test_of_several_columns_with_a_usual_name_the_one_that_the_ledger_knows_is_taken():
    text = "id,reference,to,called,amount,charge\n17,m-1,100,6281234567,9,1\n18,m-2,100,6281234568,9,2\n"
    bill = rows_of(text)
    assert [(row.id, row.number, row.charge) for row in bill.rows] == [
        ("m-1", "6281234567", 1), ("m-2", "6281234568", 2),
    ]  # fmt: skip
    assert rows_of("id,number,charge\n17,6281234567,1\n").rows[0].id == ""


def test_an_id_of_the_call_is_preferred_to_one_of_its_batch():
    known = Known({"81234567"}, {"batch", "c1", "c2"})
    bill = rows_of(
        "messageid,uuid,number,charge\nbatch,c1,6281234567,1\nbatch,c2,6281234567,1\n", known=known
    )
    assert [row.id for row in bill.rows] == ["c1", "c2"]


def test_rows_of_json_may_each_have_names_of_their_own():
    rows = [
        {"phone": "81234567", "messageid": "m-1", "charge": 1},
        {"called": "6281234568", "callSerialNo": "m-2", "cost": {"charge": "2"}},
    ]  # fmt: skip
    bill = rows_of("\n".join(map(json.dumps, rows)))
    assert [(row.id, row.charge) for row in bill.rows] == [("m-1", 1), ("m-2", 2)]


def test_a_map_names_columns_and_what_it_leaves_out_is_recognised():
    text = "Rufnummer;Betrag;Dauer;charge\n6281234567;0,036;61;9\n"
    bill = rows_of(text, "number: Rufnummer\ncharge: betrag\n")
    assert bill.rows == [BillRow("b:2", "6281234567", "", Decimal("0.036"))]
    assert bill.recognised == ("number = Rufnummer", "charge = Betrag")


def test_a_map_may_say_that_there_is_no_such_column():
    text = "number,charge,note\n6281234567,abc,0.036\n"
    assert not rows_of(text, "charge: null").charged
    assert rows_of(text, "charge: null").rows[0].charge is None


@pytest.mark.parametrize(
    ("text", "chosen", "said"),
    [
        ("number,charge\n628,1,\n628,x\n", "", "b:3: column 'charge': 'x' is not an amount; write one like 0.036"),
        ("number,charge,at\n628,1,soon\n", "", "b:2: column 'at': 'soon' is not a time"),
        ("number,charge,seconds\n628,1,long\n", "", "b:2: column 'seconds': 'long' is not a duration"),
        ("number,charge\n6.28E+12,1\n", "", "b:2: column 'number': '6.28E+12' has lost its last digits"),
        ("number,charge\n,1\n", "", "b:2: this row has neither a number nor an id"),
        ("nunber,charge\n628,1\n", "", "(columns: 'nunber', 'charge'); is it 'nunber'?; name it with --map"),
        ("number,chrage\n628,1\n", "", "no column is known to be the charge (columns: 'number', 'chrage'); is it 'chrage'?"),
        ("number,charge\n628,1\n", "at: 1\ncharge: chrge\n", "map:2:1: b has no column 'chrge'"),
        ("number,charge\n628,1\n", "charge: chrge\n", "map:1:1: b has no column 'chrge'; did you mean 'charge'?"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_names_the_place_and_the_nearest_valid_thing(text, chosen, said):
    with pytest.raises(UsageError) as caught:
        rows_of(text, chosen)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_line_of_the_total_is_no_call():
    bill = rows_of("number,charge\n6281234567,1\n6281234568,2\n,3\n".replace(",3", ",Total: 3"), "")
    assert len(bill.rows) == 2
    bill = rows_of("name,number,charge\nx,6281234567,1\nTotal,,1\n")
    assert len(bill.rows) == 1


def test_an_empty_charge_is_none_and_a_bill_without_rows_needs_no_columns():
    assert rows_of("number,charge,at\n6281234567,,\n").rows == [BillRow("b:2", "6281234567")]
    assert rows_of("anything\n").rows == []


def test_cost_of_a_row_is_computed_from_a_providers_own_fields():
    text = "phone,messageid,size,customer_price,basic_price,second\n81234567,m-1,2,0.036,0.005,61\n81234568,m-2,0,0.036,0.005,0\n"
    assert [row.charge for row in rows_of(text).rows] == [Decimal("0.072"), Decimal("0.005")]


def test_ids_are_trusted_where_the_map_names_their_column():
    text = "number,charge,ref\n6281234567,1,unknown\n"
    assert not rows_of(text).trusts_ids
    assert rows_of(text, "id: ref").trusts_ids
    assert rows_of(text, "id: ref").rows[0].id == "unknown"
    assert read_rows(read_table(b"", "b"), BillMap({"id": "x"}, places={"id": ""}), KNOWN).trusts_ids
