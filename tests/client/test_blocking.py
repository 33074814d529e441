"""What only the synchronous client has: connections kept open, shared by threads, found dead."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from voice_emulator.client import Client, NotReady


class OneReplyServer:
    """Answers one request per connection, then closes it although it promised to keep it."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.connections = 0
        self.closed = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                if not connection.recv(65536):
                    continue
                self.connections += 1
                body = b'{"status": "ok", "version": "1", "scenario": "x"}'
                head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                connection.sendall(head % len(body) + body)
            self.closed.set()

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def closing() -> Iterator[OneReplyServer]:
    server = OneReplyServer()
    yield server
    server.stop()


def test_a_connection_that_the_other_side_closed_is_not_used_again(closing):
    """Whoever reused it would lose a request, and could not tell whether it had been carried out."""
    with Client(closing.url) as client:
        for _ in range(3):
            closing.closed.clear()
            assert client.health().status == "ok"
            assert closing.closed.wait(5)
    assert closing.connections == 3


def test_a_connection_is_used_again(server):
    with Client(server.control_url) as client:
        client.health()
        (kept,) = client._idle
        client.tenants()
        assert client._idle == [kept]
    assert client._idle == []
    assert kept.sock is None


def test_threads_share_a_client(server):
    with Client(server.control_url) as client, ThreadPoolExecutor(8) as pool:
        tenants = list(pool.map(lambda _: client.create_tenant().id, range(40)))
        assert len(set(tenants)) == 40
        assert [tenant.id for tenant in pool.map(client.tenant, tenants)] == tenants
        list(pool.map(client.delete_tenant, tenants))


def test_a_reply_that_does_not_come_is_no_emulator():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url) as client, pytest.raises(NotReady, match=r"no reply from 127\.0\.0\.1:\d+ in time"):
            client.wait_ready("50ms")


@pytest.mark.parametrize("url", ["ftp://x", "http://", "//"])
def test_what_is_no_url_is_refused(url):
    with pytest.raises(ValueError, match="not the URL of a control API"):
        Client(url)


def test_the_scheme_may_be_left_out_and_a_path_is_kept():
    assert Client("localhost:4881").url == "http://localhost:4881"
    assert Client("http://[::1]:4881/emulator/").url == "http://[::1]:4881/emulator"
    assert Client("https://emulator").url == "https://emulator:443"
