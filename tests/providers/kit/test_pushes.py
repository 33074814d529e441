"""Pushes on the wire: whatever the encoding, a receiver that decodes it reads the fields."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.providers.kit.pushes import Encoder, by_status, call_of, with_query
from voice_emulator.providers.provider import Envelope, PushRequest

NAMES = st.from_regex(r"[A-Za-z_]{1,8}", fullmatch=True)
TEXTS = st.dictionaries(
    NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=5
)


def sent(
    encoder: Encoder, fields: dict[str, Any], url: str = "http://h/dr?a=b", **effect: Any
) -> PushRequest:
    tenant: Any = SimpleNamespace(
        settings={"acme": {"transport": "form"}},
        ids=SimpleNamespace(drawn_hexadecimal=lambda count, *key: "0" * count),
    )
    push: Any = SimpleNamespace(provider="acme", id="p1")
    return encoder(Envelope(tenant, push, fields, url, 0, ReceiptEffect(**effect)))


def read(request: PushRequest) -> dict[str, Any]:
    """The fields as a receiver reads them."""
    kind = dict(request.headers).get("Content-Type", "")
    if kind.startswith("application/json"):
        return dict(json.loads(request.body))
    if kind.startswith("multipart/"):
        message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
        return {
            str(part.get_param("name", header="Content-Disposition")): part.get_payload(decode=True).decode()
            for part in message.iter_parts()
        }
    if kind:
        return dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
    assert request.body == b""
    return dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True)[1:])


@pytest.mark.parametrize("escape", [{}, {"quote": quote_plus}])
@pytest.mark.parametrize("encoding", ["json", "form", "query"])
@given(fields=TEXTS)
def test_a_receiver_reads_what_was_sent(encoding: str, escape: dict[str, Any], fields: dict[str, str]):
    assert read(sent(Encoder(encoding, **escape), fields)) == fields


@pytest.mark.parametrize("encoding", ["form", "query", "multipart"])
@given(fields=TEXTS)
def test_one_field_may_carry_the_json_text_of_all(encoding: str, fields: dict[str, str]):
    (value,) = read(sent(Encoder(encoding, field="detail"), fields)).values()
    assert json.loads(value) == fields
    assert read(sent(Encoder(field="detail"), fields)) == fields


def test_values_that_are_not_text_are_written_as_json_and_null_as_nothing():
    fields = {"a": 1, "b": True, "c": None, "d": {"e": "ü"}, "f": 1.5}
    assert read(sent(Encoder("form"), fields)) == {
        "a": "1",
        "b": "true",
        "c": "",
        "d": '{"e": "ü"}',
        "f": "1.5",
    }


def test_a_lone_surrogate_is_sent_rather_than_an_error():
    for encoding in ("json", "form", "query", "multipart"):
        assert sent(Encoder(encoding), {"a": "\ud800"}).method == "POST"


def test_the_scenario_overrides_the_setting_and_the_setting_the_default():
    fields = {"a": "b c"}
    assert sent(Encoder("json"), fields).body == b'{"a":"b c"}'
    assert sent(Encoder("json", setting="transport"), fields).body == b"a=b%20c"
    assert sent(Encoder("json", setting="transport", quote=quote_plus), fields).body == b"a=b+c"
    ruled = sent(Encoder("json", setting="transport"), fields, url="http://h/dr?x=1#part", encoding="query")
    assert (ruled.url, ruled.body, ruled.headers) == ("http://h/dr?x=1&a=b%20c", b"", ())


@pytest.mark.parametrize("encoding", ["json", "form", "query", "multipart"])
def test_a_scenario_may_announce_the_wrong_content_type(encoding: str):
    request = sent(Encoder(encoding), {"a": "b"}, wrong_content_type=True)
    assert request.headers == (("Content-Type", "text/plain"),)


@pytest.mark.parametrize(
    ("url", "whole"),
    [("http://h/", "http://h/?q=1"), ("http://h/?", "http://h/?q=1"), ("http://h/?a#b", "http://h/?a&q=1")],
)
def test_a_query_is_added_to_the_one_that_is_there(url: str, whole: str):
    assert with_query(url, "q=1") == whole


@pytest.mark.parametrize(
    ("statuses", "status", "reason"),
    [((), 200, None), ((), 299, None), ((), 300, "HTTP status 300, expected 2xx"), ((200,), 200, None),
     ((200,), 204, "HTTP status 204, expected 200"), ((200, 204), 500, "HTTP status 500, expected 200 or 204")],
)  # fmt: skip
def test_acknowledgement_by_status(statuses: tuple[int, ...], status: int, reason: str | None):
    assert by_status(*statuses)(PushReply(status, (), b"any")) == reason


def test_a_push_about_no_call_has_none():
    push: Any = SimpleNamespace(call=None, id="review-1")
    with pytest.raises(ValueError, match="review-1"):
        call_of(push)


@pytest.mark.parametrize("others", [(), ({"b": "2"}, {"b": "3"})], ids=["alone", "with others"])
def test_receipts_of_an_array_kind_travel_in_a_list(others: tuple[dict[str, Any], ...]):
    push: Any = SimpleNamespace(provider="acme", id="p1")
    tenant: Any = SimpleNamespace(settings={})
    envelope = Envelope(tenant, push, {"b": "1"}, "http://h/", 0, ReceiptEffect(), True, others)
    assert json.loads(Encoder()(envelope).body) == [{"b": "1"}, *others]
