"""Every text of the project is plain English: no archaic, riddling or translated phrase in code, docs, messages or page."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
SUFFIXES = {".css", ".html", ".js", ".json", ".lua", ".md", ".py", ".toml", ".txt", ".yaml", ".yml"}
VISIBLE = {".ci", ".github"}
WITHOUT_SUFFIX = {"Makefile", "Dockerfile", "run", ".dockerignore", ".gitignore"}
#: Not prose: what fuzzers found, recorded bytes, lists of packages, results of a benchmark, and what make builds.
EXCLUDED = (
    "build/", "dist/", "requirements/", "benchmarks/results/",
    "tests/fuzz/corpus/", "tests/golden/", "tests/security/corpus/",
    "tests/test_english.py",
)  # fmt: skip

#: A phrase that must not occur, and a text that contains it.
PHRASES = {
    r"(?<!there )\b(is|are) no (?!longer)": "'x' is no duration",
    r"nobody has": "nobody has the key",
    r"(to|cannot|could not|can|could) be had\b|had back": "it cannot be had back",
    r"\bmend": "how to mend it",
    r"\bstands? (here|beside|for the second time)": "the key stands here",
    r"(became|become|becomes) of": "what became of a call",
    r"told alike": "it is told alike",
    r"turns [^.]{0,40} round\b": "it turns a term round",
    r"at hand\b": "the time at hand",
    r"\bwishes": "what the client wishes",
    r"\btongue": "in another tongue",
    r"span of time": "a span of time",
    r"when not (said|given)": "30 s when not given",
    r"\bwill do\b": "any name will do",
    r"on the wall\b(?! clock)": "time passes as on the wall",
    r"for whoever": "a list for whoever comes",
    r"\bwherein\b|\bwhence\b|\bhitherto\b|\bthereof\b|\blest\b|\bthrice\b|\bnought\b|\banew\b": "it begins anew",
    r"own accord": "of its own accord",
    r", be it\b": "any caller, be it a page",
    r"\bbears? (?!er)": "no validator would bear it",
    r"in good order|beyond reason": "refused in good order",
    r"all the same\b(?! (type|kind|length|size))": "it is sent all the same",
    r"of no use\b|no matter of\b": "the key is of no use",
}
_FOUND = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES), re.IGNORECASE)
_EDGES = re.compile(r"""^\s*(?:\#:?\s|//\s|\*\s|--\s|[|>]\s)?\s*(?:[frb]{0,2}["'`])?\s*|\s*["'`]?\s*$""")


def texts() -> Iterator[tuple[str, str]]:
    """Path and text of each file that people read."""
    for folder, folders, names in os.walk(CHECKOUT):
        folders[:] = sorted(
            name for name in folders if name != "__pycache__" and (name[0] != "." or name in VISIBLE)
        )
        for name in sorted(names):
            path = Path(folder, name)
            relative = path.relative_to(CHECKOUT).as_posix()
            if (path.suffix in SUFFIXES or name in WITHOUT_SUFFIX) and not relative.startswith(EXCLUDED):
                yield relative, path.read_text(encoding="utf-8", errors="replace")


def findings(text: str) -> list[tuple[int, str, str]]:
    """Line, phrase and sentence of each phrase in ``text``, also where it goes over the end of a line."""
    starts, parts, length = [], [], 0
    for line in text.splitlines():
        words = _EDGES.sub("", line)
        starts.append(length)
        parts.append(words)
        length += len(words) + 1
    joined = " ".join(parts)
    return [
        (bisect_right(starts, match.start()), match[0], sentence(joined, match.start(), match.end()))
        for match in _FOUND.finditer(joined)
    ]


def sentence(text: str, start: int, end: int) -> str:
    """The sentence around a phrase, at most 80 characters on either side."""
    before = re.split(r"(?<=[.:;!?])\s|\"", text[max(0, start - 80) : start])[-1]
    after = re.split(r"(?<=[.:;!?])\s|\"|  ", text[end : end + 80])[0]
    return f"{before}{text[start:end]}{after}".strip()


def test_texts_are_found():
    names = {name for name, _ in texts()}
    assert {
        "README.md",
        "Makefile",
        "action.yml",
        "emulator/voice_emulator/ui/app.js",
        "tests/conftest.py",
    } <= names
    assert len(names) > 500


@pytest.mark.parametrize(("phrase", "example"), PHRASES.items(), ids=PHRASES.values())
def test_each_phrase_is_found(phrase: str, example: str):
    assert re.search(phrase, example, re.IGNORECASE)
    assert findings(f"A line.\n{example.capitalize()}.")[0][0] == 2


@pytest.mark.parametrize(
    "text",
    [
        "It is\nno duration.",
        '    message = f"{value!r} is "\n        "no duration"',
        "    # The value is\n    # no duration.",
        " * The value is\n * no duration.",
    ],
)
def test_a_phrase_is_found_over_the_end_of_a_line(text: str):
    assert [(line, phrase) for line, phrase, _ in findings(text)] == [(1, "is no ")]


@pytest.mark.parametrize(
    "text", ["There is no such tenant.", "It is no longer served.", "A recommendation.", "Not a duration."]
)
def test_good_sentences_pass(text: str):
    assert findings(text) == []


def test_every_text_is_plain_english():
    found = [
        f"{name}:{line}: {phrase!r} in: {words}"
        for name, text in texts()
        for line, phrase, words in findings(text)
    ]
    assert not found, "\n".join([f"{len(found)} phrases that are not plain English", *found])
