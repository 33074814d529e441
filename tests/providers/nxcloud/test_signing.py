"""The signature: the page's vectors, and agreement with a second implementation."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.providers.nxcloud.signing import sign

VECTORS = [
    ('{"name":"牛小信","id":10001}', "87c3560d3331ae23f1021e2025722354"),
    ('{"id":10001,"name":"牛小信"}', "7750759da06333f20d0640be09355e34"),
    ('{"id": 10001, "name": "牛小信"}', "d0c24a9886c629330d7f3f2056c65bc2"),
    ("", "884afe159e39b6c88a0d6102ca97d704"),
]


@pytest.mark.parametrize(("body", "expected"), VECTORS)
def test_vectors_of_the_convention_page(body: str, expected: str) -> None:
    assert sign("fme2na3kdi3ki", "send", "1", "1655710885431", body, "abciiiko2k3") == expected


def second_opinion(access_key: str, action: str, biz_type: str, ts: str, body: str, secret: str) -> str:
    """The same rule written from its other end: a list of pairs, joined."""
    pairs = [("accessKey", access_key), ("action", action), ("bizType", biz_type), ("ts", ts)]
    if body:
        pairs.append(("body", body))
    pairs.append(("accessSecret", secret))
    digest = hashlib.new("md5", usedforsecurity=False)
    for index, (name, value) in enumerate(pairs):
        digest.update(((("&" if index else "") + name + "=") + value).encode())
    return "".join(f"{byte:02x}" for byte in digest.digest())


texts = st.text(max_size=40)  # hypothesis makes no lone surrogates


@given(texts, texts, texts, texts, texts, texts)
def test_agrees_with_a_second_implementation(
    access_key: str, action: str, biz_type: str, ts: str, body: str, secret: str
) -> None:
    given_parts = (access_key, action, biz_type, ts, body, secret)
    assert sign(*given_parts) == second_opinion(*given_parts)


@given(texts.filter(bool), texts)
def test_body_changes_the_signature(body: str, secret: str) -> None:
    assert sign("k", "a", "1", "2", body, secret) != sign("k", "a", "1", "2", "", secret)
