"""docs/security.md promises what tests hold, and says which."""

from __future__ import annotations

import re

import pytest

from tests.container.dockerfile import CHECKOUT

PAGE = (CHECKOUT / "docs" / "security.md").read_text(encoding="utf-8")
SECTIONS = {
    part.partition("\n")[0]: part.partition("\n")[2]
    for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
}


def test_every_test_that_is_named_is_there():
    named = set(re.findall(r"`(tests/[a-z0-9_/]+(?:\.py)?)`", PAGE))
    assert len(named) >= 10
    assert [path for path in sorted(named) if not (CHECKOUT / path).exists()] == []


@pytest.mark.parametrize(
    "section", ["Outbound connections", "What is shown", "The GitHub Action", "The container"]
)
def test_security_sections_name_a_test_in_each_paragraph(section: str):
    for paragraph in re.split(r"\n\n|\n(?=\* )", SECTIONS[section].strip()):
        assert "`tests/" in paragraph, paragraph
