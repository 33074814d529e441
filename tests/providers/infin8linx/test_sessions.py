"""Tokens: 12 hours, cleared by Logout, and whose they are."""

from __future__ import annotations

import re

from tests.providers.infin8linx.account import KEYS, bills, call, log_in, setting
from tests.rig import started


async def test_the_answer_tells_of_the_account() -> None:
    async with started() as emu:
        emu.change(setting(company_code="42", company_name="语音", licence_until="2026-12-31 00:00:00"))
        result = (await call(emu, "Login", **KEYS))["data"]["result"]
        assert list(result) == ["companycode", "companyname", "token", "authtime", "authmodel"]
        assert re.fullmatch("[0-9a-f]{32}", result.pop("token"))
        assert result == {
            "companycode": "42",
            "companyname": "语音",
            "authtime": "2026-12-31 00:00:00",
            "authmodel": "",
        }
        emu.change(setting(modules=["ivr", "cdr"]))
        assert (await call(emu, "Login", **KEYS))["data"]["result"]["authmodel"] == "ivr,cdr"


async def test_a_token_lives_12_hours_and_use_does_not_prolong_it() -> None:
    async with started() as emu:
        token = await log_in(emu)
        for _ in range(11):
            await emu.advance("1h")
            await bills(emu, token)
        await emu.advance("3599s")
        await bills(emu, token)
        await emu.advance("1s")
        answer = await call(
            emu, "GetBill", token=token, starttime="2026-01-01 00:00:00", endtime="2026-01-02 00:00:00"
        )
        assert (answer["ret"], answer["data"]) == (600, [])


async def test_the_life_of_tokens_is_a_setting() -> None:
    async with started() as emu:
        emu.change(setting(token_hours=1))
        token = await log_in(emu)
        await emu.advance("1h")
        assert (await call(emu, "Logout", token=token))["ret"] == 600


async def test_older_tokens_stay_good() -> None:
    async with started() as emu:
        first, second = await log_in(emu), await log_in(emu)
        assert first != second
        await bills(emu, first)
        await bills(emu, second)
        await call(emu, "Logout", token=first)
        assert (await call(emu, "Logout", token=first))["ret"] == 600
        await bills(emu, second)


async def test_a_new_login_may_end_older_tokens() -> None:
    async with started() as emu:
        emu.change(setting(single_token=True))
        first, second = await log_in(emu), await log_in(emu)
        assert (await call(emu, "Logout", token=first))["ret"] == 600
        await bills(emu, second)


async def test_unknown_and_empty_tokens_are_600_a_missing_one_400() -> None:
    async with started() as emu:
        for token in ("0" * 32, "nonsense", "", "令牌"):
            assert (await call(emu, "Logout", token=token))["ret"] == 600
        assert (await call(emu, "Logout"))["ret"] == 400


async def test_a_token_belongs_to_its_tenant() -> None:
    async with started() as emu:
        other = emu.new_tenant("other")
        keys = dict(other.credentials["infin8linx"])
        assert keys != KEYS
        token = (await call(emu, "Login", **keys))["data"]["result"]["token"]
        await call(emu, "PlayVoice", token=token, destnumber="62812", voicetype="1", voicefile="a")
        assert [placed.number for placed in other.ledger] == ["62812"]
        assert len(emu.tenant.ledger) == 0


async def test_unknown_credentials_pass_only_when_lenient() -> None:
    async with started(lenient=True) as emu:
        answer = await call(emu, "Login", appid="whoever", accesskey="whatever")
        assert answer["ret"] == 200
        answer = await call(
            emu,
            "PlayVoice",
            appid="whoever",
            accesskey="whatever",
            nationcode="id",
            destnumber="62812",
            voicetype="1",
            voicefile="a",
        )
        assert answer["code"] == 200
        assert (await call(emu, "Logout", token="made-up"))["ret"] == 200
        assert (await call(emu, "Logout", token=""))["ret"] == 600
