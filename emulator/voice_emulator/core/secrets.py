"""Finds known values in text, in whatever encoding, in linear time.

The text is searched as it is, and again with its escapes decoded: percent, JSON, XML and quoted-printable, up to
:data:`ROUNDS` nested levels. For Base64 and hexadecimal, the encoded values are searched for. Line breaks are ignored,
and ``+`` counts as a blank.
"""

from __future__ import annotations

import re
import sys
from array import array
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

#: Shorter values are not searched for: masking every "1" would make text unreadable.
SHORTEST = 6
#: Nested levels of escapes that are decoded.
ROUNDS = 3
#: Of a longer value only the first so many bytes are searched for.
LONGEST = 1024
#: Bytes searched in one go by code that holds the GIL.
PIECE = 256 * 1024

_PLAIN = bytes.maketrans(b"+", b" ")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_IGNORED = b"\r\n\0"
_ESCAPE = re.compile(
    rb"%[0-9A-Fa-f]{2}"
    rb"|\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
    rb"|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[^\r\n\0]"
    rb"|&#[0-9]{1,7};|&#[xX][0-9A-Fa-f]{1,6};|&(?:amp|lt|gt|quot|apos);"
    rb"|[\r\n\0]+"
)
_NO_BACKSLASH = re.compile(
    rb"%[0-9A-Fa-f]{2}|&#[0-9]{1,7};|&#[xX][0-9A-Fa-f]{1,6};|&(?:amp|lt|gt|quot|apos);|[\r\n\0]+"
)
_QUOTED = re.compile(rb"=[0-9A-Fa-f]{2}|=?[\r\n\0]+")
#: No escape is longer, except for a run of line breaks, which may be split.
_LONGEST_ESCAPE = 12
_NAMED = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


class Span(NamedTuple):
    """The position of something to mask in a text, in bytes, and what replaces it."""

    begin: int
    end: int
    shown: bytes


class _Word(NamedTuple):
    """What replaces a word, and whether the characters before and after it contain bits of it (Base64)."""

    shown: bytes
    before: bool = False
    after: bool = False


class Values:
    """The values to find. Adding one takes microseconds; a search takes as long for one as for thousands."""

    __slots__ = ("_grams", "_known", "_words")

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._words: dict[bytes, _Word] = {}
        # Bytes 0 to 3 and 1 to 4 of each word as numbers, with (offset, length) pairs. Four bytes of a text are looked
        # up at every second position, so one of the two is found wherever the word begins.
        self._grams: dict[int, tuple[tuple[int, int], ...]] = {}

    def __bool__(self) -> bool:
        return bool(self._words)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, value: str) -> bool:
        return value in self._known

    def add(self, value: str, shown: str, *, encoded: bool = True) -> None:
        """Find ``value``, with ``encoded`` also in Base64 and hexadecimal; one below :data:`SHORTEST` is ignored."""
        if len(value) < SHORTEST or value in self._known:
            return
        self._known.add(value)
        raw = value.encode("utf-8", "surrogatepass")[:LONGEST]
        self._enter(raw, shown.encode("utf-8", "surrogatepass"))
        if not encoded:
            return
        self._enter(raw.hex().encode(), b"***")
        self._enter(raw.hex().upper().encode(), b"***")
        for before in range(3):
            # The characters that depend only on the value, if so many bytes precede it.
            whole = b64encode(b"\0" * before + raw + b"\0\0")
            inner = whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
            shared = before % 3 != 0, (before + len(raw)) % 3 != 0
            self._enter(inner, b"***", *shared)
            self._enter(inner.translate(_URL_SAFE), b"***", *shared)

    def _enter(self, word: bytes, shown: bytes, before: bool = False, after: bool = False) -> None:
        word = word.translate(_PLAIN, _IGNORED)
        if len(word) < 5 or word in self._words:
            return
        self._words[word] = _Word(shown, before, after)
        for offset in (0, 1):
            gram = int.from_bytes(word[offset : offset + 4], sys.byteorder)
            places = self._grams.get(gram, ())
            if (offset, len(word)) not in places:
                self._grams[gram] = (*places, (offset, len(word)))

    def spans(self, view: bytes) -> Iterator[Span]:
        """Where the words are in ``view``, one decoding of a text."""
        known, words = self._grams.keys(), self._words
        for start in range(0, len(view), PIECE):
            piece = memoryview(view)[start : start + PIECE + 4]
            for shift in (0, 2):
                fours = piece[shift : shift + max(0, len(piece) - shift) // 4 * 4].cast("I")
                if known.isdisjoint(fours):
                    continue
                for index, gram in enumerate(fours):
                    if gram in known:
                        yield from self._around(view, start + shift + 4 * index, self._grams[gram], words)

    @staticmethod
    def _around(
        view: bytes, position: int, places: tuple[tuple[int, int], ...], words: dict[bytes, _Word]
    ) -> Iterator[Span]:
        for offset, length in places:
            begin = position - offset
            word = words.get(view[begin : begin + length]) if begin >= 0 else None
            if word is None:
                continue
            end = begin + length
            begin -= word.before and begin > 0 and view[begin - 1] in _BASE64
            end += word.after and end < len(view) and view[end] in _BASE64
            yield Span(begin, end, word.shown)


def find(text: bytes, *sources: Values) -> list[Span]:
    """Where the values of ``sources`` are in ``text``, however encoded; spans are unordered and may overlap."""
    sources = tuple(source for source in sources if source)
    if not sources or len(text) < SHORTEST - 1:
        return []
    plain = text.translate(_PLAIN)
    found = [span for source in sources for span in source.spans(plain)]
    for first in _ways(text):
        view, layers, pattern = text, list[_Decoded](), first
        while len(layers) < ROUNDS and _has_escape(view):
            layer = _Decoded(view, pattern)
            if not layer.count:
                break
            layers.append(layer)
            view, pattern = layer.text, _ESCAPE
            plain = view.translate(_PLAIN)
            for source in sources:
                for begin, end, shown in source.spans(plain):
                    for outer in reversed(layers):
                        begin, end = outer.place(begin, end)
                    found.append(Span(begin, end, shown))
    return found


def _has_escape(view: bytes) -> bool:
    """Whether ``view`` has a sign that an escape begins with, or that is ignored."""
    # Not any(): most texts are short, and the generator takes longer than the searches.
    return (
        b"%" in view
        or b"\\" in view
        or b"&" in view
        or b"\n" in view
        or b"\0" in view
        or b"=" in view
        or b"\r" in view
    )


def _ways(text: bytes) -> Iterator[re.Pattern[bytes]]:
    """The possible outermost escapes of ``text``."""
    yield _ESCAPE
    if b"\\" in text and (b"%" in text or b"&" in text):
        # A backslash need not be an escape.
        yield _NO_BACKSLASH
    if b"=" in text and b"quoted-printable" in text.lower():
        yield _QUOTED


def replace(text: bytes, spans: list[Span]) -> bytes:
    """``text`` with ``spans`` replaced; overlapping spans are replaced by the text of the first."""
    if not spans:
        return text
    spans.sort(key=lambda span: (span.begin, -span.end))
    shown = bytearray()
    done = 0
    for begin, end, instead in spans:
        if begin >= done:
            shown += text[done:begin]
            shown += instead
        done = max(done, end)
    shown += text[done:]
    return bytes(shown)


class _Decoded:
    """A text with its escapes decoded, and the positions of everything in the original."""

    __slots__ = ("_at", "_begin", "_end", "_size", "text")

    def __init__(self, raw: bytes, pattern: re.Pattern[bytes]) -> None:
        # Of each escape: its start in the decoded text, its start and end in the original, its decoded size.
        self._at, self._begin, self._end = array("I"), array("I"), array("I")
        self._size = bytearray()
        text = bytearray()
        done = start = 0
        while start < len(raw):
            stop = start + PIECE
            for match in pattern.finditer(raw, start, stop + _LONGEST_ESCAPE):
                begin, end = match.span()
                if begin >= stop:
                    break
                text += raw[done:begin]
                meant = _meaning(match.group()).translate(None, _IGNORED)
                self._at.append(len(text))
                self._begin.append(begin)
                self._end.append(end)
                self._size.append(len(meant))
                text += meant
                done = end
            start = max(stop, done)
        text += raw[done:]
        self.text = bytes(text)

    @property
    def count(self) -> int:
        """The number of escapes."""
        return len(self._at)

    def place(self, begin: int, end: int) -> tuple[int, int]:
        """The position in the original of ``begin`` to ``end`` of the decoded text."""
        index, rest = self._of(begin)
        first = begin if index < 0 else self._begin[index] if rest < 0 else self._end[index] + rest
        index, rest = self._of(end - 1)
        last = end if index < 0 else self._end[index] if rest < 0 else self._end[index] + rest + 1
        return first, last

    def _of(self, position: int) -> tuple[int, int]:
        """The last escape up to ``position`` (-1: none), and the distance from its end (below 0: within it)."""
        index = bisect_right(self._at, position) - 1
        return (index, position - self._at[index] - self._size[index]) if index >= 0 else (-1, 0)


def _meaning(escape: bytes) -> bytes:
    sign = escape[:1]
    if sign in (b"%", b"="):
        return bytes.fromhex(escape[1:].decode()) if len(escape) == 3 and escape[1:].isalnum() else b""
    if sign == b"\\":
        kind = escape[1:2]
        if kind == b"u" and len(escape) >= 6:
            codes = [int(escape[at : at + 4], 16) for at in range(2, len(escape), 6)]
            if len(codes) == 2:
                codes = [0x10000 + ((codes[0] - 0xD800) << 10) + (codes[1] - 0xDC00)]
            return _character(codes[0])
        if kind == b"x" and len(escape) == 4:
            return bytes.fromhex(escape[2:].decode())
        return _CONTROLS.get(kind, kind)
    if sign == b"&":
        name = escape[1:-1]
        if name in _NAMED:
            return _NAMED[name]
        return _character(int(b"0" + name[1:] if name[1:2] in b"xX" else name[1:].lstrip(b"0") or b"0", 0))
    return b""


def _character(code: int) -> bytes:
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else b""
