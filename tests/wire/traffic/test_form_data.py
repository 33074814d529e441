"""Multipart forms: as the usual clients send them, and as nobody should, which must cost next to nothing."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable
from functools import partial

import pytest

from voice_emulator.providers.request import Request, UploadedFile
from voice_emulator.wire.traffic.decoding import FIELD_LIMIT, decode
from voice_emulator.wire.traffic.form_data import (
    BOUNDARY_LIMIT,
    HEADER_LIMIT,
    HEADERS_SIZE_LIMIT,
    PART_LIMIT,
    UnreadableForm,
    parts_of,
)

#: Seconds of CPU within which any body must be read or refused.
CPU = 0.2
TEXT = {"service": "App.Sip_Call.VoiceNotify", "username": "infin8-user", "text": "你好 & 100% = +1"}
WAV = UploadedFile("call 日.wav", "audio/wav", b"RIFF\r\n--\r\n\x00\xff--\r")


def decoded(body: bytes, content_type: str = "multipart/form-data; boundary=b") -> Request:
    request = Request("p", "POST", "/x", {}, {"content-type": content_type}, body, "")
    decode(request, content_type)
    return request


# --- what clients send ------------------------------------------------------------------------------------


def written(boundary: str, field_head: str, file_head: str, filename: str = WAV.filename) -> bytes:
    """A body whose parts have heads like these: ``%s`` is the name, ``%d`` the length of what follows, if it is there."""
    parts = []
    for name, value in TEXT.items():
        content = value.encode()
        head = field_head.replace("%s", name).replace("%d", str(len(content)))
        parts.append(head.encode() + b"\r\n\r\n" + content)
    head = file_head.replace("%s", "file").replace("%f", filename).replace("%d", str(len(WAV.content)))
    parts.append(head.encode() + b"\r\n\r\n" + WAV.content)
    delimiter = f"--{boundary}".encode()
    return b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"


PLAIN = 'Content-Disposition: form-data; name="%s"'
FILE = 'Content-Disposition: form-data; name="%s"; filename="%f"'
CLIENTS = {
    "PHP cURL, curl": ("multipart/form-data; boundary=------------------------d74496d66958873e",
                       written("------------------------d74496d66958873e", PLAIN, FILE + "\r\nContent-Type: audio/wav")),
    "PHP cURL before 7.56": ("multipart/form-data; boundary=----------------------------1a2b3c4d5e6f",
                             written("----------------------------1a2b3c4d5e6f", PLAIN, FILE + "\r\nContent-Type: audio/wav")),
    "Guzzle": ("multipart/form-data; boundary=9d1ee1b8f0f9ab3f06e56a2b1c2ee06f1b3d4c5a",
               written("9d1ee1b8f0f9ab3f06e56a2b1c2ee06f1b3d4c5a", PLAIN + "\r\nContent-Length: %d",
                       FILE + "\r\nContent-Length: %d\r\nContent-Type: audio/wav")),
    "Python requests": ("multipart/form-data; boundary=0b1a2c3d4e5f60718293a4b5c6d7e8f9",
                        written("0b1a2c3d4e5f60718293a4b5c6d7e8f9", PLAIN, FILE + "\r\nContent-Type: audio/wav")),
    "Python requests with urllib3 before 1.25": (
        "multipart/form-data; boundary=0b1a2c3d4e5f60718293a4b5c6d7e8f9",
        written("0b1a2c3d4e5f60718293a4b5c6d7e8f9", PLAIN,
                "Content-Disposition: form-data; name=\"%s\"; filename*=utf-8''call%20%E6%97%A5.wav\r\nContent-Type: audio/wav")),
    "aiohttp": ("multipart/form-data; boundary=5f2b8c0d9e7a46d1b3c4f5a6978899aa",
                written("5f2b8c0d9e7a46d1b3c4f5a6978899aa", "Content-Type: text/plain; charset=utf-8\r\n" + PLAIN,
                        'Content-Type: audio/wav\r\nContent-Disposition: form-data; name="%s"; '
                        "filename=\"call%20%E6%97%A5.wav\"; filename*=utf-8''call%20%E6%97%A5.wav")),
    "httpx": ("multipart/form-data; boundary=f9e8d7c6b5a4938271605f4e3d2c1b0a",
              written("f9e8d7c6b5a4938271605f4e3d2c1b0a", PLAIN, FILE + "\r\nContent-Type: audio/wav")),
    "Go": ("multipart/form-data; boundary=4c1f8e6d0b2a3957486af1e2d3c4b5a69788796a5b4c3d2e1f0011223344",
           written("4c1f8e6d0b2a3957486af1e2d3c4b5a69788796a5b4c3d2e1f0011223344", PLAIN, FILE + "\r\nContent-Type: audio/wav")),
    "OkHttp": ("multipart/form-data; boundary=2f7c2f3e-6f0b-4b6c-9d4d-0d1f4c0c3a55",
               written("2f7c2f3e-6f0b-4b6c-9d4d-0d1f4c0c3a55", PLAIN + "\r\nContent-Length: %d",
                       FILE + "\r\nContent-Type: audio/wav\r\nContent-Length: %d")),
    "Apache HttpClient 4, strict": (
        "multipart/form-data; boundary=kq3Zq8w_1fJc-Uo4rS9yT2vX; charset=UTF-8",
        written("kq3Zq8w_1fJc-Uo4rS9yT2vX", PLAIN + "\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit",
                FILE + "\r\nContent-Type: audio/wav\r\nContent-Transfer-Encoding: binary")),
    "Apache HttpClient 5, extended": (
        "multipart/form-data; charset=UTF-8; boundary=httpclient_boundary_7b0f9a3e-0c8a-4d3a",
        written("httpclient_boundary_7b0f9a3e-0c8a-4d3a", PLAIN + "\r\nContent-Type: text/plain; charset=UTF-8",
                "Content-Disposition: form-data; name=\"%s\"; filename=\"call ?.wav\"; filename*=\"UTF-8''call%20%E6%97%A5.wav\"\r\n"
                "Content-Type: audio/wav")),
    "JavaMail": ('multipart/form-data; boundary="----=_Part_0_1234567.89:0/(1)?"',
                 written("----=_Part_0_1234567.89:0/(1)?", PLAIN, FILE + "\r\nContent-Type: audio/wav")),
    "a boundary without its quotes": ("multipart/form-data; boundary=----=_Part_0/1:2?3",
                                      written("----=_Part_0/1:2?3", PLAIN, FILE + "\r\nContent-Type: audio/wav")),
    ".NET HttpClient": ('multipart/form-data; boundary="8a1c6f4e-0b8d-4e57-9a39-3d1c1f2e6b70"',
                        written("8a1c6f4e-0b8d-4e57-9a39-3d1c1f2e6b70",
                                "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=%s",
                                "Content-Type: audio/wav\r\nContent-Disposition: form-data; name=%s; filename=\"%f\"; "
                                "filename*=utf-8''call%20%E6%97%A5.wav")),
    "browsers": ("multipart/form-data; boundary=----WebKitFormBoundaryE19zNvXGzXaLvS5C",
                 written("----WebKitFormBoundaryE19zNvXGzXaLvS5C", PLAIN, FILE + "\r\nContent-Type: audio/wav")),
    "Node form-data": ("multipart/form-data; boundary=--------------------------515890814546601021194782",
                       written("--------------------------515890814546601021194782", PLAIN, FILE + "\r\nContent-Type: audio/wav")),
    "small letters": ("Multipart/Form-Data;BOUNDARY=b",
                      written("b", 'content-disposition:form-data;name="%s"',
                              'CONTENT-DISPOSITION: FORM-DATA; NAME="%s"; FILENAME="%f"\r\ncontent-type:audio/wav')),
    "with text around": ("multipart/form-data; boundary=b",
                         b"This is a multi-part message.\r\n" + written("b", PLAIN, FILE + "\r\nContent-Type: audio/wav") + b"The end."),
}  # fmt: skip


@pytest.mark.parametrize("client", CLIENTS)
def test_the_usual_clients_send_the_same_fields(client: str):
    content_type, body = CLIENTS[client]
    request = decoded(body, content_type)
    assert request.faulty == ()
    assert (request.encoding, request.fields, request.files) == ("multipart", TEXT, {"file": WAV})


NAMES = {
    "escaped as browsers do": ('name="a%22b"', 'a"b'),
    "escaped as Go and old PHP do": (r'name="a\"b"', 'a"b'),
    "a semicolon": ('name="a;b"', "a;b"),
    "a parameter in a name": ("name=\"a; name*=utf-8''x\"", "a; name*=utf-8''x"),
    "an escaped quote before a parameter": (r"""name="a\"; name*=utf-8''x" """, "a\"; name*=utf-8''x"),
    "percent signs of its own": ('name="100%25"', "100%25"),
    "another alphabet, raw": ('name="日"', "日"),
    "another alphabet, extended": ("name*=utf-8''%E6%97%A5", "日"),
    "extended in Latin-1": ("name=x; name*=ISO-8859-1'en'%e9", "é"),
    "no quotes": ("name=phone", "phone"),
    "nothing": ('name=""', ""),
    "blanks": ("name = phone ;", "phone"),
}


@pytest.mark.parametrize("what", NAMES)
def test_a_name_is_what_the_client_meant(what: str):
    parameter, name = NAMES[what]
    request = decoded(f"--b\r\nContent-Disposition: form-data; {parameter}\r\n\r\n1\r\n--b--\r\n".encode())
    assert (request.fields, request.faulty) == ({name: "1"}, ())


CONTENTS = {
    "base64": (b"base64", b"NjI4\r\nMTI=", "62812"),
    "capitals": (b"BASE64", b"NjI4MTI=", "62812"),
    "quoted-printable": (b"quoted-printable", b"628=31=\r\n2", "62812"),
    "8bit": (b"8bit", "号".encode(), "号"),
    "7bit": (b"7bit", b"62812", "62812"),
    "binary": (b"binary", b"62812\r\n", "62812\r\n"),
}


@pytest.mark.parametrize("what", CONTENTS)
def test_a_transfer_encoding_is_undone(what: str):
    encoding, content, value = CONTENTS[what]
    head = b'--b\r\nContent-Disposition: form-data; name="f"\r\nContent-Transfer-Encoding: ' + encoding
    request = decoded(head + b"\r\n\r\n" + content + b"\r\n--b--\r\n")
    assert (request.fields, request.faulty) == ({"f": value}, ())


# --- what is wrong ----------------------------------------------------------------------------------------

HEAD = b'--b\r\nContent-Disposition: form-data; name="f"'
GOOD = HEAD + b"\r\n\r\nx\r\n"
END = b"--b--\r\n"
WRONG = {
    "no boundary in the body": (b"hello", "does not contain the boundary"),
    "no end": (GOOD + HEAD + b"\r\n\r\nx\r\n", "ends within part 2"),
    "no end of the headers": (GOOD + HEAD, "ends within part 2"),
    "nothing behind a boundary": (GOOD + b"--b", "ends within part 1"),
    "line feeds only": (GOOD.replace(b"\r\n", b"\n"), "part 1 of the multipart body cannot be read"),
    "carriage returns only": (GOOD.replace(b"\r\n", b"\r"), "part 1 of the multipart body cannot be read"),
    "a line feed in the headers": (GOOD + b"--b\r\nX: y\n\n", "part 2 of the multipart body cannot be read"),
    "a folded header": (GOOD + b"--b\r\nContent-Disposition: form-data;\r\n name=g\r\n\r\nx\r\n--b--", "part 2"),
    "a header without a colon": (GOOD + b"--b\r\nX\r\n\r\n" + END, "part 2"),
    "a header name that is none": (GOOD + b"--b\r\nX Y: z\r\n\r\n" + END, "part 2"),
    "too many headers": (GOOD + HEAD + b"\r\nX: y" * HEADER_LIMIT + b"\r\n\r\nx\r\n" + END, "part 2"),
    "a long header": (GOOD + HEAD + b"\r\nX: " + b"y" * 5_000 + b"\r\n\r\nx\r\n" + END, "part 2"),
    "a name that is not UTF-8": (GOOD + b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n' + END, "part 2"),
    "an extended name that is not UTF-8": (
        GOOD + b"--b\r\nContent-Disposition: form-data; name*=utf-8''%ff\r\n\r\nx\r\n" + END, r"name\* is not text in utf-8"),
    "an unknown charset": (
        GOOD + b"--b\r\nContent-Disposition: form-data; name*=x-y''%41\r\n\r\nx\r\n" + END, r"name\* is not text in x-y"),
    "an unknown transfer encoding": (GOOD + HEAD + b"\r\nContent-Transfer-Encoding: x\r\n\r\nx\r\n" + END, "part 2.*'x'"),
    "base64 that is none": (GOOD + HEAD + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nA\r\n" + END, "part 2.*base64"),
    "a length that is none": (GOOD + HEAD + b"\r\nContent-Length: x\r\n\r\nx\r\n" + END, "part 2"),
    "a length that is another": (GOOD + HEAD + b"\r\nContent-Length: 2\r\n\r\nx\r\n" + END, "part 2"),
    "a value that is not UTF-8": (GOOD + HEAD + b"\r\n\r\n\xff\r\n" + END, "not UTF-8"),
    "a part without a name": (b"--b\r\nContent-Disposition: form-data\r\n\r\ny\r\n" + GOOD + END, "has no name"),
    "a part that says nothing of itself": (GOOD + b"--b\r\n\r\ny\r\n" + END, "has no name"),
    "a longer boundary": (GOOD + b"--bc\r\n", "part 1 of the multipart body cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_and_what_could_be_read_is_kept(what: str):
    body, words = WRONG[what]
    request = decoded(body)
    (problem,) = request.faulty
    assert (problem.code, problem.place) == ("malformed", "")
    assert re.search(words, problem.message)
    assert request.fields == ({} if "part 1" in words or "boundary" in words else {"f": "x"})


@pytest.mark.parametrize(
    ("content_type", "words"),
    [
        ("multipart/form-data", "has no boundary"),
        ("multipart/form-data; boundary=", "has no boundary"),
        ('multipart/form-data; boundary=""', "has no boundary"),
        ("multipart/form-data; boundary=" + "b" * (BOUNDARY_LIMIT + 1), f"longer than {BOUNDARY_LIMIT}"),
        ("multipart/form-data; boundary=c", "does not contain the boundary"),
    ],
)
def test_a_boundary_that_cannot_be_one_is_told(content_type: str, words: str):
    (problem,) = decoded(GOOD + END, content_type).faulty
    assert words in problem.message


def test_as_many_parts_as_the_limit_are_read_and_not_one_more():
    part = '--b\r\nContent-Disposition: form-data; name="n%d"\r\n\r\nx\r\n'
    parts = "".join(part % number for number in range(PART_LIMIT)).encode()
    assert len(decoded(parts + END).fields) == PART_LIMIT == FIELD_LIMIT
    more = decoded(parts + GOOD + END)
    assert [problem.message for problem in more.faulty] == [f"the form has more than {PART_LIMIT} parts"]
    assert len(more.fields) == PART_LIMIT


def test_the_headers_of_all_parts_are_bounded_together():
    head = GOOD.replace(b"\r\n\r\n", b"\r\nX: %b\r\n\r\n" % (b"y" * 4_000))
    request = decoded(GOOD + head * (HEADERS_SIZE_LIMIT // 4_000 + 1) + END)
    (problem,) = request.faulty
    assert "all headers together" in problem.message
    assert request.fields == {"f": "x"}
    assert decoded(GOOD + head * (HEADERS_SIZE_LIMIT // 4_200) + END).faulty == ()


def test_a_refusal_keeps_nothing_of_the_body():
    with pytest.raises(UnreadableForm) as refusal:
        list(parts_of("multipart/form-data; boundary=b", b"--b\r\n\xff: x\r\n\r\n"))
    assert refusal.value.__cause__ is None
    assert len(str(refusal.value)) < 300


# --- what it costs ----------------------------------------------------------------------------------------

LONG = b"b" * BOUNDARY_LIMIT


def parts(head: bytes, count: int = 40_000, content: bytes = b"x") -> bytes:
    return (b"--b\r\n" + head + b"\r\n\r\n" + content + b"\r\n") * count + END


def of_all(*headers: bytes, content: bytes = b"x") -> bytes:
    """As many parts as are read, each with as many headers as it may have."""
    return parts(b"\r\n".join((b'Content-Disposition: form-data; name="f"', *headers)), PART_LIMIT, content)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "nameless parts": partial(parts, b"Content-Disposition: form-data"),
    "parts without a word": partial(parts, b"X: y"),
    "parts without headers": lambda: b"--b\r\n\r\n" * 2_000_000 + END,
    "parts of one name": partial(parts, b'Content-Disposition: form-data; name="f"'),
    "files of one name": partial(parts, b'Content-Disposition: form-data; name="f"; filename="a"'),
    "a preamble of line breaks": lambda: b"\r\n" * 2_000_000 + GOOD + END,
    "a longer one": lambda: b"\r\n" * 8_000_000 + GOOD + END,
    "a preamble of line feeds": lambda: b"\n" * 15_000_000 + GOOD + END,
    "a preamble of hyphens": lambda: b"-" * 15_000_000 + b"\r\n" + GOOD + END,
    "a preamble of beginnings": lambda: b"\r\n-" * 5_000_000 + b"\r\n" + GOOD + END,
    "nothing but a preamble": lambda: b"x\r\n" * 5_000_000,
    "many parts and then a long one": lambda: GOOD * (PART_LIMIT - 1) + HEAD + b"\r\n\r\n" + b"y" * 15_000_000 + b"\r\n" + END,
    "many nameless parts and then a long one": lambda: b"--b\r\n\r\nx\r\n" * (PART_LIMIT - 1) + HEAD + b"\r\n\r\n" + b"y" * 15_000_000 + b"\r\n" + END,
    "too many parts and then a long one": lambda: GOOD * PART_LIMIT + HEAD + b"\r\n\r\n" + b"y" * 15_000_000 + b"\r\n" + END,
    "a long file": lambda: HEAD + b'; filename="a"\r\n\r\n' + b"\x00" * 15_000_000 + b"\r\n" + END,
    "a long file of carriage returns": lambda: HEAD + b'; filename="a"\r\n\r\n' + b"\r" * 15_000_000 + b"\r\n" + END,
    "a long file of line breaks": lambda: HEAD + b'; filename="a"\r\n\r\n' + b"\r\n" * 7_500_000 + b"\r\n" + END,
    "beginnings of the boundary": lambda: HEAD + b"\r\n\r\n" + b"\r\n--" * 4_000_000 + b"\r\n" + END,
    "longer boundaries": lambda: HEAD + b"\r\n\r\n" + b"\r\n--bc" * 2_500_000 + b"\r\n" + END,
    "half ends": lambda: HEAD + b"\r\n\r\n" + b"\r\n--b-" * 2_500_000 + b"\r\n" + END,
    "no end": lambda: HEAD + b"\r\n\r\n" + b"x" * 15_000_000,
    "no end, and many parts": lambda: GOOD * 100_000,
    "no end of a header": lambda: HEAD + b"y" * 15_000_000,
    "a long header": lambda: HEAD + b"\r\nX: " + b"y" * 15_000_000 + b"\r\n\r\nx\r\n" + END,
    "many headers": lambda: HEAD + b"\r\nX: y" * 2_500_000 + b"\r\n\r\nx\r\n" + END,
    "headers without names": lambda: b"--b\r\n" + b":\r\n" * 5_000_000,
    "folded headers": lambda: parts(b'Content-Disposition: form-data; name="f"' + b"\r\n x" * 1_300, 3_000),
    "all headers of all parts": partial(of_all, *([b"X: " + b"y" * 1_700] * (HEADER_LIMIT - 1))),
    "parameters": partial(of_all, b"Content-Type: text/plain" + b';a="b"' * 600, b"Content-Disposition: form-data" + b";a=b" * 900),
    "extended parameters": partial(of_all, b"Content-Disposition: form-data" + b";name*=utf-8''x" * 250),
    "extended parameters in a quote": partial(of_all, b'Content-Disposition: form-data; name="' + b";name*=''" * 400),
    "unclosed quotes": partial(of_all, b'Content-Disposition: form-data; name*="' + b'\\"' * 1_900),
    "semicolons": partial(of_all, b"Content-Disposition: form-data; name*" + b";" * 3_900),
    "blanks": partial(of_all, b"Content-Disposition: form-data; name*" + b" " * 3_900, b"Content-Type:" + b" ;" * 1_900),
    "apostrophes": partial(of_all, b"Content-Disposition: form-data; name*=" + b"'" * 3_900),
    "percent signs": partial(of_all, b"Content-Disposition: form-data; name*=utf-8''" + b"%41" * 1_300),
    "stars": partial(of_all, b"Content-Disposition: form-data; name" + b"*" * 3_900),
    "nested types": lambda: b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" + b"--c\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" * 200_000 + END,
    "line feeds only": lambda: (GOOD * 300_000).replace(b"\r\n", b"\n"),
    "carriage returns only": lambda: (GOOD * 300_000).replace(b"\r\n", b"\r"),
    "a huge epilogue": lambda: GOOD + END + b"y" * 15_000_000,
    "an epilogue of parts": lambda: GOOD + END + GOOD * 250_000 + END,
    "an epilogue of line breaks": lambda: GOOD + END + b"\r\n" * 7_500_000,
    "base64": lambda: HEAD + b'; filename="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + b"QUJD" * 3_750_000 + b"\r\n" + END,
    "noise in base64": lambda: HEAD + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"-" * 15_000_000 + b"\r\n" + END,
    "padding in base64": lambda: HEAD + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"=" * 15_000_000 + b"\r\n" + END,
    "quoted-printable": lambda: HEAD + b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=41" * 5_000_000 + b"\r\n" + END,
    "soft line breaks": lambda: HEAD + b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r\n" * 5_000_000 + b"\r\n" + END,
    "blanks in quoted-printable": lambda: HEAD + b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b" " * 15_000_000 + b"\r\n" + END,
    "a compressed part": lambda: HEAD + b"\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(bytes(50_000_000), 1) + b"\r\n" + END,
    "zeros": lambda: bytes(15_000_000),
}  # fmt: skip


def cost(body: bytes, content_type: str) -> float:
    """CPU seconds of reading ``body``: the least of a few runs, which others on the machine disturb least."""
    found = []
    for _ in range(3):
        begun = time.thread_time()
        decoded(body, content_type)
        found.append(time.thread_time() - begun)
        if found[-1] < CPU / 2:
            break
    return min(found)


@pytest.mark.parametrize("what", HOSTILE)
def test_no_body_costs_much(what: str):
    assert cost(HOSTILE[what](), "multipart/form-data; boundary=b") < CPU


@pytest.mark.parametrize(
    "filling",
    [b"\r\n--" + LONG[:-1], b"\r\n--" + LONG[:-1] + b"a", b"\r\n-", LONG, b"\r\n--" + LONG + b"-", b"\r\n"],
)
@pytest.mark.parametrize("length", [60_000, 15_000_000])
def test_no_boundary_costs_much(filling: bytes, length: int):
    """A search for a text that repeats itself is where naive ones take the product of both lengths."""
    head = b"--" + LONG + HEAD[3:] + b"\r\n\r\n"
    content = filling * (length // len(filling))
    kind = f"multipart/form-data; boundary={LONG.decode()}"
    assert cost(head + content, kind) < CPU
    assert cost(content, kind) < CPU
    assert cost(head + content + b"\r\n--" + LONG + b"--\r\n", kind) < CPU


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data" + "; boundary" * 1_500,
        "multipart/form-data" + '; boundary="' * 1_500,
        "multipart/form-data;" + " " * 16_000,
        "multipart/form-data; boundary=" + " " * 16_000 + "b",
        "multipart/form-data" + ";" * 16_000 + "boundary=b",
    ],
)
def test_no_content_type_costs_much(content_type: str):
    assert cost(GOOD + END, content_type) < CPU
