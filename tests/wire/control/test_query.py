"""The query language of lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.wire.control.query import QueryError, parse_query

KEYS = ("provider", "outcome", "number", "rule", "state")
CALL: dict[str, str | list[str]] = {
    "number": ["6281200000486", "6281200000480"],
    "text": ["6281200000486", "VIP, all", "nxcloud"],
    "provider": "nxcloud",
    "outcome": "busy",
    "rule": "VIP, all",
    "state": "ended",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("   ", True),
        ("provider:nxcloud", True),
        ("provider:nxcloud outcome:busy number:628* state:ended", True),
        ("provider:nxcloud  outcome:answered", False),
        ("outcome:answered,busy", True),
        ("outcome:answered,rejected", False),
        ("-outcome:answered", True),
        ("-outcome:busy", False),
        ("-outcome:busy,answered", False),
        ("number:*48?", True),
        ("00486", True),
        ("-00486", False),
        ("99", False),
        ("vip", True),
        ("NXCLOUD", True),
        ("-nxcloud", False),
        ('"VIP, all"', True),
        ("62*86", True),
        ("number:*0480", True),
        ("-number:*0480", False),
        ('""', None),
        ('rule:"VIP, all"', True),
        ('rule:"VIP, al"', False),
        ('rule:VIP*', True),
        ('rule:"VIP, none","VIP, all"', True),
        ("Provider:nxcloud", None),
        ("providr:nxcloud", None),
        ("provider:", None),
        ('provider:"', None),
        ("-", None),
        ("provider:a" + " provider:b" * 60, None),
        ("x" * 2_000, None),
    ],
)  # fmt: skip
def test_what_a_query_means(text: str, holds: bool | None):
    if holds is None:
        with pytest.raises(QueryError):
            parse_query(text, KEYS)
        return
    assert parse_query(text, KEYS).matches(CALL.__getitem__) is holds


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(QueryError, match="did you mean 'outcome'"):
        parse_query("outcme:busy", KEYS)


def test_empty_choice_counts_as_an_empty_value():
    def nothing(key: str) -> list[str]:
        return []

    assert not parse_query("number:62*", KEYS).matches(nothing)
    assert parse_query("-number:62*", KEYS).matches(nothing)
    assert parse_query("number:*", KEYS).matches(nothing)


def test_without_terms_it_is_false():
    assert not parse_query(" ", KEYS)
    assert parse_query("state:ended", KEYS)


@given(st.text(max_size=200))
def test_any_text_is_a_query_or_an_error(text: str):
    try:
        query = parse_query(text, KEYS)
    except QueryError:
        return
    query.matches(CALL.__getitem__)


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.text("abc*? ,-:", min_size=1, max_size=8)), max_size=5))
def test_quoted_values_are_taken_whole(terms: list[tuple[str, str]]):
    text = " ".join(f'{key}:"{value}"' for key, value in terms)
    query = parse_query(text, KEYS)
    assert [(term.key, term.globs.patterns) for term in query.terms] == [
        (key, (value,)) for key, value in terms
    ]
