"""What a test holds: the object of the fixture and of ``voice_emulator.running``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from tests.patience import PATIENCE
from voice_emulator.client import Conflict, Invalid, Unsatisfied, VoiceEmulator, WouldDeadlock
from voice_emulator.client.voice import WaitingMethods

YAML = "name: mine\nrules:\n  - {call: {outcome: rejected}}\n"


def test_the_account_is_at_hand(held, server):
    keys = held.credentials.nxcloud
    assert keys.appkey.startswith("nx-appkey-")
    assert keys.agent.username
    assert held.credentials["huawei_cec"]["app_key"] == held.credentials.huawei_cec.app_key
    assert held.credentials.infin8linx.appid != server.credentials.infin8linx.appid
    assert (held.url, held.control_url) == (server.url, server.control_url)
    assert held.tenant.id in repr(held)


def test_receivers_are_set_and_taken_back(held, receiver):
    held.callback_urls["nxcloud"] = receiver
    held.callback_urls.update(infin8linx=receiver)
    assert held.callback_urls == {"nxcloud": receiver, "infin8linx": receiver}
    del held.callback_urls["infin8linx"]
    assert dict(held.tenant.callback_urls) == {"nxcloud": receiver}
    with pytest.raises(Invalid, match="nxclout"):
        held.callback_urls["nxclout"] = receiver


def test_settings_are_changed_one_by_one(held):
    held.settings["nxcloud"]["balance"] = "0.01"
    assert held.settings["nxcloud"]["balance"] == "0.01"
    assert held.settings["nxcloud"]["language"] == "en"
    del held.settings["nxcloud"]["balance"]
    assert held.settings["nxcloud"]["balance"] is None
    with pytest.raises(Invalid, match="balance"):
        held.settings["nxcloud"]["balanse"] = "1"


def test_several_things_change_at_once(held):
    held.change(credentials={"infin8linx": {"appid": "mine"}}, seed=5)
    assert held.credentials.infin8linx.appid == "mine"
    assert held.tenant.seed == 5
    with pytest.raises(Conflict):
        held.change(credentials={"infin8linx": {"appid": "in8-appid"}})


def test_a_scenario_is_loaded_from_anywhere(held, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(YAML, encoding="utf-8")
    for scenario, name in ((path, "mine"), ("all-busy", "all-busy"), (YAML, "mine")):
        held.load(scenario)
        assert held.scenario == name
    with pytest.raises(Invalid, match="all-busy"):
        held.load("all-bussy")
    assert held.scenario == "mine"


def test_a_call_from_request_to_receipt(held, place, receiver):
    held.callback_urls["nxcloud"] = receiver
    place(held.tenant)
    held.advance("5s")
    push = held.wait_for_callback(number="6281200000486", timeout=PATIENCE)
    assert push.fields["hangup_cause"] == "USER_BUSY"
    assert [call.outcome for call in held.calls()] == ["busy"]
    assert held.call(push.call_id).cause == "USER_BUSY"
    assert [entry.operation for entry in held.requests()] == ["gpsend"]
    assert held.requests(operation="versend") == []
    assert [callback.id for callback in held.callbacks(number="*0486")] == [push.id]
    assert held.callbacks(provider="infin8linx") == []
    assert [entry.kind for entry in held.journal()] == ["request", "callback"]
    held.assert_no_violations()
    held.verify(operation="gpsend", number="6281200000486", exactly=1)
    (again,) = held.push(held.calls()[0])
    assert again.delivered
    held.reset()
    assert held.calls() == []


def test_what_comes_later_can_be_waited_for(held, place):
    place(held.tenant, "6281200000486")
    held.advance("5s")
    held.wait_for_callbacks(1)
    place(held.tenant, "6281200010486")
    held.advance("5s")
    assert held.wait_for_callback(after=1).number == "6281200010486"
    assert [call.number for call in held.wait_for_calls(2)] == ["6281200000486", "6281200010486"]
    assert len(held.wait_for_requests(2, number="62812*")) == 2


def test_waiting_in_vain_says_why(held, place):
    place(held.tenant, "6281200000000")
    with pytest.raises(Unsatisfied) as caught:
        held.wait_for_callbacks(2, number="6281200000000", timeout="20ms")
    assert str(caught.value) == (
        "waited 20ms for 2 callbacks with number '6281200000000'; got 0\n"
        "  the call to 6281200000000 is still ringing\n"
        "  the tenant's clock is manual: nothing happens until advance() takes it forwards\n"
        '  no receiver is configured: set voice_emulator.callback_urls["nxcloud"] or its like'
    )


def test_verifying_in_vain_shows_what_came_nearest(held, place):
    place(held.tenant)
    with pytest.raises(Unsatisfied, match="wanted exactly 1 of the requests") as caught:
        held.verify(operation="gpsend", number="6281200000487", exactly=1)
    assert "near miss: entry 1: number: wanted '6281200000487', got 6281200000486" in str(caught.value)
    with pytest.raises(Unsatisfied, match="1 matched"):
        held.verify(operation="gpsend", at_least=2, within="20ms")


def test_violations_fail_by_severity(held, place):
    held.assert_no_violations(warnings=True)
    place(held.tenant, "nonsense")
    assert held.violations()[0].severity == "error"
    with pytest.raises(Unsatisfied) as caught:
        held.assert_no_violations()
    assert "error schema-violation nxcloud.gpsend (journal entry 1)" in str(caught.value)
    assert "Send Voice Broadcast" in str(caught.value)


def test_an_advance_that_cannot_be_completed_is_told(held):
    held.load("name: chain\nrules:\n  - {call: {outcome: busy}, receipt: {delay: 2h}}\n")
    keys = held.credentials.nxcloud
    held.change(callback_urls={"nxcloud": "http://127.0.0.1:9/"})
    form = urlencode(
        {"appkey": keys.appkey, "secretkey": keys.secretkey, "phone": "62812345678", "country_code": "62",
         "show_phone": "1", "url": "http://files.example.com/a.mp3"}
    )  # fmt: skip
    from urllib.request import urlopen

    with urlopen(f"{held.url}/api/voiceSms/gpsend", form.encode(), timeout=PATIENCE):
        pass
    with pytest.raises(Unsatisfied, match="with more to come"):
        held.advance(to="idle", at_most="1h")
    held.advance(to="idle")


WAITING: list[Callable[[VoiceEmulator], Any]] = [
    lambda held: held.advance("1s"),
    lambda held: held.wait_for_callback(),
    lambda held: held.wait_for_callbacks(1),
    lambda held: held.wait_for_calls(1),
    lambda held: held.wait_for_requests(1),
    lambda held: held.verify(within="1s"),
    lambda held: held.push("x"),
]


@pytest.mark.parametrize("wait", WAITING, ids=[n for n in vars(WaitingMethods) if not n.startswith("_")])
async def test_waiting_in_a_running_loop_fails_at_once_with_advice(held, wait):
    with pytest.raises(WouldDeadlock, match=r"await voice_emulator\.aio\.[a-z_]+\(\.\.\.\)"):
        wait(held)


async def test_what_does_not_wait_works_in_a_running_loop(held, place):
    await asyncio.to_thread(place, held.tenant)
    held.verify(operation="gpsend", exactly=1)
    assert len(held.requests()) == 1


async def test_a_receiver_in_the_same_loop_is_served_while_the_clock_advances(held, aiohttp_server, place):
    arrived: list[str] = []

    async def receive(request: web.Request) -> web.Response:
        arrived.append(request.query["phone"])
        return web.Response(text="success")

    app = web.Application()
    app.router.add_post("/dr", receive)
    held.callback_urls["nxcloud"] = (await aiohttp_server(app)).make_url("/dr")
    await asyncio.to_thread(place, held.tenant)

    done = await held.aio.advance("5s")
    assert arrived == ["6281200000486"]
    assert [push.outcome for push in done.callbacks] == ["delivered"]
    assert (await held.aio.wait_for_callback()).delivered
    assert len(await held.aio.wait_for_callbacks(1)) == 1
    assert len(await held.aio.wait_for_calls(1)) == 1
    assert len(await held.aio.wait_for_requests(1)) == 1
    assert await held.aio.verify(operation="gpsend", within="1s")
    await held.aio.push(held.calls()[0])
    assert len(arrived) == 2
    with pytest.raises(Unsatisfied):
        await held.aio.wait_for_callbacks(3, timeout="10ms")


async def test_a_wait_of_the_test_can_be_given_up(held):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await held.aio.wait_for_callback(timeout="1m")
    assert held.tenant.id


def test_a_wait_returns_when_what_it_waits_for_comes(held, place):
    """The waiter is under way before the request is made; it returns with it, not at its time-out."""
    found: list[Any] = []
    waiter = threading.Thread(target=lambda: found.extend(held.wait_for_requests(1, timeout="1m")))
    waiter.start()
    place(held.tenant)
    waiter.join(10)
    assert [entry.operation for entry in found] == ["gpsend"]


def test_the_timeline_of_a_test(held, place):
    place(held.tenant)
    held.advance("5s")
    head, request, callback = held.timeline().splitlines()
    assert (
        head
        == f"tenant {held.id}, scenario happy-path, clock manual, times since 2026-01-05 01:00:00.000+00:00"
    )
    assert request == "      +0.000  request    nxcloud gpsend 6281200000486 -> 200 code 0"
    assert callback.startswith(
        "      +1.000  callback   nxcloud group 6281200000486 (busy, USER_BUSY) -> no_url"
    )


async def test_the_credentials_work_at_all_three_providers(held):
    keys = held.credentials
    async with aiohttp.ClientSession() as session:
        body = dict(keys.huawei_cec)
        token = "/apigovernance/api/oauth/tokenByAkSk"
        async with session.post(
            held.url + token, json={k: body[k] for k in ("app_key", "app_secret")}
        ) as reply:
            assert reply.status == 200
        form = {"service": "App.Sip_Auth.Login", **keys.infin8linx}
        async with session.post(f"{held.url}/api/yunhu", data=form) as reply:
            assert (await reply.json())["data"]["status"] == 0
    assert {entry.provider for entry in held.requests()} == {"huawei_cec", "infin8linx"}
    assert all(entry.attributed for entry in held.requests())
