"""Tokens and headers over the wire."""

from __future__ import annotations

import re

import pytest

from tests.providers.huawei_cec.client import CREATE, NOTIFICATION, Client, signed_in
from voice_emulator.providers.huawei_cec.access import lifetime_of
from voice_emulator.providers.huawei_cec.errors import AUTH_TEXT
from voice_emulator.providers.huawei_cec.operations import OPERATIONS, PATHS

REFUSED = {"errorCode": "403", "exceptionInfo": AUTH_TEXT}


async def test_a_token_as_documented() -> None:
    async with signed_in(token=False) as client:
        answer = await client.sign_in("600")
        assert answer.status == 200
        assert list(answer.body) == [
            "AccessToken", "ApplyType", "CreateTime", "Expires", "Scope", "AppKey", "UserID"
        ]  # fmt: skip
        assert all(isinstance(value, str) for value in answer.body.values())
        assert answer.body["ApplyType"] == "Bearer"
        assert answer.body["CreateTime"] == str(client.emu.tenant.now // 1_000_000)
        assert answer.body["Expires"] == "600"
        assert answer.body["AppKey"] == "cec-app-key"
        assert answer.body["UserID"] == "Anonymous"
        assert re.fullmatch("[0-9a-f]{32}", answer.body["Scope"])


@pytest.mark.parametrize(
    ("wish", "configured", "seconds"),
    [(None, None, 3600), (None, 600, 600), (None, 1, 1), ("junk", None, 3600), ("0", 900, 900), ("600", None, 600),
     ("60", 600, 60), ("9999", 600, 3600)],
)  # fmt: skip
async def test_a_token_lives_an_hour_unless_the_header_or_the_setting_says_otherwise(
    wish: str | None, configured: int | None, seconds: int
) -> None:
    """A production client sends no X-Token-Expire and keeps its token for 3,300 s."""
    async with signed_in(token=False) as client:
        if configured is not None:
            client.emu.change({"settings": {"huawei_cec": {"token_lifetime": configured}}})
        answer = await client.sign_in(wish)
        assert answer.body["Expires"] == str(seconds)
        await client.emu.advance(f"{seconds - 1}s")
        assert (await client.send(CREATE, NOTIFICATION)).status == 200
        await client.emu.advance("1s")
        assert (await client.send(CREATE, NOTIFICATION)).status == 403


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [(None, 600), ("600", 600), ("1", 1), ("3600", 3600), ("3601", 3600), ("9" * 18, 3600), ("9" * 40, 600),
     ("0", 600), ("-5", 600), ("60.5", 600), ("ten", 600), ("", 600), ("٦٠", 600), (" 90 ", 90)],
)  # fmt: skip
def test_the_lifetime_that_applies(wish: str | None, seconds: int) -> None:
    assert lifetime_of(wish, 600) == seconds


async def test_a_token_expires_to_the_microsecond() -> None:
    async with signed_in(token=False) as client:
        await client.sign_in("90")
        await client.emu.advance(90_000_000 - 1)
        assert (await client.send(CREATE, NOTIFICATION)).code == "0"
        await client.emu.advance(1)
        answer = await client.send(CREATE, NOTIFICATION)
        assert (answer.status, answer.body) == (403, REFUSED)


async def test_former_tokens_stay_good_until_they_expire() -> None:
    async with signed_in(token=False) as client:
        await client.sign_in("600")
        former = client.token
        await client.emu.advance("5m")
        await client.sign_in("600")
        assert client.token != former
        for token in (former, client.token):
            client.token = token
            assert (await client.send(CREATE, NOTIFICATION)).code == "0"
        await client.emu.advance("6m")
        assert (await client.send(CREATE, NOTIFICATION)).code == "0"
        client.token = former
        assert (await client.send(CREATE, NOTIFICATION)).status == 403


@pytest.mark.parametrize(
    "authorization",
    ["{token}", "Bearer{token}", "Bearer  {token}", "bearer {token}", "BEARER {token}", "Basic {token}",
     "Bearer ", "Bearer {token} x", "Bearer x{token}", "Bearer {token}, Bearer {token}"],
)  # fmt: skip
async def test_bearer_and_exactly_one_space(authorization: str) -> None:
    async with signed_in() as client:
        headers = {"Authorization": authorization.format(token=client.token)}
        answer = await client.send(CREATE, NOTIFICATION, headers=headers)
        assert (answer.status, answer.body) == (403, REFUSED)


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "tokenByAkSk"])
async def test_no_business_operation_without_a_token(operation: str) -> None:
    async with signed_in() as client:
        client.token = "neverissued"
        answer = await client.send(operation, {})
        assert (answer.status, answer.body) == (403, REFUSED)


async def test_the_app_key_header() -> None:
    async with signed_in() as client:
        client.app_key = "another-key"
        assert (await client.send(CREATE, NOTIFICATION)).status == 403
        client.app_key = "cec-app-key"
        assert (await client.send(CREATE, NOTIFICATION)).code == "0"
        client.set(app_key_header="required")
        assert (await client.send(CREATE, NOTIFICATION)).code == "0"
        client.app_key = None
        assert (await client.send(CREATE, NOTIFICATION)).status == 403


async def test_the_status_of_a_refusal_can_be_401() -> None:
    async with signed_in() as client:
        client.set(auth_failure_status="401")
        client.token = "neverissued"
        answer = await client.send(CREATE, NOTIFICATION)
        assert (answer.status, answer.body) == (401, {**REFUSED, "errorCode": "401"})
        assert (await client.sign_in(secret="wrong")).status == 401


async def test_every_tenant_has_its_own_keys_and_tokens() -> None:
    async with signed_in() as client:
        other = client.emu.new_tenant("other")
        keys = other.credentials["huawei_cec"]
        assert keys["app_key"] != "cec-app-key"
        visitor = Client(client.emu)
        assert (await visitor.sign_in(key=keys["app_key"], secret="cec-app-secret")).status == 403
        assert (await visitor.sign_in(key="cec-app-key", secret=keys["app_secret"])).status == 403
        assert (await visitor.sign_in(key=keys["app_key"], secret=keys["app_secret"])).status == 200
        assert visitor.token != client.token
        serials = {await visitor.call("8899"), await client.call("8899")}
        assert len(serials) == 2
        assert len(other.ledger) == len(client.emu.tenant.ledger) == 1
        visitor.app_key = "cec-app-key"
        assert (await visitor.send(CREATE, NOTIFICATION)).status == 403


async def test_own_keys_may_be_brought_along() -> None:
    async with signed_in(token=False) as client:
        client.emu.change({"credentials": {"huawei_cec": {"app_key": "mine", "app_secret": "hush"}}})
        assert (await client.sign_in()).status == 403
        assert (await client.sign_in(key="mine", secret="hush")).status == 200


async def test_no_authorization_at_all() -> None:
    async with signed_in() as client:
        url = client.emu.url + PATHS[CREATE]
        async with client.emu.client.post(
            url, json=NOTIFICATION, headers={"X-APP-Key": "cec-app-key"}
        ) as response:
            assert response.status == 403
            assert await response.json() == REFUSED


async def test_networks_that_may_ask_for_a_token() -> None:
    async with signed_in(token=False) as client:
        client.set(allowed_ips=["10.0.0.0/8", "127.0.0.0/8"])
        assert (await client.sign_in()).status == 200
        client.set(allowed_ips=["10.0.0.1"])
        assert (await client.sign_in()).status == 403


async def test_lenient_takes_any_credentials() -> None:
    async with signed_in(token=False, lenient=True) as client:
        assert (await client.sign_in(key="anything", secret="goes")).status == 200
        client.token = "neverissued"
        client.app_key = "whatever"
        assert (await client.send(CREATE, NOTIFICATION)).code == "0"
        answer = await client.send(CREATE, NOTIFICATION, headers={"Authorization": ""})
        assert answer.status in (200, 403)


async def test_secrets_are_masked_in_the_journal() -> None:
    async with signed_in() as client:
        await client.call()
        shown = str([entry.record.shown() for entry in client.emu.tenant.journal])
        assert "cec-app-key" in shown
        assert "cec-app-secret" not in shown
        assert client.token not in shown


async def test_the_rule_token_expired() -> None:
    scenario = """
name: expiring
rules:
  - name: expired
    match: {operation: createVoiceNotification, nth: 2}
    fault: token_expired
"""
    async with signed_in(scenario=scenario) as client:
        await client.call()
        answer = await client.send(CREATE, NOTIFICATION)
        assert (answer.status, answer.body) == (403, REFUSED)
        await client.call()
        assert len(client.emu.tenant.ledger) == 2
