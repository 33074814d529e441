"""Integers that typed clients can read: they take a JSON number without a fraction as a signed 32-bit integer."""

from __future__ import annotations

#: Above it, one client throws and another truncates silently.
LARGEST = 2**31 - 1


def up_to(most: int, whole: str = "", fraction: str = "") -> str:
    """A regular expression for decimal numbers from 0 to ``most``, which is 1 or more.

    ``fraction`` is what may follow a smaller whole number, ``whole`` what may follow ``most`` itself.
    """
    digits = str(most)
    less = [f"[0-9]{{1,{len(digits) - 1}}}"] if len(digits) > 1 else []
    less += [
        f"{digits[:place]}[0-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}"
        for place, digit in enumerate(digits)
        if digit != "0"
    ]
    return f"0*(({'|'.join(less)}){fraction}|{digits}{whole})"


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
