"""Integers that typed clients can read: they take a JSON number without a fraction as a signed 32-bit integer."""

from __future__ import annotations

#: Above it, one client throws and another truncates silently.
LARGEST = 2**31 - 1


def number_or_text(text: str) -> int | str:
    """``text`` as a number if that fits and has the same text, else unchanged (``007``, ``*``, empty)."""
    if (
        text.isascii()
        and text.isdigit()
        and len(text) <= 10
        and str(int(text)) == text
        and int(text) <= LARGEST
    ):
        return int(text)
    return text
