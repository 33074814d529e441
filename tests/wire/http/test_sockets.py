"""The addresses both ports bind: IPv4, IPv6, both, several; one port on all of them; and what the ready line names."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.cli.process import COMMAND, command
from tests.wire.raw import form_request, talk
from voice_emulator.app import serving
from voice_emulator.errors import UsageError
from voice_emulator.settings import Options
from voice_emulator.wire.http import sockets
from voice_emulator.wire.http.sockets import bind, dialled


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")

CASES = [
    ("127.0.0.1", {"127.0.0.1"}, "127.0.0.1"),
    ("0.0.0.0", {"127.0.0.1"}, "127.0.0.1"),
    pytest.param("localhost", {"127.0.0.1", "::1"}, "127.0.0.1", marks=needs_ipv6),
    pytest.param("::", {"127.0.0.1", "::1"}, "127.0.0.1", marks=needs_ipv6),
    pytest.param("[::]", {"127.0.0.1", "::1"}, "127.0.0.1", marks=needs_ipv6),
    pytest.param("::1", {"::1"}, "::1", marks=needs_ipv6),
    pytest.param("[::1]", {"::1"}, "::1", marks=needs_ipv6),
    pytest.param(("127.0.0.1", "::1"), {"127.0.0.1", "::1"}, "127.0.0.1", marks=needs_ipv6),
    pytest.param(("::1", "127.0.0.1"), {"127.0.0.1", "::1"}, "::1", marks=needs_ipv6),
    (("127.0.0.1", "127.0.0.2", "127.0.0.1"), {"127.0.0.1", "127.0.0.2"}, "127.0.0.1"),
    # A wildcard includes the others, which could not be bound beside it.
    (("0.0.0.0", "127.0.0.1", "127.0.0.2"), {"127.0.0.1", "127.0.0.2"}, "127.0.0.1"),
    pytest.param(("127.0.0.1", "::", "localhost"), {"127.0.0.1", "::1"}, "127.0.0.1", marks=needs_ipv6),
]


@pytest.mark.parametrize(("host", "answering", "named"), CASES)
async def test_both_ports_serve_every_address_at_one_port(
    host: str | tuple[str, ...], answering: set[str], named: str
):
    async with serving(Options(host=host, port=0, control_port=0)) as emulator:
        runtime = emulator.runtime
        assert urlsplit(runtime.traffic).hostname == urlsplit(runtime.control).hostname == named
        for address in ("127.0.0.1", "127.0.0.2", "::1"):
            base = f"http://[{address}]:" if ":" in address else f"http://{address}:"
            traffic, control = (base + str(urlsplit(url).port) for url in (runtime.traffic, runtime.control))
            if address in answering:
                assert (await talk(traffic, form_request())).head.startswith(b"HTTP/1.1 200")
                probe = await talk(control, b"GET /health HTTP/1.0\r\n\r\n")
                assert json.loads(probe.body)["status"] == "ok"
            elif address != "127.0.0.2" and not (address == "::1" and not has_ipv6()):
                with pytest.raises(ConnectionRefusedError):
                    await talk(traffic, form_request())


@pytest.mark.parametrize("missing", [socket.AF_INET6, socket.AF_INET])
@pytest.mark.parametrize("host", ["localhost", "::"])
def test_a_machine_without_one_of_the_two_serves_the_other(
    host: str, missing: socket.AddressFamily, monkeypatch: pytest.MonkeyPatch
):
    if missing is socket.AF_INET and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    real = sockets._bind_one

    def bind_one(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        if family is missing:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, address, port)

    monkeypatch.setattr(sockets, "_bind_one", bind_one)
    bound = bind([host], 0)
    try:
        assert [each.family for each in bound] == [
            socket.AF_INET if missing is socket.AF_INET6 else socket.AF_INET6
        ]
        assert dialled(bound).startswith("127.0.0.1:" if missing is socket.AF_INET6 else "[::1]:")
    finally:
        for each in bound:
            each.close()


@needs_ipv6
def test_a_port_that_one_address_lacks_is_not_taken_at_the_other():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"localhost port {port}: address already in use"):
            bind(["localhost"], port)
        # Nothing of it stays bound.
        with socket.create_server(("::1", port), family=socket.AF_INET6):
            pass


@needs_ipv6
def test_a_free_port_is_free_on_all_addresses(monkeypatch: pytest.MonkeyPatch):
    real, tried = sockets._bind_one, []

    def bind_one(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        tried.append(port)
        if family is socket.AF_INET6 and len(tried) < 6:
            raise OSError(98, "Address already in use")
        return real(family, address, port)

    monkeypatch.setattr(sockets, "_bind_one", bind_one)
    bound = bind(["localhost"], 0)
    assert len({each.getsockname()[1] for each in bound}) == 1
    assert len(bound) == 2
    for each in bound:
        each.close()


@pytest.mark.parametrize("host", ["", " ", "[]"])
def test_an_empty_host_is_refused(host: str):
    done = command("serve", "--host", host, "--port", 0, "--control-port", 0, program=COMMAND)
    assert done.returncode != 0
    assert "0.0.0.0" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("host", ["nowhere.invalid", "300.1.1.1", "exa mple", "\u00e9" * 70])
def test_a_host_that_is_none_is_named(host: str):
    with pytest.raises(UsageError, match="--host"):
        bind([host], 0)


def test_an_address_of_another_machine_is_told():
    with pytest.raises(
        UsageError, match=r"cannot listen on 192\.0\.2\.1 port 0: cannot assign requested address"
    ):
        bind(["192.0.2.1"], 0)
