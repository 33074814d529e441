"""Bad input on the traffic port: the provider's own error, journalled, and the server goes on."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from tests.patience import PATIENCE
from tests.rig import Running, numbers, started
from tests.scenarios.day import unnumbered
from tests.wire.raw import GPSEND, form_request, talk
from tests.wire.traffic.posting import CREATE, GP, LOGIN, TOKEN, YUNHU, last, post


@pytest.fixture
async def emu():
    async with started() as running:
        yield running


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1, 2",
        b'{"app_key": NaN}',
        b"\xff\xfe",
        b"",
        b'"text"',
        b"[]",
        b"null",
        b'{"a": "\\ud800"}',
        b'{"a": 1e999}',
    ],
)
async def test_bad_json_gets_the_providers_own_refusal(emu: Running, body: bytes):
    status, headers, text = await post(emu, TOKEN, data=body, headers={"Content-Type": "application/json"})
    assert status == 400
    assert "Emulator-Error" not in headers
    assert "exceptionInfo" in json.loads(text)
    assert last(emu)["violations"]


@pytest.mark.parametrize("depth", [100, 5_000, 200_000])
async def test_deep_nesting_is_refused_without_harm(emu: Running, depth: int):
    body = b'{"a":' * depth + b"1" + b"}" * depth
    status, _, _ = await post(emu, TOKEN, data=io.BytesIO(body), headers={"Content-Type": "application/json"})
    assert status == 400
    status, _, _ = await post(emu, TOKEN, json={"app_key": "cec-app-key", "app_secret": "cec-app-secret"})
    assert status == 200


async def test_nxcloud_refuses_a_missing_field_and_names_it_in_the_journal(emu: Running):
    fields = {name: value for name, value in GPSEND.items() if name != "show_phone"}
    status, _, text = await post(emu, GP, data=fields)
    assert (status, json.loads(text)) == (
        200,
        {"result": "Parameter error or empty", "messageid": "", "code": "2"},
    )
    (violation,) = last(emu)["violations"]
    assert violation["place"] == "/show_phone"
    assert len(emu.tenant.ledger) == 0


async def test_unknown_credentials_are_refused_belong_to_default_and_are_logged_once(emu: Running, caplog):
    for _ in range(3):
        _, _, text = await post(emu, GP, data={**GPSEND, "appkey": "nobody"})
        assert json.loads(text)["code"] == "1"
    entry = last(emu)
    assert entry["attributed"] is False
    told = [record.message for record in caplog.records if "nobody" in record.message]
    assert len(told) == 1
    assert "nx-appkey" in told[0]
    assert "--auth lenient" in told[0]


async def test_lenient_takes_any_credentials():
    async with started(lenient=True) as emu:
        _, _, text = await post(emu, GP, data={**GPSEND, "appkey": "nobody", "secretkey": "x"})
        assert json.loads(text)["code"] == "0"


async def test_an_unknown_path_is_the_emulators_own_failure(emu: Running):
    status, headers, text = await post(emu, "/api/voiceSms/gpsent", data={})
    assert status == 404
    assert (
        headers["Emulator-Error"]
        == "no provider serves /api/voiceSms/gpsent; did you mean '/api/voiceSms/gpsend'?"
    )
    assert "code" not in text
    assert last(emu)["reply"]["status"] == 404


@pytest.mark.slow
@pytest.mark.parametrize("path", [GP, TOKEN, CREATE])
async def test_a_body_of_10_mb_is_read_and_refused(emu: Running, path: str):
    kind = "application/json" if path != GP else "application/x-www-form-urlencoded"
    status, _, _ = await post(emu, path, data=io.BytesIO(b"x" * 10_000_000), headers={"Content-Type": kind})
    assert status in (200, 400, 403)
    assert last(emu)["refused"]


async def test_a_body_past_the_bound_is_our_own_413(emu: Running):
    status, headers, _ = await post(emu, GP, data=io.BytesIO(b"x" * (17 * 1024 * 1024)))
    assert status == 413
    assert "Emulator-Error" in headers


async def test_invalid_utf8_in_a_form_is_refused_and_journalled(emu: Running):
    body = b"appkey=nx-appkey&secretkey=nx-secretkey&phone=\xff\xfe"
    _, _, text = await post(emu, GP, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert json.loads(text)["code"] == "2"
    assert "not UTF-8" in last(emu)["violations"][0]["message"]


async def test_of_repeated_form_keys_the_first_counts(emu: Running):
    body = b"phone=6211111&phone=6222222&appkey=nx-appkey&secretkey=nx-secretkey&country_code=62&show_phone=1&url=http://x/y.mp3"
    _, _, text = await post(emu, GP, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert json.loads(text)["code"] == "0"
    assert [call.number for call in emu.tenant.ledger] == ["6211111"]


async def test_secrets_are_masked_everywhere_in_the_journal(emu: Running):
    await post(emu, GP + "?secretkey=nx-secretkey", data=GPSEND)
    await post(emu, TOKEN, json={"app_key": "cec-app-key", "app_secret": "cec-app-secret"})
    await post(emu, YUNHU, data=LOGIN)
    await post(emu, CREATE, json={"called": "8899"}, headers={"Authorization": "Bearer abcdefgh"})
    shown = json.dumps([entry.record.shown() for entry in emu.tenant.journal])
    for secret in ("nx-secretkey", "cec-app-secret", "in8-accesskey", "abcdefgh"):
        assert secret not in shown


async def test_method_and_content_type_are_the_providers_affair(emu: Running):
    async with emu.client.get(emu.url + GP) as reply:
        assert reply.status in (200, 405)
    _, _, text = await post(emu, GP, json=GPSEND)
    assert json.loads(text)["code"] == "2"


async def test_paths_answer_on_every_host_and_with_doubled_slashes(emu: Running):
    for host in ("api.nxcloud.com", "api2.nxcloud.com", "evil.example"):
        _, _, text = await post(emu, GP, data=GPSEND, headers={"Host": host})
        assert json.loads(text)["code"] == "0"
    _, _, text = await post(emu, "//api/voiceSms//gpsend/", data=GPSEND)
    assert json.loads(text)["code"] == "0"


async def test_expect_100_continue_is_answered(emu: Running):
    answer = await talk(emu.url, form_request(extra="Expect: 100-continue\r\n"))
    assert answer.raw.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


async def test_a_chunked_body_is_read(emu: Running):
    async def pieces():
        for name, value in GPSEND.items():
            yield f"{name}={value}&".encode()

    _, _, text = await post(
        emu, GP, data=pieces(), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert json.loads(text)["code"] == "0"


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST /api/yunhu HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/yunhu HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
)  # fmt: skip
async def test_what_is_no_http_leaves_the_server_answering(emu: Running, raw: bytes):
    async with asyncio.timeout(PATIENCE):
        await talk(emu.url, raw + b"\r\nConnection: close\r\n\r\n" if b"y" * 100 in raw else raw)
    _, _, text = await post(emu, GP, data=GPSEND)
    assert json.loads(text)["code"] == "0"


async def test_the_rule_that_acted_is_told_to_a_client_that_asks():
    rule = "{name: no money, match: {nth: 2}, reply: {error: insufficient_balance}}"
    text = f"name: s\ndescription: x\nrules:\n  - {rule}\n"
    async with started(text) as emu:
        _, headers, _ = await post(emu, GP, data=GPSEND, headers={"Emulator-Explain": "1"})
        assert headers["Emulator-Rule"] == "none"
        _, headers, body = await post(emu, GP, data=GPSEND, headers={"Emulator-Explain": "1"})
        assert headers["Emulator-Rule"] == "reply=no money"
        assert json.loads(body)["code"] == "3"
        _, headers, _ = await post(emu, GP, data=GPSEND)
        assert "Emulator-Rule" not in headers
        assert [call.number for call in emu.tenant.ledger] == ["6212345678"] * 2


async def test_a_reply_rule_acts_only_on_what_would_have_succeeded():
    text = "name: s\ndescription: x\nrules:\n  - {name: no money, reply: {error: insufficient_balance}}\n"
    async with started(text) as emu:
        _, _, body = await post(emu, GP, data={**GPSEND, "country_code": ""})
        assert json.loads(body)["code"] == "2"
        assert last(emu)["rule"]["reply"] is None


async def test_a_verbatim_reply_is_sent_as_it_stands_with_the_call_behind_it():
    text = (
        "name: s\ndescription: x\nrules:\n"
        "  - {name: teapot, reply: {status: 418, headers: {X-Odd: 'yes', Content-Type: text/x-tea}, body: short and stout}}\n"
    )
    async with started(text) as emu:
        status, headers, body = await post(emu, GP, data=GPSEND)
        assert (status, headers["X-Odd"], headers["Content-Type"], body) == (
            418,
            "yes",
            "text/x-tea",
            "short and stout",
        )
        assert len(emu.tenant.ledger) == 1


@pytest.mark.parametrize("slot", ["check", "identify", "answer", "authenticate"])
async def test_a_bug_of_ours_never_wears_a_providers_success(slot: str):
    async with started(strict=False) as emu:
        provider = emu.emulator.runtime.providers["nxcloud"]
        operation = provider.operations["gpsend"]

        def broken(*arguments: Any) -> Any:
            raise KeyError("a slip of ours")

        proper = getattr(operation, slot)
        object.__setattr__(operation, slot, broken)
        try:
            status, headers, text = await post(emu, GP, data=GPSEND)
        finally:
            object.__setattr__(operation, slot, proper)
        assert status == 500
        assert "a slip of ours" in headers["Emulator-Error"]
        assert '"code"' not in text
        # What was placed before the slip is taken back, and the next request is served.
        assert {call.dropped for call in emu.tenant.ledger} <= {True}
        assert (await post(emu, GP, data=GPSEND))[0] == 200
        await emu.settle()
        assert [push.fields["phone"] for push in emu.receiver.received] == [GPSEND["phone"]]


@pytest.mark.slow
async def test_the_same_story_twice_gives_the_same_bytes_also_from_shuffled_concurrent_clients():
    scenario = "evening-peak"

    async def story(order: list[str], concurrent: bool, numbered: bool = False) -> list[tuple]:
        async with started(scenario) as emu:

            async def one(number: str) -> None:
                await post(emu, GP, data={**GPSEND, "phone": number})
                await post(emu, YUNHU, data={**LOGIN, "service": "App.Sip_Call.PlayVoice", "nationcode": "id",
                                             "destnumber": number, "voicetype": "2", "voicefile": "http://x/y.mp3"})  # fmt: skip

            if concurrent:
                await asyncio.gather(*(one(number) for number in order))
            else:
                for number in order:
                    await one(number)
            await emu.settle()
            # The ids of records alone follow the order of events.
            return sorted(
                (p.method, p.path, tuple(p.query.items()), p.body if numbered else unnumbered(p.body))
                for p in emu.receiver.received
            )

    dialled = list(numbers(50))
    assert await story(dialled, False, numbered=True) == await story(dialled, False, numbered=True)
    first = await story(dialled, concurrent=False)
    assert len(first) == 100
    assert await story(dialled[::-1], concurrent=True) == first
    assert await story(dialled[25:] + dialled[:25], concurrent=True) == first


async def test_the_seed_matters():
    async def outcomes(seed: int) -> list[str]:
        async with started("evening-peak", seed=seed) as emu:
            await post(emu, GP, data={**GPSEND, "phone": ",".join(numbers(60))})
            await emu.settle()
            return [push.fields["hangup_cause"] for push in emu.receiver.received]

    assert await outcomes(1) != await outcomes(2)


async def test_two_tenants_with_the_same_seed_get_different_tokens_and_ids(emu: Running):
    other = emu.new_tenant("other")
    replies = []
    for keys in (emu.tenant.credentials, other.credentials):
        nx, cec = keys["nxcloud"], keys["huawei_cec"]
        _, _, sent = await post(
            emu, GP, data={**GPSEND, "appkey": nx["appkey"], "secretkey": nx["secretkey"]}
        )
        _, _, token = await post(
            emu, TOKEN, json={"app_key": cec["app_key"], "app_secret": cec["app_secret"]}
        )
        replies.append((json.loads(sent)["messageid"], json.loads(token)["AccessToken"]))
    assert replies[0][0] != replies[1][0]
    assert replies[0][1] != replies[1][1]
    assert [len(tenant.ledger) for tenant in (emu.tenant, other)] == [1, 1]
