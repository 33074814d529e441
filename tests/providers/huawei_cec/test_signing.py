from __future__ import annotations

import base64
import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.providers.huawei_cec.signing import canonical_text, signature, text_to_sign

KEY = "0123456789abcdef"
TIMESTAMP = "1645524163326"
NONCE = "-1482421808053124529"
#: The sample of "Release Event Callback API", without the signature triple.
SAMPLE = {
    "alertingTime": "2022/02/22,10:04:29:004",
    "callSerialNo": "1197765398201387012",
    "called": "88880067",
    "callerPresent": "960003",
    "createCallTime": "2022/02/22,10:04:28:823",
    "locationId": "0",
    "recordfile": "Y:/2/mobileAgent/20220222/1645524268-824.wav",
    "releaseReason": "0",
    "releaseTime": "2022/02/22,10:04:36:318",
    "talkDuration": "0",
    "talkingTime": "2022/02/22,10:04:30:418",
}
TRIPLE = {"timestamp": TIMESTAMP, "nonce": NONCE, "signature": "+lk50="}

VECTORS = [
    ({"b": "2", "a": 1}, "hmac-sha256", "JB0mJt65pJU2DJ54xf14j5lFxF9b6HZBKyBgVbaNSzg="),
    (SAMPLE, "hmac-sha256", "eepwZcUd6FNvCJ7DgbCBQHAM1S4aDqzBV3OQlB/deNc="),
    (
        {**SAMPLE, "callerPresent": "", "recordfile": None, "talkingTime": None},
        "hmac-sha256",
        "2sx9BlG6ROsJCP5g0MMlDQvd23pnBg+kZcwBxoAUJ4I=",
    ),
    (SAMPLE, "sha256", "ASf0NHrBUlnxPeFPv0kJpdqVhuKzBB4UBpwnqglIZck="),
]


@pytest.mark.parametrize(("fields", "algorithm", "expected"), VECTORS)
def test_the_vectors_of_the_reference(fields: dict[str, object], algorithm: str, expected: str) -> None:
    assert expected == signature(KEY, TIMESTAMP, NONCE, fields, algorithm)
    assert expected == signature(KEY, TIMESTAMP, NONCE, {**fields, **TRIPLE}, algorithm)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"b": "2", "a": 1}, "a=1,b=2"),
        ({"b": "2", "a": 1, "d": "null", "c": ""}, "a=1,b=2,c=,d=null"),
        (
            {"called": "1", "callSerialNo": "2", "callerPresent": "3"},
            "callSerialNo=2,called=1,callerPresent=3",
        ),
        ({"a": "x y  z", "b": None, "c": True}, "a=xyz,b=null,c=true"),
        ({"\U00010000": "astral", "\uffff": "basic"}, "\U00010000=astral,\uffff=basic"),
    ],
)
def test_the_text_before_signing(fields: dict[str, object], expected: str) -> None:
    assert expected == canonical_text(fields)
    assert f"{KEY}_{TIMESTAMP}_{NONCE}_{expected}" == text_to_sign(KEY, TIMESTAMP, NONCE, fields)


def independent_signature(key: str, timestamp: str, nonce: str, fields: dict[str, str]) -> str:
    """HMAC by its definition (RFC 2104), text and sorting written out by hand as a Java TreeMap does them."""
    names: list[str] = []
    for name in fields:
        position = 0
        while position < len(names) and struct.unpack(
            f">{len(names[position].encode('utf-16-be')) // 2}H", names[position].encode("utf-16-be")
        ) < struct.unpack(f">{len(name.encode('utf-16-be')) // 2}H", name.encode("utf-16-be")):
            position += 1
        names.insert(position, name)
    text = ""
    for name in names:
        if name not in ("timestamp", "nonce", "signature"):
            text += ("," if text else "") + name + "=" + fields[name]
    message = (key + "_" + timestamp + "_" + nonce + "_" + "".join(text.split(" "))).encode()
    block = key.encode()
    if len(block) > 64:
        block = hashlib.sha256(block).digest()
    block = block.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
    return (
        base64.encodebytes(hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()).decode().strip()
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    key=st.text(st.characters(exclude_categories=["Cs"]), min_size=16, max_size=90),
    nonce=st.integers(-(2**63), 2**63 - 1).map(str),
    fields=st.dictionaries(texts.filter(bool), texts, max_size=8),
)
def test_an_independent_implementation_agrees(key: str, nonce: str, fields: dict[str, str]) -> None:
    assert independent_signature(key, TIMESTAMP, nonce, fields) == signature(key, TIMESTAMP, nonce, fields)
