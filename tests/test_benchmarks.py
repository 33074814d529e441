"""The drivers of the benchmarks work, and notice when what they measure was not done. The numbers mean nothing here."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from benchmarks import page, pushes_rows, replicas_rows, requests_rows, resources_rows, soak
from benchmarks.ceilings import PATH
from benchmarks.load import drive
from benchmarks.processes import Ceiling, Ours, Receiver, bare_push, running
from benchmarks.requests import notifications, post
from benchmarks.rows import Pair, Row, Size, expect, most, ratio_row, times_row
from benchmarks.table import chart, markdown, write

TINY = Size(
    rounds=1,
    requests=100,
    seconds=0,
    learning=0.0,
    receipts=60,
    batch=100,
    pending=500,
    growth=300,
    advance=60,
    slow=30,
    starts=1,
)


def quiet(text: str) -> None:
    assert text


async def test_the_load_counts_answers_and_those_that_are_wrong():
    bare = Ceiling("reply")
    with running(bare):
        load = await drive(bare.port, notifications("t"), 200, 16, b'"retCode"')
        assert (load.answered, load.wrong) == (200, 0)
        assert load.rate > 0
        load = await drive(bare.port, notifications("t"), 20, 4, b"no such thing")
        assert (load.answered, load.wrong) == (20, 20)


async def test_the_load_goes_on_when_a_server_closes_its_connections():
    ours = Ours()
    with running(ours):
        token = ours.token()
        closing = post(
            PATH,
            b"{}",
            headers=f"Authorization: Bearer {token}\r\nX-APP-Key: cec-app-key\r\nConnection: close\r\n",
        )
        load = await drive(ours.port, lambda index: closing, 20, 4, b"retCode")
        assert (load.answered, load.wrong) == (20, 0)


def test_the_bare_push_client_is_received_once_each():
    receiver = Receiver()
    with running(receiver):
        for kind in ("push", "sequential"):
            receiver.clear()
            seconds, cpu = bare_push(kind, receiver.url, 100)
            assert seconds > 0
            assert cpu > 0
            arrived = receiver.arrived()
            assert (arrived["count"], arrived["distinct"], arrived["doubled"]) == (100, 100, 0)


@pytest.mark.parametrize(
    "measurement",
    [
        requests_rows.replies, requests_rows.kept, requests_rows.receipts, replicas_rows.shared, replicas_rows.replicas, pushes_rows.batches, pushes_rows.advance, pushes_rows.lateness,
        resources_rows.starting, resources_rows.growth, resources_rows.pending, resources_rows.tenants,
    ],
    ids=lambda measurement: measurement.__name__,
)  # fmt: skip
async def test_every_measurement_works_and_checks_that_the_work_was_done(measurement):
    rows = await measurement(TINY, quiet)
    assert rows
    assert all(row.value >= 0 and row.name and row.ours for row in rows)


async def test_the_soak_settles_with_nothing_lost():
    text = await soak.run(2.0, 100, tenants=5)
    assert "| numbers accepted, unaccounted for |" in text
    assert ", 0 |" in text


def test_a_measurement_of_work_that_was_not_done_is_void():
    with pytest.raises(RuntimeError, match="void: nothing was journalled"):
        expect(False, "nothing was journalled")


def test_the_page_gets_the_results_between_its_markers(tmp_path):
    (tmp_path / "latest.md").write_text("| new |\n")
    (tmp_path / "peers.md").write_text("| peer \\1 |\n")
    text = (
        "before\n<!-- from here: latest.md -->\n| old |\n| older |\n<!-- to here -->\nbetween\n"
        "<!-- from here: peers.md -->\n<!-- to here -->\nafter\n"
    )
    once = page.filled(text, tmp_path)
    assert once == (
        "before\n<!-- from here: latest.md -->\n| new |\n<!-- to here -->\nbetween\n"
        "<!-- from here: peers.md -->\n| peer \\1 |\n<!-- to here -->\nafter\n"
    )
    assert page.filled(once, tmp_path) == once
    with pytest.raises(OSError, match=r"gone\.md"):
        page.filled("<!-- from here: gone.md -->\n<!-- to here -->", tmp_path)


def test_the_page_names_the_files_of_results():
    assert page.filled(page.PAGE.read_text("utf-8")).count("<!-- from here: benchmarks/results/") == 2


def test_a_target_is_met_from_its_own_side():
    pairs = [Pair(100, 2.0, 1.0, 1.0, 0.5), Pair(100, 1.0, 1.0, 1.0, 0.7), Pair(100, 4.0, 1.0, 1.0, 0.4)]
    row = ratio_row("rate", 0.6, pairs)
    assert (row.value, row.by_clock, row.met) == (0.5, 0.5, False)
    assert most("memory", 50, 60, " MB").met
    assert not most("memory", 70, 60, " MB").met


@pytest.mark.parametrize(("ours", "ceiling", "times"), [(0.0, 0.0, 1.0), (0.0, 0.04, 0.25), (0.04, 0.0, 4.0)])
def test_work_that_took_less_than_a_tick_counts_as_one(ours: float, ceiling: float, times: float):
    pairs = [Pair(100, 1.0, 1.0, ours, ceiling)]
    assert times_row("times", None, pairs).value == pytest.approx(times)
    assert ratio_row("ratio", 1.0, pairs).value == pytest.approx(1 / times)
    assert str(pairs[0])


def test_the_table_and_the_chart_show_every_row(tmp_path):
    rows = [
        ratio_row("fast <enough>", 0.5, [Pair(10, 1.0, 1.0, 1.0, 1.0)]),
        Row("slow", 3.0, 2.0, " x", False, "3 s", "1 s"),
    ]
    text = write(tmp_path, rows, partial=False)
    assert markdown(rows) in text
    assert "| slow | 3 s | 1 s | 3.00 x |  | ≤ 2 x | no |" in text
    drawn = ET.fromstring((tmp_path / "latest.svg").read_text())
    texts = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    assert "fast <enough>" in texts
    assert chart(rows).count("<rect") == 3
