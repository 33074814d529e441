"""Whom pushes may reach: every way to write an address, and names that lie about theirs."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from tests.rig import Running, started
from tests.wire.raw import GPSEND
from voice_emulator.core.vocabulary import PushOutcome
from voice_emulator.wire.delivery.target_policy import Resolver, TargetBlocked, TargetPolicy, blocked_by

PUBLIC = "93.184.216.34"


def answers(monkeypatch: pytest.MonkeyPatch, **names: Sequence[Sequence[str]]) -> list[str]:
    """Have names resolve as given, one list of addresses per question, the last one again and again.

    ``_`` in a name stands for a dot. Addresses and all other names resolve as ever. Returns the questions.
    """
    asked: list[str] = []
    real = asyncio.BaseEventLoop.getaddrinfo
    planned = {name.replace("_", "."): list(lists) for name, lists in names.items()}

    async def resolve(self: Any, host: str, port: int, **options: Any) -> list[Any]:
        if host not in planned:
            return await real(self, host, port, **options)
        asked.append(host)
        found = planned[host].pop(0) if len(planned[host]) > 1 else planned[host][0]
        kinds = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(kinds[":" in ip], socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
    return asked


async def push_to(emu: Running, url: str) -> tuple[PushOutcome, str]:
    """Place a call, let it end, and say how its push went."""
    emu.change({"callback_urls": {"nxcloud": url}})
    async with emu.client.post(
        f"{emu.url}/api/voiceSms/gpsend", data={**GPSEND, "phone": "6212345678"}
    ) as reply:
        assert (await reply.json())["code"] == "0"
    (attempt,) = (await emu.advance("1h")).callbacks
    return attempt.outcome, attempt.reason


# --- addresses ------------------------------------------------------------------------------------


def allows(address: str) -> bool:
    return TargetPolicy().refusal(address, address, 80) is None


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::1", "fc00::1",
     "fdff::1", "::ffff:10.1.2.3", "::ffff:127.0.0.1", "fd00:ec3::254", "fd20:ce::253", "fd00::ec2:0:254", "::1%lo"],
)  # fmt: skip
def test_loopback_and_private_addresses_are_in_reach(address: str):
    assert allows(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", PUBLIC, "0.0.0.0", "255.255.255.255", "169.254.169.254", "169.254.0.1", "172.15.255.255",
     "172.32.0.0", "192.169.0.1", "100.64.0.1", "224.0.0.1", "::", "fe80::1", "fe80::1%eth0", "2001:db8::1", "ff02::1",
     "::ffff:8.8.8.8", "::ffff:169.254.169.254", "::8.8.8.8", "2002:7f00:1::", "64:ff9b::7f00:1",
     "64:ff9b:1::a00:1", "2002:a9fe:a9fe::", "::127.0.0.1", "::ffff:0:127.0.0.1", "2001:0:7f00:1::", "fec0::1",
     "fd00:ec2::254", "fd00:ec2::23", "fd00:0ec2:0:0:0:0:0:0254", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42",
     "fd00:ec2::254%eth0", "100.100.100.200", "192.0.0.192", "168.63.129.16",
     "not an address", ""],
)  # fmt: skip
def test_all_others_are_not(address: str):
    assert not allows(address)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_the_one_it_carries(address):
    assert allows(f"::ffff:{address}") == allows(str(address))


@given(st.ip_addresses())
def test_targets_beyond_loopback_and_private_networks_are_blocked(address):
    carried = getattr(address, "ipv4_mapped", None) or address
    if allows(str(address)):
        assert carried.is_private
        assert not carried.is_link_local
        assert not carried.is_unspecified
        assert not carried.is_multicast


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "127.0.1"],
)
async def test_spellings_of_an_address_other_than_the_usual_one_are_not_dialled(host: str):
    """inet_aton takes them for addresses, other parsers for names: such disagreements are what attacks live on."""
    async with started() as emu:
        port = URL(emu.receiver.url).port
        outcome, reason = await push_to(emu, f"http://{host}:{port}/dr")
        assert outcome is PushOutcome.BLOCKED
        usual = socket.inet_ntoa(socket.inet_aton(host))
        assert reason == f"{host} is another spelling of {usual}; write {usual}"
        assert emu.receiver.received == []


@pytest.mark.parametrize(
    "host",
    ["134744072", "0x08080808", "0x8.8.8.8", "010.8.8.8", "8.526344", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
     "0", "0x0", "0x", "00", "0.0", "127.0.0.1.", "8.8.8.8.", "1.2.3.4.5", "999999999999", "256.256.256.256", "1.2.3.08",
     "a.1", "a.0x1", "127.0.0.0x1", "127.0.0.1%00", "127%2e0.0.1", "127.0.0.1%25lo", "a%2eb", "a,b", "a~b",
     "[fe80::1%25lo]", "[fe80::1%lo]", "[fd00:ec2::254]", "[fd20:ce::254]", "[FD00:EC2:0::0254]", "[2002:7f00:1::]",
     "[64:ff9b::7f00:1]", "[::127.0.0.1]", "[::ffff:808:808]", "[::ffff:8.8.8.8]", "[0:0:0:0:0:ffff:a9fe:a9fe]", "[::]"],
)  # fmt: skip
async def test_spellings_of_a_blocked_address_are_blocked_too(host: str):
    async with started() as emu:
        outcome, reason = await push_to(emu, f"http://{host}:9/dr")
        assert outcome is PushOutcome.BLOCKED, reason


#: Digits that are none of ASCII's, full stops that look or act like one.
FOREIGN = [
    "０.０.０.０", "１２７.０.０.１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "①②⑦.0.0.1", "٠.٠.٠.٠", "१२७.0.0.1",
    "２１３０７０６４３３", "０x７f.１", "0x7ｆ.1", "²", "１６９.254.169.254", "𝟏𝟐𝟕.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("rule", ["{copies: 1}", "{reset: true}"])
async def test_digits_of_other_scripts_are_blocked_and_never_looked_up(monkeypatch, host: str, rule: str):
    """Some HTTP clients take them for addresses (str.isdigit), and resolvers turn them into some."""
    asked = answers(monkeypatch, **{host.replace(".", "_"): [["127.0.0.1"]]})
    async with started(f"name: s\nrules:\n  - {{name: e, receipt: {rule}}}\n", rewrites=()) as emu:
        port = URL(emu.receiver.url).port
        outcome, reason = await push_to(emu, f"http://{host}:{port}/dr")
        assert outcome is PushOutcome.BLOCKED, reason
        assert asked == []
        assert emu.receiver.received == []


@given(st.text(st.characters(categories=("Nd", "No", "Nl")), min_size=1, max_size=12))
@example("\u0660\u2474")  # a digit, and one that becomes "(1)"
def test_no_host_of_digits_alone_is_a_name(digits: str):
    """aiohttp dials what it takes for an address without asking our resolver: nothing of the kind may get there."""
    if digits.isdigit():
        try:
            socket.inet_pton(socket.AF_INET, digits)
        except (OSError, ValueError):
            assert TargetPolicy(["*"]).check(URL(f"http://{digits}/", encoded=True)) is not None


@given(st.text("0123456789.:abxf%[]０１٠。", min_size=1, max_size=16))
def test_what_passes_is_a_plain_address_or_a_name_that_every_client_looks_up(host: str):
    """The heuristics of all aiohttp versions: a colon, or nothing but digits and dots, is an address."""
    try:
        url = URL(f"http://{host}/", encoded=True)
        refusal = TargetPolicy(["*"]).check(url)
    except ValueError:
        return  # no URL at all: the push fails
    if refusal is not None:
        return
    raw = url.raw_host or ""
    taken_for_address = ":" in raw or raw.replace(".", "").isdigit()
    try:
        ipaddress.ip_address(raw.split("%")[0])
    except ValueError:
        assert not taken_for_address
        with pytest.raises((OSError, ValueError)):
            socket.inet_aton(raw)


# --- names ----------------------------------------------------------------------------------------


async def test_one_public_address_among_several_blocks_the_name(monkeypatch):
    answers(monkeypatch, two_example=[["127.0.0.1", PUBLIC]], mixed_example=[["::1", "2001:db8::1"]])
    async with started() as emu:
        port = URL(emu.receiver.url).port
        for name in ("two.example", "mixed.example"):
            outcome, reason = await push_to(emu, f"http://{name}:{port}/dr")
            assert outcome is PushOutcome.BLOCKED
            assert f"{name} resolves to " in reason
            assert f"--allow-callback-host {name}" in reason
        assert emu.receiver.received == []


async def test_a_name_that_is_mapped_into_ipv6_is_judged_by_what_it_carries(monkeypatch):
    answers(monkeypatch, mapped_example=[[f"::ffff:{PUBLIC}"]])
    async with started() as emu:
        assert (await push_to(emu, "http://mapped.example/dr"))[0] is PushOutcome.BLOCKED


async def test_a_name_that_is_rebound_is_dialled_where_it_was_checked(monkeypatch):
    """The classic: the first answer passes the check, the second would be dialled. There is no second."""
    asked = answers(monkeypatch, rebound_example=[["127.0.0.1"], ["169.254.169.254"]])
    async with started() as emu:
        port = URL(emu.receiver.url).port
        outcome, reason = await push_to(emu, f"http://rebound.example:{port}/dr")
        assert outcome is PushOutcome.DELIVERED, reason
        assert asked == ["rebound.example"], "resolved once: what was checked is what was dialled"
        assert emu.receiver.received[0].headers["Host"] == f"rebound.example:{port}"


async def test_a_name_that_turns_public_later_is_blocked_then(monkeypatch):
    answers(monkeypatch, turning_example=[["127.0.0.1"], [PUBLIC]])
    resolver = Resolver(TargetPolicy())
    assert [each["host"] for each in await resolver.resolve("turning.example", 80)] == ["127.0.0.1"]
    with pytest.raises(TargetBlocked, match=PUBLIC):
        await resolver.resolve("turning.example", 80)


async def test_a_rule_that_resets_the_push_dials_no_other_address_either(monkeypatch):
    answers(monkeypatch, public_example=[[PUBLIC]], rebound_example=[["127.0.0.1"], [PUBLIC]])
    text = "name: cut\nrules:\n  - {name: cut, receipt: {reset: true}}\n"
    async with started(text) as emu:
        assert (await push_to(emu, "http://public.example/dr"))[0] is PushOutcome.BLOCKED
        port = URL(emu.receiver.url).port
        outcome, reason = await push_to(emu, f"http://rebound.example:{port}/dr")
        assert (outcome, reason) == (PushOutcome.FAILED, "reset by a rule in the middle of the push")


async def test_a_name_that_does_not_resolve_is_a_failure_and_no_block(monkeypatch):
    async def refuse(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with started() as emu:
        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", refuse)
        emu.change({"callback_urls": {"nxcloud": "http://nobody.example/dr"}})
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector) as client,
            client.post(f"{emu.url}/api/voiceSms/gpsend", data={**GPSEND, "phone": "6212345678"}) as reply,
        ):
            assert (await reply.json())["code"] == "0"
        (attempt,) = (await emu.advance("1h")).callbacks
        assert attempt.outcome is PushOutcome.FAILED
        assert "nobody.example" in attempt.reason


# --- what the user allows -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "allowed"),
    [
        ("hooks.example", "hooks.example", True),
        ("HOOKS.example", "Hooks.Example", True),
        ("*.example", "a.example", True),
        ("*.example", "a.b.example", True),
        ("*.example", "example", False),
        ("*.example", "example.evil", False),
        ("hooks.example", "hooks.example.evil", False),
        ("8.8.8.?", "8.8.8.8", True),
        ("8.8.8.?", "8.8.8.88", False),
        ("2001:db8::*", "[2001:db8::1]", True),
        ("*", "anything.at.all", True),
    ],
)
def test_a_pattern_is_a_glob_over_the_whole_host(pattern: str, name: str, allowed: bool):
    assert TargetPolicy([pattern]).named(name) is allowed


async def test_a_pattern_lets_a_name_resolve_to_anything(monkeypatch):
    answers(monkeypatch, hooks_example=[[PUBLIC]])
    found = await Resolver(TargetPolicy(["hooks.*"])).resolve("hooks.example", 443)
    assert [(each["host"], each["hostname"], each["port"]) for each in found] == [
        (PUBLIC, "hooks.example", 443)
    ]


async def test_a_pattern_over_addresses_lets_names_resolve_to_them(monkeypatch):
    answers(monkeypatch, any_example=[["169.254.1.1"]])
    reach = TargetPolicy(["169.254.1.*"])
    assert await Resolver(reach).resolve("any.example", 80)
    assert reach.check(URL("http://169.254.1.1/")) is None
    assert reach.check(URL("http://169.254.2.1/")) is not None


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "file:///etc/passwd", "//127.0.0.1/", "http:///dr", "/dr", ""]
)
def test_what_is_no_receiver_is_refused_whatever_is_allowed(url: str):
    assert TargetPolicy(["*"]).check(URL(url)) is not None


def test_a_block_is_found_behind_the_exceptions_of_the_client():
    blocked = TargetBlocked("no")
    outer = RuntimeError("outer")
    outer.__cause__ = aiohttp.ClientConnectorError(None, blocked)  # type: ignore[arg-type]
    assert blocked_by(outer) is blocked
    assert blocked_by(OSError("other")) is None
    assert blocked_by(None) is None


# --- what a rewriting names -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["host.docker.internal", "host.containers.internal"])
async def test_the_host_of_a_container_may_be_link_local_where_a_rewriting_names_it(monkeypatch, name: str):
    """Podman gives both names 169.254.1.2."""
    asked = answers(monkeypatch, **{name.replace(".", "_"): [["169.254.1.2"]]})
    reach = TargetPolicy((), [("http://localhost", f"http://{name}")])
    (found,) = await Resolver(reach).resolve(name, 9000)
    assert (found["host"], asked) == ("169.254.1.2", [name])
    assert reach.named(f"{name}.")
    with pytest.raises(
        TargetBlocked, match=f"169.254.1.2, which is link-local.*--allow-callback-host {name}"
    ):
        await Resolver(TargetPolicy()).resolve(name, 9000)


@pytest.mark.parametrize(
    ("target", "host", "allowed"),
    [
        ("http://192.0.2.1:9000/x", "192.0.2.1", True),
        ("http://192.0.2.1", "192.0.2.2", False),
        ("http://[2001:db8::1]", "2001:db8::1", True),
        ("http://HOST.example", "host.example", True),
        ("http://host.example", "a.host.example", False),
        ("http://host.example", "host.example.evil", False),
        ("http://*.example", "a.example", False),
    ],
)
def test_a_rewriting_allows_its_very_target(target: str, host: str, allowed: bool):
    assert TargetPolicy((), [("http://localhost", target)]).named(host) is allowed


@pytest.mark.parametrize("url", ["http://localhost@8.8.8.8/", "http://localhost.example.evil/"])
async def test_a_url_that_only_begins_like_the_rewritten_one_is_judged_by_its_own_host(monkeypatch, url: str):
    answers(monkeypatch, host_docker_internal_example_evil=[[PUBLIC]])
    async with started(rewrites=(("http://localhost", "http://host.docker.internal"),)) as emu:
        assert (await push_to(emu, url))[0] is PushOutcome.BLOCKED


# --- what the log says, once ----------------------------------------------------------------------


async def test_an_unreachable_receiver_on_localhost_is_told_once_with_the_usual_remedy(caplog):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://localhost:{taken.getsockname()[1]}/dr"
        async with started() as emu:
            with caplog.at_level(logging.WARNING, "voice_emulator.wire.delivery.attempting"):
                assert (await push_to(emu, url))[0] is PushOutcome.FAILED
                assert (await push_to(emu, url))[0] is PushOutcome.FAILED
    (told,) = [record.getMessage() for record in caplog.records if "unreachable" in record.getMessage()]
    assert "connection refused by localhost:" in told
    assert "localhost is the container itself" in told
    assert "--rewrite-callback http://localhost=http://host.docker.internal" in told


async def test_unreachable_receiver_of_another_kind_is_told_without_the_advice(caplog, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        answers(monkeypatch, app=[["127.0.0.1"]])
        async with started() as emu:
            with caplog.at_level(logging.WARNING, "voice_emulator.wire.delivery.attempting"):
                await push_to(emu, f"http://app:{taken.getsockname()[1]}/dr")
    (told,) = [record.getMessage() for record in caplog.records if "unreachable" in record.getMessage()]
    assert "rewrite-callback" not in told


async def test_a_blocked_receiver_is_told_once_with_the_option_that_allows_it(caplog):
    async with started() as emu:
        with caplog.at_level(logging.WARNING, "voice_emulator.wire.delivery.attempting"):
            for _ in range(2):
                await push_to(emu, "http://8.8.8.8/dr")
    (told,) = [record.getMessage() for record in caplog.records if "blocked" in record.getMessage()]
    assert told.endswith("allow it with --allow-callback-host 8.8.8.8")


async def test_the_rewriting_of_localhost_makes_a_receiver_on_the_host_reachable(monkeypatch):
    answers(monkeypatch, host_docker_internal=[["127.0.0.1"]])
    rewrites = (("http://localhost", "http://host.docker.internal"),)
    async with started(rewrites=rewrites) as emu:
        port = URL(emu.receiver.url).port
        outcome, reason = await push_to(emu, f"http://localhost:{port}/dr")
        assert outcome is PushOutcome.DELIVERED, reason
        assert emu.receiver.received[0].headers["Host"] == f"host.docker.internal:{port}"
