"""Words for error messages: what the user may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest_word(word: str, choices: Iterable[str]) -> str | None:
    """The choice most like ``word``, or None when nothing comes near."""
    from difflib import get_close_matches  # only a failure needs it

    names = list(choices)
    lowered = {name.lower(): name for name in reversed(names)}
    found = get_close_matches(word.lower(), lowered, n=1, cutoff=0.5)
    return lowered[found[0]] if found else None


def nearest(word: str, choices: Iterable[str]) -> str:
    """The end of a sentence about an unknown ``word``: ``; did you mean 'x'?`` or the choices."""
    names = list(choices)
    found = nearest_word(word, names)
    if found is not None:
        return f"; did you mean {found!r}?"
    return f"; known are {', '.join(names)}" if 0 < len(names) <= 12 else ""
