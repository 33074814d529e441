"""The parts of a multipart/form-data body (RFC 7578), in linear time.

The library `multipart` finds the parts. It searches for boundaries instead of checking each byte, stops at the first
error, and in its strict mode refuses folded headers, whose cost is quadratic. What follows the last boundary is not
read.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from voice_emulator.core.values import plain_value

#: More parts than any operation has fields, nameless ones included.
PART_LIMIT = 1_000
#: Headers of one part: RFC 7578 knows three.
HEADER_LIMIT = 8
#: Bytes of one header: file names may be long, with up to nine bytes per character.
HEADER_SIZE_LIMIT = 4_096
#: Characters of the headers of all parts together: each parameter in them costs many times its text.
HEADERS_SIZE_LIMIT = 256 * 1024
#: Characters of a boundary (RFC 2046, 5.1.1).
BOUNDARY_LIMIT = 70

_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]*)"|([^;]*))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([\w-]+\*?)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;\s]*)')
#: Content-Transfer-Encoding: RFC 7578 (4.7) deprecates it, but servlet containers read it.
_DECODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "7bit": bytes, "8bit": bytes, "binary": bytes, "base64": a2b_base64, "quoted-printable": a2b_qp,
}  # fmt: skip


class UnreadableForm(ValueError):
    """A body that is not multipart/form-data, or exceeds a limit."""


@plain_value
class Part:
    """One part. ``name`` is None when it has none, ``filename`` when it is a plain field."""

    name: str | None
    filename: str | None
    content_type: str
    content: bytes


class _Parser(PushMultipartParser):  # type: ignore[misc]  # the library has no types
    headers_size = 0

    def _create_segment(self, headerlist: list[tuple[str, str]]) -> MultipartSegment:
        """Accept parts without a name: they count like the others, and the parts after them are read."""
        self.headers_size += sum(len(value) for _, value in headerlist)
        if self.headers_size > HEADERS_SIZE_LIMIT:
            raise ParserLimitReached(f"all headers together are longer than {HEADERS_SIZE_LIMIT} characters")
        return MultipartSegment(headerlist)


def parts_of(content_type: str, body: bytes) -> Iterator[Part]:
    """The parts of ``body``, in their order. Raises UnreadableForm at the first that cannot be read."""
    boundary = _boundary(content_type)
    if b"--" + boundary not in body:
        raise UnreadableForm("the multipart body does not contain the boundary that its Content-Type names")
    parser = _Parser(
        boundary, strict=True, max_segment_count=PART_LIMIT,
        max_header_count=HEADER_LIMIT, max_header_size=HEADER_SIZE_LIMIT,
    )  # fmt: skip
    segment: MultipartSegment | None = None
    content: list[bytes] = []
    number = 1
    try:
        for event in parser.parse(body):
            if event is None:
                yield _part(segment, b"".join(content))
                number += 1
            elif isinstance(event, MultipartSegment):
                segment, content = event, []
            else:
                content.append(event)
        problem = ""
    except ValueError as error:
        # Only the text: the exception and its other arguments keep the body.
        problem = f"part {number} of the multipart body cannot be read: {error.args[0]}"
        if number > PART_LIMIT:
            problem = f"the form has more than {PART_LIMIT} parts"
    try:
        parser.close()
    except MultipartError as error:
        problem = problem or f"the multipart body ends within part {number}"
        # Its traceback has a frame that refers to it, and the parser keeps it too.
        error.__traceback__ = None
    parser.error = None
    if problem:
        raise UnreadableForm(problem)


def _boundary(content_type: str) -> bytes:
    found = _BOUNDARY.search(content_type)
    boundary = (found[1] or found[2] or "").strip() if found else ""
    if not boundary:
        raise UnreadableForm("the Content-Type of the multipart body has no boundary")
    if len(boundary) > BOUNDARY_LIMIT:
        raise UnreadableForm(f"the boundary of the multipart body is longer than {BOUNDARY_LIMIT} characters")
    return boundary.encode("utf-8", "surrogateescape")


def _part(segment: MultipartSegment, content: bytes) -> Part:
    """Raises ValueError for an unknown encoding, and for content that does not have the encoding it names."""
    encoding = segment.header("Content-Transfer-Encoding", "binary").strip().lower()
    decoder = _DECODERS.get(encoding)
    if decoder is None:
        raise ValueError(f"unknown Content-Transfer-Encoding {encoding[:40]!r}")
    extended = _extended(segment.header("Content-Disposition", ""))
    return Part(
        extended.get("name", segment.name),
        extended.get("filename", segment.filename),
        segment.header("Content-Type", "application/octet-stream"),
        decoder(content),
    )


def _extended(disposition: str) -> dict[str, str]:
    """``name*`` and ``filename*`` (RFC 8187): RFC 7578 forbids them, but aiohttp and older clients send them."""
    if "*" not in disposition:
        return {}
    found = {}
    for key, value in _PARAMETER.findall(disposition):
        name = key.lower()
        if name not in ("name*", "filename*") or value.count("'") != 2:
            continue
        charset, _, encoded = value.strip('"').split("'")
        try:
            found[name[:-1]] = unquote(encoded, charset or "utf-8", "strict")
        except (LookupError, UnicodeDecodeError):
            raise ValueError(f"{name} is not text in {charset[:40] or 'utf-8'}") from None
    return found
