"""Where a bill comes from: a file, standard input, or a URL that may do anything."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from voice_emulator.errors import UsageError
from voice_emulator.swarm import bill_source
from voice_emulator.swarm.bill_source import read_source, shown_source

BILL = b"number,charge\n6281234567,0.036\n"


@contextmanager
def answering(respond: Callable[[socket.socket, bytes], object]) -> Iterator[str]:
    """A server for one connection: reads the head of the request, and lets ``respond`` write."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(4096)
                try:
                    respond(connection, head)
                except OSError:
                    pass  # the client had enough

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join()


def reply(
    body: bytes, head: str = "200 OK", length: int | None = None
) -> Callable[[socket.socket, bytes], object]:
    size = len(body) if length is None else length
    return lambda connection, _: connection.sendall(
        f"HTTP/1.1 {head}\r\nContent-Length: {size}\r\n\r\n".encode() + body
    )


def test_a_file_and_standard_input_are_read(tmp_path, monkeypatch):
    (tmp_path / "bill.csv").write_bytes(BILL)
    assert read_source(str(tmp_path / "bill.csv")) == BILL
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(BILL)))
    assert read_source("-") == BILL


def test_a_url_is_read_with_its_query():
    seen = []

    def respond(connection: socket.socket, head: bytes) -> None:
        seen.append(head.split(b"\r\n")[0])
        reply(BILL)(connection, head)

    with answering(respond) as url:
        assert read_source(f"{url}/bills/1?format=csv&month=\u4e00") == BILL
    assert seen == [b"GET /bills/1?format=csv&month=%E4%B8%80 HTTP/1.1"]


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        (reply(b"", "404 Not Found"), "it answers 404, not 200"),
        (reply(b"", "302 Found\r\nLocation: http://127.0.0.1:1/"), "it answers 302, not 200"),
        (reply(BILL, length=100), "broke off after"),
        (reply(b"x" * 5_000), "is larger than"),
        (
            lambda connection, _: connection.sendall(b"220 smtp\r\n"),
            "cannot read the bill at http://127.0.0.1",
        ),
        (lambda connection, _: None, "cannot read the bill at http://127.0.0.1"),
    ],
)
def test_a_url_that_gives_no_bill_is_one_line(respond, said, monkeypatch):
    monkeypatch.setattr(bill_source, "SIZE_LIMIT", 4_000)
    with answering(respond) as url, pytest.raises(UsageError) as caught:
        read_source(f"{url}/bill?token=secret")
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bill_that_trickles_is_given_up(monkeypatch):
    monkeypatch.setattr(bill_source, "PATIENCE", 0.2)

    def trickle(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            connection.sendall(b"1")

    with (
        answering(trickle) as url,
        pytest.raises(UsageError, match="did not arrive within"),
    ):
        read_source(url)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/nowhere/bill.csv", "cannot read the bill /nowhere/bill.csv: No such file or directory"),
        (".", "cannot read the bill .: Is a directory"),
        ("\0", "cannot read the bill"),
        ("ftp://127.0.0.1/bill", "is not a valid URL"),
        ("http://127.0.0.1:99999/", "the port must be a number"),
    ],
)
def test_a_source_that_is_none_is_one_line(source, said):
    with pytest.raises(UsageError, match=said):
        read_source(source)


def test_secrets_of_a_url_are_not_shown():
    assert shown_source("https://me:secret@bills.example/a?token=secret#x") == "https://bills.example/a"
    assert shown_source("a/bill.csv") == "a/bill.csv"
    assert shown_source("-") == "standard input"
