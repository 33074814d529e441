from __future__ import annotations

from voice_emulator.report.page import badge, chips, folded, page, table


def test_page_allows_no_script_and_loads_nothing():
    text = page("A <title>", ["<p>body</p>"])
    assert "<title>A &lt;title&gt;</title>" in text
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert "<main>\n<p>body</p>\n</main>" in text
    assert "url(" not in text


def test_table_marks_columns_of_numbers_and_names_in_head_and_body():
    text = table(["a", "n", "<c>"], [["<b>x</b>", "1", "y"]], numbers=frozenset({1}), names=frozenset({0}))
    assert '<th class="name">a</th><th class="number">n</th><th>&lt;c&gt;</th>' in text
    assert '<td class="name"><b>x</b></td><td class="number">1</td><td>y</td>' in text


def test_badges_chips_and_summaries_escape_their_text():
    for markup in (badge("<i>"), chips(["<i>", "ok"]), folded("<i>", "body")):
        assert "<i>" not in markup
        assert "&lt;i&gt;" in markup
    assert folded("s", "b").startswith("<details><summary>")
    assert folded("s", "b", is_open=True).startswith("<details open>")
