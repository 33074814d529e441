"""The pages of the documentation, taken apart into blocks and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
_FENCE = re.compile(r"^(```+)([^\n`]*)\n(.*?)^\1[ ]*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language (empty for none), its text, and the heading of level 2 that it stands under."""

    page: str
    line: int
    language: str
    text: str
    section: str
    #: Whether nothing but a line break lies between the block before and this one.
    follows: bool

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def pages() -> tuple[str, ...]:
    """Every page, as a path of the checkout."""
    docs = sorted(path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "docs").rglob("*.md"))
    return ("README.md", "examples/README.md", *docs)


@cache
def text(page: str) -> str:
    return (CHECKOUT / page).read_text(encoding="utf-8")


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """The fenced blocks of a page, in order."""
    whole = text(page)
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(whole):
        headings = re.findall(r"^## (.+)$", _FENCE.sub("", whole[: match.start()]), re.MULTILINE)
        found.append(
            Block(
                page, whole.count("\n", 0, match.start()) + 1, match[2].strip(), match[3],
                headings[-1] if headings else "", follows=end > 0 and not whole[end : match.start()].strip(),
            )
        )  # fmt: skip
        end = match.end()
    return tuple(found)


def all_blocks(*languages: str) -> list[Block]:
    """The blocks of all pages in these languages."""
    return [block for page in pages() for block in blocks(page) if block.language in languages]


def prose(page: str) -> str:
    """A page without its code."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text(page)))


def links(page: str) -> Iterator[str]:
    """The targets of a page's links and pictures."""
    yield from re.findall(r"\]\(([^)\s]+)(?: \"[^\"]*\")?\)", prose(page))


@cache
def anchors(page: str) -> frozenset[str]:
    """What can stand after # in a link to a page: its headings as GitHub writes them."""
    headings = re.findall(r"^#{1,6} (.+)$", _FENCE.sub("", text(page)), re.MULTILINE)
    return frozenset(
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings
    )
