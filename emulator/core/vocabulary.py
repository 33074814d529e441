"""Fixed words, such as the states of a call."""

from __future__ import annotations

from enum import StrEnum


class Word(StrEnum):
    """A word of a fixed set, hashed as the text that it is.

    Enum's own hash is a Python function, and these are looked up many times per call.
    """

    __hash__ = str.__hash__
