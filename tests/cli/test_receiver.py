from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from emulator.cli.receiver import Guesser, decode, expected_reply
from emulator.core.attempts import PushReply
from emulator.loading.schemas import SchemaSet
from emulator.providers.registry import discover

PROVIDERS = discover()
SCHEMAS = SchemaSet.load(PROVIDERS)
KINDS = [(provider.id, kind) for provider in PROVIDERS.values() for kind in provider.receipts.values()]


@pytest.mark.parametrize(("provider", "kind"), KINDS, ids=lambda value: getattr(value, "name", value))
def test_every_kind_of_receipt_is_known_by_its_own_example(provider, kind):
    for example in SCHEMAS.get(kind.schema).examples:
        guessed = Guesser(PROVIDERS, SCHEMAS).guess(example)
        assert guessed is not None
        assert (guessed[0], guessed[1].schema) == (provider, kind.schema)


@pytest.mark.parametrize(("provider", "kind"), KINDS, ids=lambda value: getattr(value, "name", value))
def test_the_expected_reply_is_an_acknowledgement(provider, kind):
    assert kind.judge(PushReply(200, (), expected_reply(kind).encode())) is None


@pytest.mark.parametrize("fields", [{}, {"hello": "world"}, {"phone": "62"}])
def test_what_is_like_no_receipt_is_nobodys(fields):
    assert Guesser(PROVIDERS, SCHEMAS).guess(fields) is None


RECORD = {"destnumber": "62", "billsec": 3}
TEXT = json.dumps(RECORD).encode()
MULTIPART = b'--x\r\nContent-Disposition: form-data; name="detail"\r\n\r\n' + TEXT + b"\r\n--x--\r\n"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("query", "content_type", "body", "wanted"),
    [
        ("a=1&b=%20x&c=", "", b"", {"a": "1", "b": " x", "c": ""}),
        ("a=1", FORM, b"a=2&b=3", {"a": "2", "b": "3"}),
        ("", "application/json", TEXT, RECORD),
        ("", "text/plain", TEXT, RECORD),
        ("", FORM, b"detail=" + quote(TEXT).encode(), RECORD),
        ("", "multipart/form-data; boundary=x", MULTIPART, RECORD),
        ("", "application/json", b"{broken", {}),
        ("", "application/json", b"[1]", {}),
        ("", "application/octet-stream", b"\xff\x00", {}),
    ],
)
def test_fields_are_decoded_however_they_travel(query, content_type, body, wanted):
    assert decode(query, content_type, body) == wanted
