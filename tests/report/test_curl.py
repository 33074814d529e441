"""A curl line is what a shell makes of it: the shell itself is asked."""

from __future__ import annotations

import subprocess

import pytest

from voice_emulator.report.curl import curl_line, url_secrets, without_secrets

URL = "http://user7:pass word@127.0.0.1:9/cb?token=s3cr3t%26more&lang=en"
SECRETS = {"user7": "RECEIVER_USER"}


def arguments(line: str, **variables: str) -> list[bytes]:
    """What curl is called with."""
    script = f'curl() {{ printf "%s\\0" "$@"; }}\n{line}'
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, env=variables)
    return done.stdout.split(b"\0")[:-1]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"a=1&b=2", b"it's $HOME `id` \"quoted\" \\n", b"@/etc/passwd", '{"name": "\u5f20 é"}'.encode(),
        b"line\r\nline\n", b"\xff\xfe half a character \xe5", b"a\0b", b"-x",
    ],
)  # fmt: skip
def test_the_body_arrives_as_it_was(body):
    found = arguments(curl_line("POST", "http://h/x", [("X-A", "it's")], body))
    if b"\0" not in body:
        assert found[found.index(b"--data-raw") + 1] == body
    assert b"X-A: it's" in found
    assert found[-1] == b"http://h/x"


def test_a_get_has_no_body_and_a_post_without_content_type_gets_none():
    assert b"--data-raw" not in arguments(curl_line("GET", "http://h/x"))
    assert b"Content-Type:" in arguments(curl_line("POST", "http://h/x", body=b"x"))
    with_type = arguments(curl_line("POST", "http://h/x", [("content-type", "text/plain")], b"x"))
    assert b"Content-Type:" not in with_type


def test_secrets_are_shell_variables():
    secrets = url_secrets(URL)
    assert secrets == {"pass word": "RECEIVER_PASSWORD", "s3cr3t&more": "RECEIVER_TOKEN"}
    line = curl_line("POST", URL + "&a=1", [("X-Key", "s3cr3t&more")], b"token=s3cr3t%26more", secrets)
    for secret in ("user7", "pass word", "s3cr3t"):
        assert secret not in line
    found = arguments(line, RECEIVER_USER="u", RECEIVER_PASSWORD="p", RECEIVER_TOKEN="t")
    assert found[found.index(b"-u") + 1] == b"u:p"
    assert found[-1] == b"http://127.0.0.1:9/cb?token=t&lang=en&a=1"
    assert b"X-Key: t" in found
    assert b"token=t" in found


def test_a_url_is_shown_without_its_secrets():
    assert without_secrets(URL, url_secrets(URL)) == "http://***@127.0.0.1:9/cb?token=***&lang=en"
    assert without_secrets("http://127.0.0.1:9/cb?a=1", {}) == "http://127.0.0.1:9/cb?a=1"
    assert url_secrets("http://[half") == {}
