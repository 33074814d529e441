"""Receivers' URLs as people write them: non-ASCII paths and hosts, absolute names, names with two kinds of addresses."""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.rig import started
from tests.wire.api import Api
from tests.wire.delivery.test_attempting import call, scenario
from tests.wire.http.test_sockets import needs_ipv6
from voice_emulator.cli.options import address_problem
from voice_emulator.core.urls import ascii_url
from voice_emulator.core.vocabulary import PushOutcome
from voice_emulator.wire.delivery.target_policy import TargetPolicy

PATHS = [
    "/回执",
    "/straße?ort=münchen&x=%2F%C3%A9",
    "/a%2Fb/é",
    "/%E2%82%AC€",
    "/🎉?🎉=🎉",
    "/nur-ascii?x=%zz",
]


@pytest.mark.parametrize("path", PATHS)
async def test_a_push_reaches_a_path_that_is_not_ascii(path: str):
    async with started() as emu:
        emu.change({"callback_urls": {"nxcloud": emu.receiver.url + path}})
        await call(emu)
        (attempt,) = (await emu.advance("1h")).callbacks
        assert attempt.outcome is PushOutcome.DELIVERED, attempt.reason
        (push,) = emu.receiver.received
        assert (attempt.url or "").isascii()
        assert push.path == unquote(path.partition("?")[0])
        if "ort=" in path:
            assert push.query["ort"] == "münchen"
            assert "%2F%C3%A9" in (attempt.url or ""), "what is escaped already stays as it is"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://münchen.example/a", "http://xn--mnchen-3ya.example/a"),
        ("https://你好.中国:8443/x", "https://xn--6qq79v.xn--fiqs8s:8443/x"),
        ("http://u:pä@bücher.example/", "http://u:p%C3%A4@xn--bcher-kva.example/"),
        ("http://[::1]:9000/é", "http://[::1]:9000/%C3%A9"),
        ("http://127.0.0.1/a~%7e%41?b=[1]", "http://127.0.0.1/a~%7e%41?b=[1]"),
        ("http://０.０.０.０/", "http://０.０.０.０/"),
    ],
)
def test_a_host_goes_by_idna_and_ascii_stays_as_it_is(text: str, expected: str):
    assert ascii_url(text) == expected


IMPOSSIBLE = [
    "http://é..example/",
    f"http://{'é' * 70}.example/",
    "http://h:８０/é",
    "http://é\u200d.example/",
]


@pytest.mark.parametrize("url", IMPOSSIBLE)
async def test_a_url_without_an_ascii_form_is_422(url: str):
    async with started() as emu:
        for method, path in (("PATCH", "/v1/tenants/default"), ("POST", "/v1/tenants")):
            reply = await Api(emu)(method, path, {"callback_urls": {"nxcloud": url}})
            assert reply.status == 422
            assert "URL" in reply.errors["/callback_urls/nxcloud"]
        # Past the API, as by a request of the client's own, it fails and is told; nothing is thrown.
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu)
        (attempt,) = (await emu.advance("1h")).callbacks
        assert (attempt.outcome, attempt.trouble) == (PushOutcome.FAILED, "url")


@pytest.mark.parametrize("url", IMPOSSIBLE)
def test_options_refuse_it_too(url: str):
    assert address_problem(url) is not None
    assert address_problem("http://bücher.example/é") is None


async def test_non_ascii_digits_are_judged_as_the_address_they_are():
    async with started() as emu:
        emu.change({"callback_urls": {"nxcloud": "http://１９２.0.2.7/é"}})
        await call(emu)
        (attempt,) = (await emu.advance("1h")).callbacks
        assert attempt.outcome is PushOutcome.BLOCKED


def resolving(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> None:
    """Have names resolve to addresses, absolute or not, as a machine's resolver does."""

    async def getaddrinfo(host: str, port: Any, **named: Any) -> list[Any]:
        found = names.get(host.rstrip("."))
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (
                family[":" in each],
                socket.SOCK_STREAM,
                6,
                "",
                (each, port, 0, 0) if ":" in each else (each, port),
            )
            for each in found
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


NAMES = ["host.docker.internal", "host.containers.internal", "HOST.docker.internal"]


@pytest.mark.parametrize(
    "receipt",
    ["{delay: 1ms}", "{reset: true, encoding: form}", "{slow_body: {every: 1ms, bytes: 50}, encoding: form}"],
)
@pytest.mark.parametrize("dot", ["", "."], ids=["relative", "absolute"])
@pytest.mark.parametrize("name", NAMES)
@needs_ipv6
async def test_names_of_the_host_work_absolute_and_with_two_kinds_of_addresses(
    name: str, dot: str, receipt: str, monkeypatch: pytest.MonkeyPatch
):
    """The receiver listens at IPv4 alone, and the name names IPv6 first, as Docker Desktop's does."""
    async with started(scenario(receipt)) as emu:
        resolving(monkeypatch, {name.lower(): ["::1", "127.0.0.1"], name: ["::1", "127.0.0.1"]})
        port = urlsplit(emu.receiver.url).port
        emu.change({"callback_urls": {"nxcloud": f"http://{name}{dot}:{port}/dr"}})
        await call(emu)
        (attempt,) = (await emu.advance("1h")).callbacks
        if "reset" in receipt:
            assert "reset by a rule" in attempt.reason
        else:
            assert attempt.outcome is PushOutcome.DELIVERED, attempt.reason
            assert emu.receiver.received[0].headers["Host"].lower() == f"{name}:{port}".lower()


def test_a_pattern_allows_the_absolute_form_of_a_name_too():
    reach = TargetPolicy(["host.docker.internal", "*.example"])
    for name in ("host.docker.internal", "host.docker.internal.", "Host.Docker.Internal.", "a.example."):
        assert reach.named(name)
    assert not reach.named("host.docker.internal.evil.")
