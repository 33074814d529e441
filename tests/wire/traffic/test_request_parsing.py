"""From the request line and headers to a request."""

from __future__ import annotations

import pytest

from voice_emulator.wire.traffic.request_parsing import Headers, parse_request


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a/b?c=d", "/a/b", "c=d"),
        ("/a?", "/a", ""),
        ("/a?b?c", "/a", "b?c"),
        ("/a#x?b=1", "/a", ""),
        ("/a?b=1#x", "/a", "b=1"),
        ("/%E5%8F%B7%2F?%41", "/号/", "%41"),
        ("/%FF", "/\ufffd", ""),
        ("*", "*", ""),
    ],
)
def test_request_of_divides_the_target_and_decodes_the_path_alone(target: str, path: str, query: str):
    made = parse_request("GET", target, Headers({}), b"", "127.0.0.1", "http")
    assert (made.path, made.raw_query) == (path, query)


def test_request_of_has_header_names_in_lower_case_and_the_host():
    made = parse_request(
        "POST", "/", Headers({"HOST": "voice.test:1", "X-APP-Key": "K"}), b"x", "::1", "https"
    )
    assert made.headers == {"host": "voice.test:1", "x-app-key": "K"}
    assert (made.host, made.scheme, made.peer, made.body) == ("voice.test:1", "https", "::1", b"x")
    assert parse_request("GET", "/", Headers({}), b"", "", "http").host == ""
