"""Callback URLs that lead back: to the control port, to the traffic port, to another emulator. None is carried out."""

from __future__ import annotations

import logging
import socket
from typing import Any

import pytest
from yarl import URL

from tests.rig import Running, started
from tests.wire.delivery.test_target_policy import answers, push_to
from tests.wire.raw import GPSEND, talk
from voice_emulator.core.vocabulary import PushOutcome
from voice_emulator.wire.delivery.target_policy import TargetPolicy

ANYTHING = ("*",)


def at(base: str, host: str, path: str = "") -> str:
    return f"http://{host}:{URL(base).port}{path}"


def loop_url(base: str, host: str = "127.0.0.1") -> str:
    """A URL that places a call by itself, whose receipt would come to it again."""
    fields = {**GPSEND, "phone": "6281200010011"}
    return str(URL(at(base, host, "/api/voiceSms/gpsend")).with_query(fields))


def requests_of(emu: Running) -> list[Any]:
    return list(emu.tenant.journal.after(0, "request"))


@pytest.mark.parametrize("port", ["control", "url"])
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "app.localhost",
     "rebound.example", "mapped.example"],
)  # fmt: skip
@pytest.mark.parametrize("rule", ["{copies: 1}", "{reset: true}", "{slow_body: {every: 1ms, bytes: 9}}"])
async def test_no_push_dials_our_own_ports_whatever_the_name(monkeypatch, port: str, host: str, rule: str):
    answers(
        monkeypatch, rebound_example=[["127.0.0.1"]], mapped_example=[["::ffff:127.0.0.1"]],
        app_localhost=[["127.0.0.1"]],
    )  # fmt: skip
    text = f"name: s\nrules:\n  - {{name: e, receipt: {rule}}}\n"
    async with started(text, allow_callback_hosts=ANYTHING) as emu:
        base = getattr(emu, port)
        outcome, reason = await push_to(emu, at(base, host, "/v1/tenants/default/reset"))
        assert outcome is PushOutcome.BLOCKED
        assert f"port {URL(base).port} is a port of this emulator itself" in reason
        assert len(requests_of(emu)) == 1, "the call that was placed, and nothing that a push did"


async def test_a_rewriting_does_not_lead_to_them_either():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with started(rewrites=(("http://app", f"http://127.0.0.1:{port}"),)) as emu:
        emu.emulator._policy.own = frozenset({("127.0.0.1", port)})
        assert (await push_to(emu, "http://app/dr"))[0] is PushOutcome.BLOCKED


async def test_the_receiver_beside_them_is_reached():
    async with started() as emu:
        assert (await push_to(emu, f"{emu.receiver.url}/dr"))[0] is PushOutcome.DELIVERED


@pytest.mark.parametrize(
    ("own", "target", "blocked"),
    [
        ("127.0.0.1", "http://127.0.0.1:4881/", True),
        ("127.0.0.1", "https://127.0.0.1:4881/", True),
        ("127.0.0.1", "http://127.0.0.1:4882/", False),
        ("127.0.0.1", "http://127.0.0.2:4881/", False),
        ("127.0.0.1", "http://[::1]:4881/", False),
        ("0.0.0.0", "http://127.0.0.1:4881/", True),
        ("0.0.0.0", "http://127.8.9.1:4881/", True),
        ("0.0.0.0", "http://10.255.254.253:4881/", False),
        ("::", "http://127.0.0.1:4881/", True),
        ("::", "http://[::1]:4881/", True),
        ("::1", "http://[::1]:4881/", True),
        ("::1", "http://[0:0:0:0:0:0:0:1]:4881/", True),
        ("10.1.2.3", "http://[::ffff:10.1.2.3]:4881/", True),
    ],
)
def test_own_is_what_a_connection_would_end_at(own: str, target: str, blocked: bool):
    reach = TargetPolicy(["*"])
    reach.own = frozenset({(own, 4881)})
    assert (reach.check(URL(target, encoded=True)) is not None) is blocked


@pytest.mark.parametrize("url", ["http://10.1.2.3/", "https://10.1.2.3/"])
def test_the_port_that_a_url_leaves_out_counts(url: str):
    reach = TargetPolicy()
    reach.own = frozenset({("10.1.2.3", 80 if url.startswith("http:") else 443)})
    assert "is a port of this emulator itself" in str(reach.check(URL(url)))


async def test_a_loop_of_receipts_is_blocked_and_told_once(caplog):
    async with started() as emu:
        with caplog.at_level(logging.WARNING, "voice_emulator.wire.delivery.attempting"):
            for _ in range(3):
                assert (await push_to(emu, loop_url(emu.url)))[0] is PushOutcome.BLOCKED
        assert len(requests_of(emu)) == 3
    (told,) = [record.getMessage() for record in caplog.records if "blocked" in record.getMessage()]
    assert "set the callback URL to the receiver of your application" in told


# --- past what addresses show: a port mapping, another emulator ------------------------------------


@pytest.mark.parametrize(
    "path", ["/v1/tenants/default/reset", "/v1/tenants", "/health", "/metrics", "/", "/nowhere"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_the_control_port_refuses_what_an_emulator_sends(method: str, path: str):
    async with started() as emu:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: voice-emulator\r\n"
        answer = await talk(emu.control, f"{head}Connection: close\r\nContent-Length: 0\r\n\r\n".encode())
        assert answer.head.startswith(b"HTTP/1.1 403")
        assert b"its callback URL leads to a control port" in answer.body


@pytest.mark.parametrize("rule", ["{copies: 1}", "{slow_body: {every: 1ms, bytes: 9}}", "{encoding: form}"])
async def test_a_push_to_another_emulator_changes_nothing_there(rule: str):
    text = f"name: s\nrules:\n  - {{name: e, receipt: {rule}}}\n"
    async with started() as victim, started(text) as emu:
        async with victim.client.post(
            f"{victim.url}/api/voiceSms/gpsend", data={**GPSEND, "phone": "62812345678"}
        ):
            pass
        outcome, reason = await push_to(emu, f"{victim.control}/v1/tenants/default/reset")
        assert outcome is PushOutcome.REFUSED, reason
        assert len(requests_of(victim)) == 1, "its journal is as it was"


async def test_a_push_to_the_traffic_port_of_another_emulator_places_no_call(caplog):
    async with started() as other, started() as emu:
        with caplog.at_level(logging.WARNING, "voice_emulator.wire.traffic.downloads"):
            for _ in range(2):
                outcome, reason = await push_to(emu, loop_url(other.url))
                assert outcome is PushOutcome.REFUSED, reason
        assert not list(other.tenant.ledger.of_provider("nxcloud"))
        assert [entry.record.reply.status for entry in requests_of(other)] == [508, 508]
    (told,) = [record.getMessage() for record in caplog.records if "push refused" in record.getMessage()]
    assert "leads to a traffic port" in told


async def test_the_refusal_on_the_traffic_port_is_ours_and_says_so():
    async with started() as emu:
        headers = {"User-Agent": "voice-emulator"}
        url = f"{emu.url}/api/voiceSms/gpsend"
        async with emu.client.post(url, data={**GPSEND, "phone": "6281234"}, headers=headers) as reply:
            assert reply.status == 508
            assert "its callback URL leads to a traffic port" in reply.headers["Emulator-Error"]


@pytest.mark.parametrize("agent", ["voice-emulator test call 1", "voice-emulator/1.0", "curl/8", ""])
async def test_foreign_agents_are_clients(agent: str):
    async with started() as emu:
        headers = {"User-Agent": agent}
        url = f"{emu.url}/api/voiceSms/gpsend"
        async with emu.client.post(url, data={**GPSEND, "phone": "6281234"}, headers=headers) as reply:
            assert (await reply.json())["code"] == "0"
        async with emu.client.get(f"{emu.control}/v1/tenants", headers=headers) as reply:
            assert reply.status == 200


async def test_a_web_page_that_places_calls_over_the_traffic_port_gets_no_further():
    """The traffic port takes every Host and Origin, as the providers do; its pushes are where this ends."""
    async with started() as emu:
        body = "appkey=nx-appkey&secretkey=nx-secretkey&phone=6281234&country_code=62&show_phone=1&url=http://a/b.mp3"
        emu.change({"callback_urls": {"nxcloud": at(emu.control, "localhost", "/v1/tenants/default/reset")}})
        head = (
            "POST /api/voiceSms/gpsend HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nConnection: close\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        await talk(emu.url, (head + body).encode())
        attempts = (await emu.settle()).callbacks
        assert [attempt.outcome for attempt in attempts] == [PushOutcome.BLOCKED]
        assert len(requests_of(emu)) == 1
