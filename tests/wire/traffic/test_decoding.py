"""What is made of a request's bytes, and made again when somebody looks at one that is over."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.masking import Masker
from voice_emulator.providers.request import Reply, Request, UploadedFile
from voice_emulator.wire.traffic import lazy_fields as rereading
from voice_emulator.wire.traffic.decoding import decode, form_pairs
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.traffic.lazy_fields import LazyFields

JSON_TYPES = ("application/json", "application/json; charset=utf-8", "application/hal+json", "text/plain", "")
FORM_TYPES = ("application/x-www-form-urlencoded", "text/plain", "")
SCALARS = st.none() | st.booleans() | st.integers() | st.text()
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
BODIES = (
    st.binary() | DOCUMENTS.map(lambda value: json.dumps(value).encode()) | st.text("ab=&%1+").map(str.encode)
)


def request(body: bytes, query: str, content_type: str) -> Request:
    headers = {"content-type": content_type} if content_type else {}
    return Request("p", "POST", "/x", {}, headers, body, "", raw_query=query)


@given(BODIES, st.text("ab=&%2+", max_size=20), st.sampled_from([*JSON_TYPES, *FORM_TYPES]))
def test_the_fields_of_a_request_that_is_over_are_those_it_had(body: bytes, query: str, content_type: str):
    known = request(body, query, content_type)
    decode(known, content_type)
    fields = dict(known.fields)
    record = RequestRecord(known, Masker(()), 1)
    before = record.shown()
    record.compact()
    assert record.shown() == before
    assert known.fields == fields
    assert dict(known.fields) == fields
    assert list(known.fields) == list(fields)
    assert len(known.fields) == len(fields)
    for name, value in fields.items():
        assert name in known.fields
        assert known.fields[name] == value
    assert "no such name" not in known.fields


def test_a_long_body_is_not_kept_taken_apart(monkeypatch):
    monkeypatch.setattr(rereading, "CACHED_LIMIT", 10)
    rereading._fields_of.cache_clear()
    known = request(b"a=1&b=" + b"x" * 20, "", FORM_TYPES[0])
    assert LazyFields(known)["a"] == "1"
    assert rereading._fields_of.cache_info().currsize == 0
    short = request(b"a=1", "", FORM_TYPES[0])
    assert LazyFields(short)["a"] == "1"
    assert rereading._fields_of.cache_info().currsize == 1


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=b", "MULTIPART/FORM-DATA;boundary=b"]
)
def test_a_multipart_form_that_is_over_keeps_its_fields_and_lets_its_files_go(content_type: str):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="phone"\r\n\r\n62\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--b--\r\n'
    )
    known = request(body, "", content_type)
    decode(known, content_type)
    assert known.encoding == "multipart"
    assert known.files == {"file": UploadedFile("a.wav", "application/octet-stream", b"RIFF")}
    record = RequestRecord(known, Masker(()), 1, reply=Reply(200, b"{}", "application/json", payload={}))
    known.scratch["calls"] = [object()] * 3
    record.compact()
    assert known.fields == {"phone": "62"}
    assert isinstance(known.fields, LazyFields)
    assert not known.files
    assert not known.scratch
    assert record.reply is not None
    assert record.reply.payload is None


@pytest.mark.parametrize("number", ["9" * 5_000, "1e999", "-" + "1" * 10_000])
def test_a_number_beyond_all_measure_is_refused_in_words_for_clients(number: str):
    known = request(b'{"a": %b}' % number.encode(), "", "application/json")
    decode(known, "application/json")
    (problem,) = known.faulty
    assert "number" in problem.message
    assert "large" in problem.message
    assert "set_int" not in problem.message


@given(st.text("aé=&%1Cc3+; \x00"))
def test_form_pairs_are_those_of_the_standard_library(text: str):
    assert form_pairs(text, "replace") == parse_qsl(text, keep_blank_values=True, errors="replace")
    try:
        expected = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        with pytest.raises(UnicodeDecodeError, match=error.reason):
            form_pairs(text, "strict")
    else:
        assert form_pairs(text, "strict") == expected
