from __future__ import annotations

import pytest

from voice_emulator.client.address import address, request_headers
from voice_emulator.wire.http.agent import CLIENT


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("127.0.0.1:4881", "http://127.0.0.1:4881"),
        ("https://voice.test", "https://voice.test:443"),
        ("http://voice.test/", "http://voice.test:80"),
        ("http://[::1]:5/a/b/", "http://[::1]:5/a/b"),
    ],
)
def test_address_has_every_part_and_no_slash_at_its_end(given: str, url: str):
    assert address(given).url == url
    assert address(address(given).url) == address(given)


def test_address_with_the_port_of_another_url_stays_on_its_host():
    there = address("http://docker.test:14881/prefix")
    assert there.with_port("https://127.0.0.1:4880") == "https://docker.test:4880"


def test_request_headers_say_only_what_there_is():
    assert request_headers(None) == {"Accept": "application/json", "User-Agent": CLIENT}
    assert request_headers("") == {"Accept": "application/json", "User-Agent": CLIENT}
    assert request_headers("t", "text/plain") == {
        "Accept": "application/json",
        "User-Agent": CLIENT,
        "Authorization": "Bearer t",
        "Content-Type": "text/plain",
    }
