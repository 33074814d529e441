"""reconcile, against calls that a running emulator placed at all three providers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner, Result

import voice_emulator
from tests.cli.process import serving
from tests.cost import cpu_below
from tests.swarm.ledger import as_csv, call, row_of
from voice_emulator.cli import commands
from voice_emulator.cli.reconcile import show
from voice_emulator.client import Client
from voice_emulator.core.shapes import Call
from voice_emulator.swarm.reconciliation import reconcile_text

BATCH = 100
#: A page of calls.
PAGE = 1_000
CALLS = 10_000
SCENARIO = """
name: bill
clock: {mode: manual, start: "2026-01-05T23:00:00+08:00"}
magic_numbers: false
rules:
  - call:
      mix:
        - {weight: 7, outcome: answered, talk: {uniform: [1s, 250s]}}
        - {weight: 3, outcome: no_answer}
"""
#: Seconds until the later calls, which are on the next day.
LATER = 7_200


def place(client: Client, provider: str, numbers: list[str]) -> None:
    """Place calls to ``numbers``, as many at once as the provider takes."""
    field = {"nxcloud": "phone", "infin8linx": "destnumber"}.get(provider)
    if field is None:
        for number in numbers:
            client.place("default", provider, number)
        return
    for start in range(0, len(numbers), BATCH):
        batch = numbers[start : start + BATCH]
        client.place("default", provider, batch[0], fields={field: ",".join(batch)})


def numbers(first: int, count: int) -> list[str]:
    return [f"62812{index:08}" for index in range(first, first + count)]


@pytest.fixture(scope="module")
def placed(tmp_path_factory) -> Iterator[tuple[str, list[Call]]]:
    """The control URL of an emulator with 10,000 ended calls, and the calls."""
    path = tmp_path_factory.mktemp("bill") / "bill.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    with serving("--scenario", path) as server, Client(server.ready["control"]) as client:
        place(client, "nxcloud", numbers(1, 4_000))
        place(client, "huawei_cec", numbers(4_001, 100))
        client.advance("default", LATER)
        place(client, "infin8linx", numbers(4_101, 3_900))
        place(client, "nxcloud", numbers(8_001, 2_000))
        client.advance("default", to="idle", at_most="48h")
        yield server.ready["control"], client.every(client.calls("default", limit=PAGE))


def run(*arguments: object, text: str | None = None) -> Result:
    return CliRunner().invoke(commands, ["reconcile", *map(str, arguments)], input=text)


def written(tmp_path, rows: list[dict[str, Any]]) -> str:
    path = tmp_path / "bill.csv"
    path.write_bytes(as_csv(rows))
    return str(path)


def test_a_right_bill_of_ten_thousand_calls_differs_nowhere_and_costs_less_than_two_seconds(placed, tmp_path):
    control, calls = placed
    assert len(calls) == CALLS
    bill = written(tmp_path, [row_of(each) for each in calls])
    with cpu_below(2):
        done = run("--ledger", bill, "--control", control)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == "no differences"
    assert "10,000 rows; tenant default: 10,000 ended calls" in done.output
    assert "number = number; id = id; charge = charge; seconds = seconds; at = at" in done.output


def test_planted_errors_are_named_with_their_causes_in_ten_thousand_calls_of_all_providers(placed, capsys):
    _, calls = placed
    rows = [row_of(each) for each in calls]
    by_provider: dict[str, list[int]] = {}
    for index, each in enumerate(calls):
        by_provider.setdefault(each.provider, []).append(index)
    nx, huawei, in8 = by_provider["nxcloud"], by_provider["huawei_cec"], by_provider["infin8linx"]

    def pick(some: list[int], *, answered: bool = True, least: int = 0) -> int:
        """The next call of that kind, taken out of ``some``."""
        found = next(
            i
            for i in some
            if (calls[i].answered_at is not None) is answered and calls[i].talk_seconds > least
        )
        some.remove(found)
        return found

    price = Decimal("0.036")
    planted = {}

    def plant(index: int, kind: str, cause: str, **changes: Any) -> None:
        rows[index] = rows[index] | changes
        planted[calls[index].number] = (kind, cause)

    one = pick(nx, least=61)
    plant(one, "wrong amount", "rounded down", charge=str(calls[one].talk_seconds // 60 * price))
    one = pick(nx, answered=False, least=-1)
    plant(one, "wrong amount", "unanswered call billed", charge="0.036")
    one = pick(nx, least=61)
    plant(one, "wrong amount", "a cycle too many", charge=str(calls[one].billing.charge + price))
    one = pick(nx, least=61)
    plant(one, "wrong amount", "wrong currency unit", charge=str(calls[one].billing.charge * 100))
    one = pick(huawei)
    plant(one, "wrong day", "wrong day", at=(calls[one].submitted_at + timedelta(days=1)).isoformat())
    one = pick(huawei, answered=False, least=-1)
    plant(one, "wrong amount", "unanswered call billed", charge="0.5")
    one = pick(in8)
    plant(one, "wrong seconds", "milliseconds", seconds=str(calls[one].talk_seconds * 1000))
    doubled, missing = pick(in8), pick(in8)
    planted[calls[doubled].number] = ("doubled", "booked again")
    planted[calls[missing].number] = ("missing", "no receipt")
    stranger = row_of(calls[0], id="unknown", number="628999999999")
    planted["628999999999"] = ("extra", "unknown call")
    body = as_csv([*rows[:missing], *rows[missing + 1 :], rows[doubled], stranger])
    found = reconcile_text(body, "bill.csv", calls)
    assert {
        each.call.number if each.call else each.row.number: (each.kind, each.cause)
        for each in found.differences
    } == planted
    assert len(found.differences) == len(planted) == 10
    show(found, "bill.csv", "default")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "10 differences"
    for number, (kind, cause) in planted.items():
        line = next(line for line in lines if number in line)
        assert kind in line
        assert cause in line


def test_times_of_the_providers_wall_clock_and_days_alone_are_right_too(placed):
    calls = placed[1][::12]
    east = timezone(timedelta(hours=8))
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%d/%m/%Y"):
        rows = [row_of(each, at=each.submitted_at.astimezone(east).strftime(form)) for each in calls]
        found = reconcile_text(as_csv([row | {"id": ""} for row in rows]), "bill.csv", calls)
        assert found.differences == ()


def test_all_calls_to_one_number_are_matched_in_linear_time():
    calls = [call(index, number="6281234567", talk=index % 90 + 1) for index in range(3_000)]
    rows = [{name: row_of(each)[name] for name in ("number", "charge", "at")} for each in calls]
    for without in ((), ("at",)):
        body = as_csv([{n: c for n, c in row.items() if n not in without} for row in rows])
        with cpu_below(2):
            assert reconcile_text(body, "bill.csv", calls).differences == ()


def test_receipts_of_all_providers_as_they_were_pushed_are_a_right_bill():
    """Their ids, times in their own zones, seconds, and the charges that NXCloud's fields give."""
    with voice_emulator.running(SCENARIO, callback_url="http://127.0.0.1:9/dr") as ve:
        for index in range(4):
            for provider in ("nxcloud", "huawei_cec", "infin8linx"):
                place(ve.client, provider, numbers(3 * index, 3))
            ve.client.place(ve.id, "nxcloud", "62898765432", operation="notsend")
            ve.advance(5 * 3600)
        ve.client.advance(ve.id, to="idle")
        calls, pushes = ve.calls(), ve.callbacks()
    first = {push.call_id: json.dumps(push.fields) for push in reversed(pushes)}
    assert len(first) == len(calls) == 40
    found = reconcile_text("\n".join(first.values()).encode(), "receipts.jsonl", calls)
    assert found.differences == ()
    assert found.notes[1:] == (
        "times without a zone are read as UTC+08:00 (nxcloud, infin8linx)",
        "times without a zone are read as UTC (huawei_cec)",
    )
    again = "\n".join([*first.values(), *list(first.values())[:5]]).encode()
    found = reconcile_text(again, "receipts.jsonl", calls)
    assert [each.kind for each in found.differences] == ["doubled"] * 5


def test_an_empty_bill_against_calls_differs_and_against_none_does_not(tmp_path):
    with voice_emulator.running(clock="manual") as ve:
        (tmp_path / "empty.csv").write_text("number,charge\n")
        control = ve.client.url
        assert run("--ledger", tmp_path / "empty.csv", "--control", control).exit_code == 0
        ve.client.place(ve.id, "nxcloud", "6281234560000")
        ve.client.advance(ve.id, to="idle")
        done = run("--ledger", tmp_path / "empty.csv", "--control", control)
        assert done.exit_code == 1
        assert "missing" in done.output
        other = run("--ledger", tmp_path / "empty.csv", "--control", control, "--tenant", "nobody")
        assert (other.exit_code, "nobody" in other.output) == (1, True)
        done = run("--ledger", "-", "--control", control, text="number,charge\n6281234560000,0.036\n")
        assert (done.exit_code, done.output.splitlines()[-1]) == (0, "no differences")
        done = run(
            "--ledger",
            "-",
            "--control",
            control,
            "--tolerance",
            "0.01",
            text="number,charge\n6281234560000,0.04",
        )
        assert done.exit_code == 0


@pytest.mark.parametrize(
    ("bill", "said"),
    [
        ("number,charge\n6281,abc\n", "standard input:2: column 'charge': 'abc' is not an amount"),
        ("nmber,chagre\n6281,1\n", "standard input:1: no column is known to be the called number"),
    ],
)
def test_a_bill_that_cannot_be_read_is_one_line_and_exit_2(bill, said):
    with voice_emulator.running(clock="manual") as ve:
        done = run("--ledger", "-", "--control", ve.client.url, text=bill)
    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1
    assert said in done.output


@pytest.mark.parametrize("tolerance", ["-1", "a", "1e9", ""])
def test_a_tolerance_is_an_amount(tolerance):
    done = run("--ledger", "-", "--tolerance", tolerance)
    assert done.exit_code == 2
    assert "must be an amount" in done.output


def test_text_of_the_bill_does_not_reach_the_terminal_as_it_is(tmp_path):
    with voice_emulator.running(clock="manual") as ve:
        out = io.StringIO()
        csv.writer(out).writerows([["id", "number", "charge"], ["\x1b[31mred\nline", "6281", "1"]])
        done = run("--ledger", "-", "--control", ve.client.url, text=out.getvalue())
    assert done.exit_code == 1
    assert "\x1b" not in done.output
