"""What bytes are that should have been UTF-8, in a few words."""

from __future__ import annotations

_SIGNS = (
    (b"\xff\xfe\x00\x00", "UTF-32 text"),
    (b"\x00\x00\xfe\xff", "UTF-32 text"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd)"),
)


def foreign(raw: bytes) -> str:
    """``UTF-16 text``, ``compressed (gzip)`` or another name for ``raw``; empty for what may be UTF-8."""
    for sign, name in _SIGNS:
        if raw.startswith(sign):
            return name
    # Without a mark, but with a zero in every other byte: UTF-16 of what is mostly ASCII.
    begin = raw[:64]
    if len(begin) >= 4 and (not any(begin[::2]) or not any(begin[1::2])):
        return "UTF-16 text"
    return ""


def begins_with_mark(raw: bytes) -> bool:
    """Whether UTF-8 text begins with a byte order mark, which JSON must not have (RFC 8259, 8.1)."""
    return raw.startswith(b"\xef\xbb\xbf")
