from __future__ import annotations

import pytest

from voice_emulator.report.markdown import cell, table


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a|b", r"a\|b"),
        ("two\nlines\t here", "two lines here"),
        ("<b>`x`*_[]\\", r"\<b\>\`x\`\*\_\[\]\\"),
        (5, "5"),
        ("", ""),
    ],
)
def test_cell_cannot_break_its_table(value: object, shown: str):
    assert cell(value) == shown
    assert len(cell("x" * 10_000)) == 400


def test_table_has_as_many_columns_in_every_line():
    lines = table(["a", "b|c"], [["1|2", None], ["x", "y"]])
    assert lines[1] == "| --- | --- |"
    assert lines[2] == r"| 1\|2 | None |"
