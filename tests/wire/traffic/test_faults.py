"""Every reply fault, seen from a bare socket, and that nothing of it stays behind."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.patience import PATIENCE
from tests.rig import Running, numbers, started
from tests.wire.raw import GPSEND, form_request, talk
from voice_emulator.core.draws import draw

PROPER = b'{"result":"Request succeeded","messageid":"'


def scenario(fault: str, extra: str = "") -> str:
    return f"name: broken\ndescription: x\nrules:\n  - {{name: it breaks, fault: {fault}{extra}}}\n"


async def journal_end(emu: Running) -> dict:
    entry = [entry for entry in emu.tenant.journal if entry.kind == "request"][-1].record.shown()
    return {"fault": entry["fault"], "rule": entry["rule"]["fault"], **entry["reply"]}


async def test_reset_is_a_tcp_reset_before_any_byte():
    async with started(scenario("reset")) as emu:
        answer = await talk(emu.url, form_request())
        assert (answer.raw, answer.reset) == (b"", True)
        end = await journal_end(emu)
        assert (end["status"], end["fault"], end["rule"]) == (None, "reset", "it breaks")
        assert len(emu.tenant.ledger) == 1


async def test_empty_closes_without_a_reply():
    async with started(scenario("empty")) as emu:
        answer = await talk(emu.url, form_request())
        assert (answer.raw, answer.reset) == (b"", False)
        assert len(emu.tenant.ledger) == 1


async def test_truncate_stops_after_half_of_what_it_announced():
    async with started(scenario("truncate")) as emu:
        answer = await talk(emu.url, form_request())
        assert len(answer.body) == answer.announced // 2
        assert answer.body.startswith(PROPER)
        assert (await journal_end(emu))["note"] == f"cut after {len(answer.body)} of {answer.announced} bytes"


async def test_garbage_is_no_json_under_the_proper_headers():
    async with started(scenario("garbage")) as emu:
        answer = await talk(emu.url, form_request())
        assert b"application/json" in answer.head
        assert len(answer.body) == answer.announced
        with pytest.raises(ValueError):
            json.loads(answer.body)


async def test_invalid_json_is_complete_as_http():
    async with started(scenario("invalid_json")) as emu:
        answer = await talk(emu.url, form_request())
        assert len(answer.body) == answer.announced
        assert answer.body.startswith(PROPER)
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.body)


async def test_slow_body_dribbles_the_proper_reply():
    async with started(scenario("{slow_body: {every: 1ms, bytes: 7}}")) as emu:
        parts = urlsplit(emu.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(form_request())
        await reader.readuntil(b"\r\n\r\n")
        pieces = []
        while piece := await reader.read(65536):
            pieces.append(piece)
        writer.close()
        assert len(pieces) > 3
        assert json.loads(b"".join(pieces))["code"] == "0"
        assert (await journal_end(emu))["note"] == "in pieces of 7 bytes"


async def test_wrong_content_type_spoils_nothing_else():
    async with started(scenario("wrong_content_type")) as emu:
        answer = await talk(emu.url, form_request())
        assert b"Content-Type: text/plain" in answer.head
        assert json.loads(answer.body)["code"] == "0"


async def test_http_status_places_no_call_unless_told():
    async with started(scenario("{http_status: 503}")) as emu:
        answer = await talk(emu.url, form_request())
        assert answer.head.startswith(b"HTTP/1.1 503")
        assert len(emu.tenant.ledger) == 0
        (entry,) = emu.tenant.journal.after(0, "request")
        assert entry.record.shown()["code"] == "emulator-503"
    async with started(scenario("{http_status: 503, placed: true}")) as emu:
        await talk(emu.url, form_request())
        assert len(emu.tenant.ledger) == 1


async def test_html_error_is_a_proxys_page():
    async with started(scenario("html_error")) as emu:
        answer = await talk(emu.url, form_request())
        assert answer.head.startswith(b"HTTP/1.1 502")
        assert b"text/html" in answer.head
        assert b"<h1>502 Bad Gateway</h1>" in answer.body
        assert len(emu.tenant.ledger) == 0


async def test_token_expired_is_the_providers_own_refusal():
    text = scenario("token_expired").replace("fault:", "match: {operation: createVoiceNotification}, fault:")
    async with started(text) as emu:
        keys = {"app_key": "cec-app-key", "app_secret": "cec-app-secret"}
        async with emu.client.post(f"{emu.url}/apigovernance/api/oauth/tokenByAkSk", json=keys) as reply:
            token = (await reply.json())["AccessToken"]
        async with emu.client.post(
            f"{emu.url}/apiaccess/rest/voiceNotification/v2/createVoiceNotification",
            json={"called": "8899", "playList": [{"voiceId": "100001"}]},
            headers={"Authorization": f"Bearer {token}"},
        ) as reply:
            assert reply.status == 403
            assert "exceptionInfo" in await reply.json()
        assert len(emu.tenant.ledger) == 0


async def test_a_reset_can_hide_that_no_call_was_placed():
    async with started(scenario("{reset: true, placed: false}")) as emu:
        await talk(emu.url, form_request())
        assert len(emu.tenant.ledger) == 0


async def test_hang_holds_until_the_client_gives_up_and_then_lets_go_of_everything():
    async with started(scenario("hang")) as emu:
        parts = urlsplit(emu.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(form_request())
        gateway = emu.emulator.runtime.gateway
        await until(lambda: len(gateway._held) == 1)
        assert not reader._buffer  # type: ignore[attr-defined]
        writer.close()
        await until(lambda: len(gateway._held) == 0)
        assert (await journal_end(emu))["status"] is None
        # Behind a lost reply the call happens.
        assert len(emu.tenant.ledger) == 1
        await until(lambda: next(iter(emu.tenant.ledger)).dialled_at is not None)


async def test_latency_is_real_and_drawn():
    async with started(scenario("{latency: {uniform: [1ms, 20ms]}}")) as emu:
        await talk(emu.url, form_request())
        record: Any = [entry for entry in emu.tenant.journal if entry.kind == "request"][-1].record
        assert 1_000 <= record.latency <= 20_000
        assert record.duration >= record.latency
        assert record.shown()["reply"]["status"] == 200


@pytest.mark.parametrize(
    "fault", ["reset", "hang", "truncate", "{slow_body: {every: 50ms, bytes: 1}}", "{latency: 5s}", "empty"]
)
async def test_a_client_that_goes_away_in_the_middle_leaves_nothing_behind(fault: str):
    async with started(scenario(fault)) as emu:
        before = {task for task in asyncio.all_tasks() if not task.done()}
        parts = urlsplit(emu.url)
        for _ in range(5):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(form_request())
            await writer.drain()
            await until(lambda: len(emu.tenant.journal) > 0)
            emu.tenant.journal.clear()
            writer.transport.abort()
        await until(
            lambda: {t for t in asyncio.all_tasks() if not t.done()} <= before | {asyncio.current_task()}
        )
        assert len(emu.emulator.runtime.gateway._held) == 0


@pytest.mark.parametrize(("chance", "low", "high"), [("0%", 0, 0), ("100%", 300, 300), ("20%", 35, 90)])
async def test_a_fault_strikes_as_often_as_its_chance_says(chance: str, low: int, high: int):
    async with started(scenario("{http_status: 503}", f", chance: {chance}")) as emu:
        struck = 0
        for number in numbers(300):
            async with emu.client.post(
                f"{emu.url}/api/voiceSms/gpsend", data={**GPSEND, "phone": number}
            ) as reply:
                struck += reply.status == 503
        assert low <= struck <= high


async def test_a_retry_of_the_client_meets_another_draw():
    """The count of requests to a number is part of the key: a client that tries again gets through."""
    async with started(scenario("{http_status: 503}", ", chance: 50%")) as emu:
        statuses = []
        for _ in range(20):
            async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=GPSEND) as reply:
                statuses.append(reply.status)
        assert set(statuses) == {200, 503}
        expected = [
            draw(1, "nxcloud", "gpsend", "6212345678", n, "it breaks", "chance") < 0.5 for n in range(1, 21)
        ]
        assert [status == 503 for status in statuses] == expected


async def until(condition, seconds: float = PATIENCE) -> None:
    """Let the loop turn until ``condition`` holds."""

    async def turn() -> None:
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0)

    await asyncio.wait_for(turn(), seconds)
