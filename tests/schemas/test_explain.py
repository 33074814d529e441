from __future__ import annotations

from collections.abc import Mapping

import pytest

from voice_emulator.schemas.explain import explainer


def messages(schema: Mapping[str, object], instance: object) -> list[str]:
    return [error.message for error in explainer(schema).iter_errors(instance)]


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("^[0-9]+$", "123", True),
        ("^[0-9]+$", "123\n", False),  # Python's own $ would let it pass
        ("^a$|^b$", "b\n", False),
        (r"^a\$$", "a$", True),
        ("^[$]$", "$", True),
        (r"^[\]$]+$", "]$", True),
        (r"^\[$", "[", True),
        (r"^\[$", "[\n", False),
    ],
)
def test_dollar_in_a_pattern_means_the_very_end(pattern: str, text: str, fits: bool):
    found = messages({"pattern": pattern}, text)
    assert (found == []) is fits
    if not fits:
        assert found == [f"{text!r} does not match {pattern!r}"]


def test_pattern_says_nothing_about_what_is_no_text():
    assert messages({"pattern": "^a$"}, 5) == []


def test_explainer_names_every_problem():
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"b": {"type": "integer"}, "c": {"pattern": "^x$"}},
    }
    assert len(messages(schema, {"b": "1", "c": "y"})) == 3
