"""The shell of a self-contained HTML report: no script, no font, no picture from anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f6f8; --ink: #1b1f24; --faint: #5a636e; --line: #d7dbe0;
  --good: #1a7f4b; --bad: #b3261e; --odd: #8a5a00;
  --good-wash: #e3f4ea; --bad-wash: #fce8e6; --odd-wash: #fdf1d8;
  --c1: #0072b2; --c2: #e69f00; --c3: #009e73; --c4: #8d6cab; --c5: #7c8794;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --raised: #1e2329; --ink: #e6e9ed; --faint: #9aa5b1; --line: #343b44;
    --good: #5fd39a; --bad: #ff8a80; --odd: #f0c060;
    --good-wash: #12301f; --bad-wash: #3a1a18; --odd-wash: #332708;
    --c1: #56b4e9; --c2: #f0b93a; --c3: #3fc79a; --c4: #bfa1da; --c5: #8d98a5;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 36px 0 10px; padding-bottom: 4px; border-bottom: 1px solid var(--line); }
h3 { font-size: 15px; margin: 20px 0 6px; }
p { margin: 6px 0; }
.faint, .label.faint { color: var(--faint); }
.verdict { display: block; margin: 14px 0; padding: 12px 16px; border-radius: 6px; font-weight: 600; }
.verdict.clean { background: var(--good-wash); color: var(--good); }
.verdict.violations { background: var(--bad-wash); color: var(--bad); }
.verdict.warnings, .verdict.empty { background: var(--odd-wash); color: var(--odd); }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 10px; padding: 0;
  margin: 14px 0; list-style: none; }
.tiles li { background: var(--raised); border-radius: 6px; padding: 10px 12px; }
.tiles b { display: block; font-size: 22px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--faint); font-size: 13px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td {
  text-align: left; vertical-align: top; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { color: var(--faint); font-weight: 600; white-space: nowrap; overflow-wrap: normal; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.name { white-space: nowrap; }
code { font: 13px ui-monospace, "DejaVu Sans Mono", Consolas, monospace; }
.badge {
  display: inline-block; padding: 0 8px; border-radius: 10px; font-size: 12px; font-weight: 600;
  white-space: nowrap; }
.badge.error, .badge.failed, .badge.no { background: var(--bad-wash); color: var(--bad); }
.badge.warning { background: var(--odd-wash); color: var(--odd); }
.badge.passed, .badge.yes { background: var(--good-wash); color: var(--good); }
.badge.skipped { background: var(--raised); color: var(--faint); }
pre { margin: 6px 0; white-space: pre-wrap; overflow-wrap: anywhere;
  font: 12px ui-monospace, "DejaVu Sans Mono", Consolas, monospace; }
details { margin: 6px 0; }
td .chips, td details { margin: 0; }
summary { cursor: pointer; }
figure { margin: 14px 0 20px; }
figcaption { font-weight: 600; margin-bottom: 6px; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text {
  font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  fill: var(--ink); }
svg .label.faint { fill: var(--faint); }
svg .value { font-variant-numeric: tabular-nums; }
svg .axis { stroke: var(--line); stroke-width: 1; }
rect.c1 { fill: var(--c1); } rect.c2 { fill: var(--c2); } rect.c3 { fill: var(--c3); }
rect.c4 { fill: var(--c4); }
rect.c5 { fill: var(--c5); }
rect.bad { fill: var(--bad); }
rect.good { fill: var(--good); }
rect.odd { fill: var(--odd); }
i.c1 { background: var(--c1); } i.c2 { background: var(--c2); } i.c3 { background: var(--c3); }
i.c4 { background: var(--c4); }
i.c5 { background: var(--c5); }
i.bad { background: var(--bad); }
i.good { background: var(--good); }
i.odd { background: var(--odd); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 6px 0; padding: 0; font-size: 13px; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; }
.chips { margin: 4px 0; line-height: 1.9; }
.chips code { background: var(--raised); border-radius: 4px; padding: 1px 6px; margin-right: 4px; white-space: nowrap; }
footer { margin-top: 40px; color: var(--faint); font-size: 13px; }
@media print {
  :root { --ground: #fff; --raised: #f2f2f2; --ink: #000; --faint: #444; --line: #bbb;
    --good: #1a7f4b; --bad: #b3261e; --odd: #8a5a00; --good-wash: #fff; --bad-wash: #fff; --odd-wash: #fff;
    --c1: #0072b2; --c2: #e69f00; --c3: #009e73; --c4: #8d6cab; --c5: #7c8794; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  details::details-content { content-visibility: visible; height: auto; }
  figure, tr, .tiles { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .verdict { border: 1px solid currentColor; }
}
"""


def page(title: str, body: Iterable[str]) -> str:
    """A whole document."""
    inside = "\n".join(body)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{inside}\n</main>\n</body>\n</html>\n"
    )


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: frozenset[int] = frozenset(),
    names: frozenset[int] = frozenset(),
) -> str:
    """A table; cells are markup already. ``numbers`` are set flush right, ``names`` are never broken."""

    def mark(column: int) -> str:
        return ' class="number"' if column in numbers else ' class="name"' if column in names else ""

    heads = "".join(f"<th{mark(column)}>{escape(name)}</th>" for column, name in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{mark(column)}>{cell}</td>" for column, cell in enumerate(row)) + "</tr>\n"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>\n{body}</tbody></table></div>'


def badge(word: str) -> str:
    """A word on its colour."""
    return f'<span class="badge {escape(word)}">{escape(word)}</span>'


def tiles(figures: Iterable[tuple[str, str]]) -> str:
    """Figures, each with its name below."""
    items = (f"<li><b>{escape(value)}</b><span>{escape(name)}</span></li>" for value, name in figures)
    return f'<ul class="tiles">{"".join(items)}</ul>'


def chips(names: Iterable[str]) -> str:
    """Names one after the other."""
    return '<p class="chips">' + " ".join(f"<code>{escape(name)}</code>" for name in names) + "</p>"


def folded(summary: str, body: str, *, is_open: bool = False) -> str:
    """Something to unfold. The summary is text, the body markup."""
    return f"<details{' open' if is_open else ''}><summary>{escape(summary)}</summary>\n{body}\n</details>"
