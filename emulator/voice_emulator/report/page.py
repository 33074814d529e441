"""The shell of a self-contained HTML report: no script, no font, no picture from anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


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
