"""What fits the integers of typed clients: they read a JSON number without a fraction as a signed 32-bit one."""

from __future__ import annotations

#: The largest of them. One client throws above it, another cuts silently.
LARGEST = 2**31 - 1


def number_or_text(text: str) -> int | str:
    """``text`` as the number that says exactly the same and fits, else as it is (``007``, ``*``, empty)."""
    if (
        text.isascii()
        and text.isdigit()
        and len(text) <= 10
        and str(int(text)) == text
        and int(text) <= LARGEST
    ):
        return int(text)
    return text
