from __future__ import annotations

import fnmatch
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.matchers import Globs, Match, Nth, Subject, _Part, as_text, compile_glob

SUBJECT = Subject("nxcloud", "gpsend", ("6281", "6282"), {"lang": "en", "n": 3}, 2, 40_000_000)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("6281", "6281", True), ("6281", "62810", False), ("62*", "6281", True), ("*81", "6281", True),
        ("*", "", True), ("6?81", "6281", True), ("6?81", "681", False), ("*8*1*", "6281", True),
        ("[6]*", "6281", False), ("", "", True), ("?", "", False), ("**", "x", True),
    ],
)  # fmt: skip
def test_globs(pattern: str, text: str, fits: bool):
    assert compile_glob(pattern)(text) is fits


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=12))
def test_globs_agree_with_fnmatch_where_both_know_the_pattern(pattern: str, text: str):
    assert compile_glob(pattern)(text) == bool(re.fullmatch(fnmatch.translate(pattern), text))


@given(st.text("ab?", min_size=1, max_size=6), st.text("ab", max_size=40), st.integers(0, 4))
def test_a_part_is_found_at_once_where_it_is_found_one_by_one(part: str, text: str, begin: int):
    expected = re.compile(part.replace("?", ".")).search(text, min(begin, len(text)))
    for found in (_Part(part).find, _Part(part)._find_at_once):
        at = found(text, min(begin, len(text)), len(text))
        assert at == (expected.start() if expected is not None else -1)


SLOW = {
    "*code*": "cod" * 10, "*" + "a" * 30 + "b*": "a", "*a" * 20 + "b": "a", "*" + "a?" * 30 + "b*": "a", "?*" * 20 + "b": "a",
    "*" + "a" * 500 + "?b*": "a", "*?" + "ab" * 20 + "?c*": "ab", "a*?b?*c": "ab", "*" + "?" * 100 + "z*": "y", "*é?é*b*": "éa",
    "*" + "abcdefghijklmnopqrstuvwxyz?0*": "abcdefghijklmnopqrstuvwxyz0",
}  # fmt: skip


@pytest.mark.parametrize("pattern", SLOW)
def test_no_pattern_is_slow(pattern: str):
    """Linear: sixteen times the text takes about sixteen times as long, not 256 times, and 8 MB a moment."""
    glob = compile_glob(pattern)

    def cpu(length: int) -> float:
        text = (SLOW[pattern] * (length // len(SLOW[pattern]) + 1))[:length]
        begun = time.process_time()
        assert not glob(text)
        return time.process_time() - begun

    # Again where the machine had other things to do; what is not linear never passes.
    assert any(cpu(8_000_000) < min(48 * cpu(500_000) + 0.05, 1.0) for _ in range(5))


def test_all_conditions_must_hold():
    match = Match(
        provider=frozenset({"nxcloud"}), operation=frozenset({"gpsend"}), number=Globs("*82"),
        fields=(("lang", Globs("e*")), ("n", Globs("3"))), attempt=frozenset({2}), after=40_000_000, before=60_000_000,
    )  # fmt: skip
    assert match.accepts(SUBJECT)
    assert match.differences(SUBJECT) == []


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (Match(provider=frozenset({"huawei_cec"})), "provider: wanted huawei_cec, got nxcloud"),
        (
            Match(operation=frozenset({"notsend", "versend"})),
            "operation: wanted notsend or versend, got gpsend",
        ),
        (Match(number=Globs("7*", "8*")), "number: wanted '7*' or '8*', got 6281, 6282"),
        (Match(fields=(("lang", Globs("zh")),)), "fields.lang: wanted 'zh', got 'en'"),
        (Match(fields=(("ext", Globs("1")),)), "fields.ext: wanted '1', got no such field"),
        (Match(attempt=frozenset({1, 3})), "attempt: wanted 1 or 3, got 2"),
        (Match(after=50_000_000), "after: wanted 50 s, got 40 s"),
        (Match(before=40_000_000), "before: wanted 40 s, got 40 s"),
    ],
)
def test_each_difference_is_named(match: Match, words: str):
    assert not match.accepts(SUBJECT)
    assert [str(difference) for difference in match.differences(SUBJECT)] == [words]


names = st.sampled_from(["nxcloud", "huawei_cec"])
matches = st.builds(
    Match, provider=st.none() | st.frozensets(names, min_size=1),
    number=st.none() | st.just(Globs("62*")) | st.just(Globs("9")),
    attempt=st.none() | st.frozensets(st.integers(1, 3), min_size=1), after=st.none() | st.integers(0, 10),
    before=st.none() | st.integers(0, 10), fields=st.sampled_from([(), (("a", Globs("1")),)]),
)  # fmt: skip
subjects = st.builds(
    Subject, provider=names, operation=st.just("op"), numbers=st.lists(st.sampled_from(["62", "9", "1"]), max_size=2),
    fields=st.dictionaries(st.just("a"), st.sampled_from(["1", "2"])), attempt=st.integers(1, 3), elapsed=st.integers(0, 10),
)  # fmt: skip


@given(matches, subjects)
def test_no_difference_means_it_matches(match: Match, subject: Subject):
    assert match.accepts(subject) == (match.differences(subject) == [])


def test_nth_counts_from_one():
    assert [n for n in range(1, 11) if Nth(frozenset({2, 4}))(n)] == [2, 4]
    assert [n for n in range(1, 11) if Nth(every=5)(n)] == [5, 10]
    assert str(Nth(every=5)) == "every 5"
    assert str(Nth(frozenset({4, 2}))) == "2 or 4"


def test_values_are_compared_as_a_scenario_file_writes_them():
    assert [as_text(value) for value in ("0123", 5, True, False, None)] == [
        "0123",
        "5",
        "true",
        "false",
        "null",
    ]


def test_globs_are_values():
    assert Globs("a", "b") == Globs("a", "b")
    assert len({Globs("a"), Globs("a"), Globs("b")}) == 2
    assert repr(Globs("a", "b")) == "Globs('a', 'b')"
