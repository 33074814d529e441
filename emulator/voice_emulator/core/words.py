"""Text for people: the word a user may have meant, and foreign text made safe for a terminal."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

_UNUSUAL = re.compile(r"[^\n\t\x20-\x7e]")
#: Controls, formats (text that runs backwards, text that is not seen), surrogates, and separators of lines.
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """``text`` without characters that move the cursor, set colours, or hide or reverse text in a terminal.

    They become ``\\uXXXX`` as in JSON, so that JSON stays JSON. Line breaks and tabs stay.
    """
    return _UNUSUAL.sub(_escaped, text)


def one_line(text: str) -> str:
    """:func:`visible`, with line breaks escaped too: foreign text adds no lines of its own."""
    return visible(text).replace("\n", "\\n")


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if unicodedata.category(character) not in _ESCAPED:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else json.dumps(character)[1:-1]


def plural(count: int, noun: str) -> str:
    """``error`` for 1, ``errors`` for 2."""
    return noun if count == 1 else f"{noun}{'es' if noun.endswith(('s', 'x', 'ch', 'sh')) else 's'}"


def counted(count: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{count:,} {plural(count, noun)}"


def nearest_word(word: str, choices: Iterable[str]) -> str | None:
    """The choice most like ``word``, or None if none is similar."""
    from difflib import get_close_matches  # only a failure needs it

    names = list(choices)
    lowered = {name.lower(): name for name in reversed(names)}
    found = get_close_matches(word.lower(), lowered, n=1, cutoff=0.5)
    return lowered[found[0]] if found else None


def nearest(word: str, choices: Iterable[str]) -> str:
    """The end of a message about an unknown ``word``: ``; did you mean 'x'?`` or the choices."""
    names = list(choices)
    found = nearest_word(word, names)
    if found is not None:
        return f"; did you mean {found!r}?"
    return f"; known are {', '.join(names)}" if 0 < len(names) <= 12 else ""
