from __future__ import annotations

import base64
from contextlib import nullcontext

import pytest

from voice_emulator.providers.huawei_cec.callback_urls import check_trusted, is_legible, read_callback_url

PLAIN = "http://10.0.0.1:8800/callbackTest"


def encoded(url: str) -> str:
    return base64.b64encode(url.encode()).decode()


@pytest.mark.parametrize("form", ["any", "plain"])
def test_a_plain_url_is_taken_as_it_is(form: str) -> None:
    assert read_callback_url(PLAIN, form) == PLAIN
    assert read_callback_url("HTTPS://Example.com/a?b=c", form) == "HTTPS://Example.com/a?b=c"


@pytest.mark.parametrize("form", ["any", "base64"])
def test_a_url_in_base64_is_decoded(form: str) -> None:
    assert read_callback_url(encoded(PLAIN), form) == PLAIN


@pytest.mark.parametrize(
    ("value", "form", "reason"),
    [
        (PLAIN, "base64", "wants Base64"),
        (encoded(PLAIN), "plain", "does not begin"),
        (encoded("http://a.example/x?y=1"), "base64", "characters other than"),
        (encoded("ftp://a.example/"), "any", "other than an http"),
        ("abcde", "any", "neither"),
        (base64.b64encode(b"http://\xff\xfe").decode(), "any", "neither"),
        (encoded("http://例子.example/"), "any", "printable ASCII"),
        ("http://", "any", "names no host"),
        ("http://:80/", "any", "names no host"),
        ("http://a.example:99999/", "any", "ort"),
        ("http://[::1/", "any", "IPv6"),
    ],
)
def test_what_is_no_url_is_refused(value: str, form: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_callback_url(value, form)


@pytest.mark.parametrize(
    ("value", "legible"),
    [(PLAIN, True), (encoded(PLAIN), True), ("http://a/" + "x" * 247, True), ("http://a/" + "x" * 248, False),
     ("ftp://a", False), ("", False), ("http://a b", False)],
)  # fmt: skip
def test_the_two_forms_of_the_schema(value: str, legible: bool) -> None:
    assert is_legible(value) is legible


@pytest.mark.parametrize(
    ("url", "trustlist", "trusted"),
    [
        (PLAIN, [], True),
        (PLAIN, ["10.0.0.1:8800"], True),
        (PLAIN, ["10.0.0.1"], True),
        (PLAIN, ["10.0.0.1:8801", "10.0.0.2"], False),
        ("https://Hooks.Example.com/x", ["hooks.example.com"], True),
        ("https://hooks.example.com/x", ["hooks.example.com:443"], True),
        ("http://hooks.example.com/x", ["hooks.example.com:443"], False),
        ("https://evil-hooks.example.com/x", ["hooks.example.com"], False),
        ("http://[::1]:80/x", ["[::1]:80"], True),
        ("http://[::1]:80/x", ["::1"], True),
    ],
)
def test_the_trustlist(url: str, trustlist: list[str], trusted: bool) -> None:
    with nullcontext() if trusted else pytest.raises(ValueError, match="not on the trustlist"):
        check_trusted(url, trustlist)
