"""Bills as text: the dialects of CSV, JSON lines and JSON, and what is said of those that cannot be read."""

from __future__ import annotations

import json

import pytest

from voice_emulator.errors import UsageError
from voice_emulator.swarm.bill_file import read_table

ROWS = [
    {"number": "6281234567", "charge": "0.036", "note": "a, b; c"},
    {"number": "6281234568", "charge": "1.20", "note": 'said "no"\nand rang off'},
]


def csv_text(delimiter: str, end: str = "\n", quote: bool = False) -> str:
    def cell(value: str) -> str:
        odd = quote or any(sign in value for sign in f'{delimiter}"\n')
        return '"' + value.replace('"', '""') + '"' if odd else value

    lines = [list(ROWS[0]), *(list(row.values()) for row in ROWS)]
    return end.join(delimiter.join(cell(value) for value in line) for line in lines) + end


TEXTS = {
    "comma": csv_text(","),
    "semicolon": csv_text(";"),
    "tab": csv_text("\t"),
    "bar": csv_text("|"),
    "crlf": csv_text(",", "\r\n"),
    "quoted": csv_text(";", quote=True),
    "named": "sep=;\n" + csv_text(";"),
    "blank lines": "\n" + csv_text(",").replace("\n62", "\n\n,,\n62"),
    "trailing delimiters": csv_text(",").replace("note\n", "note,,\n"),
    "json": json.dumps(ROWS),
    "indented": json.dumps(ROWS, indent=4),
    "wrapped": json.dumps({"month": "2026-01", "rows": ROWS, "pages": {"total": 2}}),
    "wrapped twice": json.dumps({"n": 1, "data": {"x": "]", "bills": ROWS, "more": []}}, indent=1),
    "lines": "\n".join(json.dumps(row) for row in ROWS),
    "lines with blank ones": "\n\n".join(json.dumps(row) for row in ROWS) + "\r\n\n",
}


@pytest.mark.parametrize("form", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_bill_reads_the_same_in_every_form(form, encoding):
    table = read_table(TEXTS[form].encode(encoding), "bill")
    assert [record.values for record in table.records] == [row | {"note": row["note"]} for row in ROWS]
    assert table.columns[:3] == ("number", "charge", "note")


def test_numbers_of_json_stay_as_they_are_written():
    body = b'[{"charge": 0.10800000000000001, "number": 6281234567890123456789012345, "deep": {"seconds": 1e2}, "no": null}]'
    (record,) = read_table(body, "bill.json").records
    assert record.values == {
        "charge": "0.10800000000000001", "number": "6281234567890123456789012345", "deep.seconds": "1e2",
    }  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"  \n", b"[]", b"number,charge\n", b'{"rows": []}', b"\xef\xbb\xbf"])
def test_a_bill_without_rows_is_empty(body):
    assert read_table(body, "bill").records == []


def test_each_row_knows_its_line():
    assert [record.line for record in read_table(TEXTS["comma"].encode(), "b").records] == [2, 3]
    assert [record.line for record in read_table(TEXTS["named"].encode(), "b").records] == [3, 4]
    assert [record.line for record in read_table(TEXTS["blank lines"].encode(), "b").records] == [5, 8]
    assert [record.line for record in read_table(TEXTS["indented"].encode(), "b").records] == [2, 7]
    assert [record.line for record in read_table(TEXTS["lines"].encode(), "b").records] == [1, 2]
    assert [record.line for record in read_table(TEXTS["lines with blank ones"].encode(), "b").records] == [
        1,
        3,
    ]
    assert [record.line for record in read_table(TEXTS["wrapped twice"].encode(), "b").records] == [6, 11]


def test_windows_1252_is_read_where_the_text_is_not_utf_8():
    (record,) = read_table("number,charge\n62,\u20ac 1\n".encode("cp1252"), "b").records
    assert record.values["charge"] == "\u20ac 1"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"PK\x03\x04....", "b: a spreadsheet"),
        (b"a,b\n\x00\x00", "b:2: not text"),
        (b"a,b\n\x81\x8d", "b:2: neither UTF-8"),
        (b'a,b\n"1,2\n', "b:2: not a row of CSV"),
        (b"a,b\n1,2,3\n", "b:2:3: this row has 3 cells and the header 2; quote amounts"),
        (b"a;b\n1;2\n1;2;3\n", "b:3:3: this row has 3 cells and the header 2"),
        (b"a,b,a\n", "b:1: two columns are named 'a'"),
        (b'[{"a": 1},\n {"a": }]', "b:2:8: not valid JSON"),
        (b'[{"a": 1}] x', "b:1:12: not valid JSON: more text"),
        (b'[{"a": 1},\n 2]', "b:2:2: a row is an object, not "),
        (b'{"a": 1}\n{"a": 2', "b:2:"),
        (b'{"a": 1}\n[1]', "b:2:1: a row is an object, not "),
        (b'{"a": 1}\n{"a": 1} {"a": 2}', "b:2:10: a line holds one"),
        (b'{"a": 1\n, "b" 2}', "b:2:7: not valid JSON"),
        (b'[{"a": NaN}]', "not valid JSON: NaN is not JSON"),
        (b'{"a": [{"x": 1}], "b": [{"x": 1}]}', "b:1:1: the object holds 2 lists (a, b)"),
        (b"[" * 100_000, "b: nested too deeply"),
        (b'[' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"]", "b: nested too deeply"),
    ],
)  # fmt: skip
def test_a_bill_that_cannot_be_read_names_the_place_in_one_line(body, said):
    with pytest.raises(UsageError) as caught:
        read_table(body, "b")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_object_with_several_lists_is_read_where_one_alone_holds_rows():
    body = json.dumps({"tags": ["a"], "bills": ROWS, "errors": []}).encode()
    assert len(read_table(body, "b").records) == 2
