"""Receivers' URLs as people write them: non-ASCII paths and hosts, absolute names, names with two kinds of addresses."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any
from urllib.parse import unquote, urlsplit

import click
import pytest

from tests.rig import started
from tests.wire.api import Api
from tests.wire.delivery.test_attempting import call, scenario
from tests.wire.http.test_sockets import needs_ipv6
from voice_emulator.cli.options import address
from voice_emulator.core.urls import ascii_url, url_problem
from voice_emulator.core.vocabulary import PushOutcome
from voice_emulator.providers.registry import discover
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.control.tenant_changes import account_errors
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


#: A URL, and a part of what is wrong with it (None: nothing).
JUDGED = [
    ("http://bücher.example/é", None),
    ("https://[::1]:9000/?a=b", None),
    *((url, "is not a valid URL") for url in IMPOSSIBLE),
    ("localhost:9000/dr", "'localhost:9000/dr' lacks http:// or https://; write http://localhost:9000/dr"),
    ("127.0.0.1", "lacks http:// or https://; write http://127.0.0.1"),
    ("/path", "is not a valid URL; write one like http://127.0.0.1:9000/dr"),
    ("ftp://h/", "is not a valid URL; write one like"),
    ("http://", "is not a valid URL; write one like"),
    ("http://h:0/", "is not a valid URL; write one like"),
    ("http://h:99999/", "is not a valid URL: the port must be a number from 1 to 65535"),
    ("http://h:x/", "is not a valid URL: the port must be a number from 1 to 65535"),
    ("http://[::1/", "is not a valid URL: the host cannot be read"),
]


@pytest.mark.parametrize(("url", "wrong"), JUDGED)
async def test_command_line_scenario_and_control_api_judge_a_url_alike(
    url: str, wrong: str | None, judges: Judges
):
    found = url_problem(url)
    assert (wrong is None and found is None) or (wrong is not None and found is not None and wrong in found)
    told = [
        *judges.command_line(url),
        *judges.scenario(url),
        *(message for _, message in account_errors(judges.providers, {"callback_urls": {"nxcloud": url}})),
    ]
    assert len(told) == (3 if wrong else 0)
    assert all(str(found) in message for message in told)


class Judges:
    """Everything that takes a URL from a user."""

    def __init__(self) -> None:
        self.providers = discover()
        self._loader = ScenarioLoader(Catalogue(self.providers, SchemaSet.load(self.providers)), {})

    def command_line(self, url: str) -> list[str]:
        try:
            address(url)
        except click.BadParameter as error:
            return [error.message]
        return []

    def scenario(self, url: str) -> list[str]:
        text = json.dumps({"name": "x", "providers": {"nxcloud": {"callback_url": url}}}, ensure_ascii=False)
        return [finding.message for finding in self._loader.check_bytes(text.encode(), "x")]


@pytest.fixture(scope="module")
def judges() -> Judges:
    return Judges()


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
