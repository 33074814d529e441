from __future__ import annotations

import asyncio
import json
import logging
from urllib.parse import quote, urlsplit

import pytest

from voice_emulator.cli.receiver import Arrival, Receiver, receiving
from voice_emulator.core.attempts import PushReply
from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.push_fields import Guesser, decode, in_array

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
    assert kind.judge(PushReply(200, (), kind.accepted_body.encode())) is None


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
        ("", "Multipart/Form-Data; boundary=x", MULTIPART, RECORD),
        ("", "multipart/form-data; boundary=x", MULTIPART.replace(b"--x--", b"--x\r\n"), RECORD),
        ("", "multipart/form-data", MULTIPART, {}),
        ("", "application/json", b"{broken", {}),
        ("", "application/json", b"[1]", {}),
        ("", "application/octet-stream", b"\xff\x00", {}),
    ],
)
def test_fields_are_decoded_however_they_travel(query, content_type, body, wanted):
    assert decode(query, content_type, body) == wanted


@pytest.mark.parametrize("cut", [10, 60, 120])
async def test_a_sender_that_goes_away_leaves_no_error(cut: int, caplog):
    seen: list[Arrival] = []
    said = (
        b"POST /dr HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: text/plain\r\n\r\n"
        + b"x" * 100
    )
    async with receiving(Receiver(seen.append, Guesser(PROVIDERS, SCHEMAS))) as url:
        parts = urlsplit(url)
        for _ in range(3):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(said[:cut])
            await writer.drain()
            writer.transport.abort()
        # Another is served, when the first have been seen to go.
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(said)
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n"), 30)).startswith(b"HTTP/1.1 200")
        writer.close()
    assert len(seen) == 1
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("body", "receipts"),
    [
        (b'[{"a": 1}, {"b": 2}]', ({"a": 1}, {"b": 2})),
        (b' [{"a": 1}]', ({"a": 1},)),
        (b"[]", ()),
        (b"[1]", ()),
        (b'[{"a": 1}, 2]', ()),
        (b'{"a": [1]}', ()),
        (b"[", ()),
        (b"[" * 100_000, ()),
        (b"\xff", ()),
        (b"", ()),
    ],
)
def test_receipts_of_an_array_are_told_apart(body: bytes, receipts: tuple):
    assert in_array(body) == receipts
