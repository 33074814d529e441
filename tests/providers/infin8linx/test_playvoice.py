"""PlayVoice over the wire: numbers, fields, callers and files."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.providers.infin8linx.account import BATCH, bills, log_in, post, setting, some_numbers
from tests.rig import Running, started


async def submit(emu: Running, numbers: Any, **fields: str) -> Any:
    destination = numbers if isinstance(numbers, str) else ",".join(numbers)
    return await post(emu, {**BATCH, "destnumber": destination, **fields})


def pushed(emu: Running) -> list[dict[str, Any]]:
    return [push.fields for push in emu.receiver.received]


@pytest.mark.slow
async def test_5000_numbers_give_5000_records_each_number_once() -> None:
    async with started() as emu:
        wanted = some_numbers(5000)
        assert (await submit(emu, wanted))["code"] == 200
        await emu.settle()
        records = pushed(emu)
        assert Counter(record["destnumber"] for record in records) == Counter(wanted)
        assert (
            len({record["id"] for record in records}) == len({record["uuid"] for record in records}) == 5000
        )


async def test_5001_numbers_are_refused_and_none_is_dialled() -> None:
    async with started() as emu:
        answer = await submit(emu, some_numbers(5001))
        assert (answer["code"], answer["data"]) == (400, [])
        assert "5000" in answer["msg"]
        await emu.settle()
        assert pushed(emu) == []
        assert len(emu.tenant.ledger) == 0


async def test_each_occurrence_is_dialled() -> None:
    async with started() as emu:
        await submit(emu, "133,134,135,135,133,135")
        await emu.settle()
        assert Counter(record["destnumber"] for record in pushed(emu)) == {"133": 2, "134": 1, "135": 3}


@pytest.mark.parametrize("numbers", ["  62811, 62812 ,\t62813\t", "62811,62812,62813"])
async def test_blanks_around_numbers_are_cut(numbers: str) -> None:
    async with started() as emu:
        assert (await submit(emu, numbers))["code"] == 200
        await emu.settle()
        assert sorted(record["destnumber"] for record in pushed(emu)) == ["62811", "62812", "62813"]


@pytest.mark.parametrize(
    "numbers",
    [
        "",
        " ",
        ",",
        "62811,",
        ",62811",
        "62811,,62812",
        "6",
        "1" * 21,
        "62811;62812",
        "62 811",
        "abc",
        "62811,x",
        "６２８１１",
        "-62811",
        "62811\n",
        "٦٢٨١١",
        "🙂",
        "+",
        "++62811",
    ],
)
async def test_one_malformed_number_refuses_all(numbers: str) -> None:
    async with started() as emu:
        answer = await submit(emu, numbers)
        assert (answer["code"], answer["data"]) == (400, [])
        assert "destnumber" in answer["msg"]
        assert len(emu.tenant.ledger) == 0


@pytest.mark.parametrize("numbers", ["12", "1" * 20, "0150", "015029913692"])
async def test_validity_is_syntax_alone_and_numbers_are_echoed_as_sent(numbers: str) -> None:
    async with started() as emu:
        assert (await submit(emu, numbers))["code"] == 200
        await emu.settle()
        assert [record["destnumber"] for record in pushed(emu)] == [numbers]


async def test_a_plus_passes_only_behind_its_switch_and_is_kept() -> None:
    async with started() as emu:
        assert (await submit(emu, "+6281200,62813"))["code"] == 400
        emu.change(setting(accept_plus=True))
        assert (await submit(emu, "+6281200,62813"))["code"] == 200
        await emu.settle()
        assert sorted(record["destnumber"] for record in pushed(emu)) == ["+6281200", "62813"]


@pytest.mark.parametrize(
    "text", ["a+b c&d=e%", "客户数据", "🙂👍🏽", "x" * 20_000, '"quoted" \\ line\nbreak', " leading"]
)
@pytest.mark.parametrize("encoding", ["multipart", "urlencoded"])
async def test_customer_data_comes_back_as_sent(text: str, encoding: str) -> None:
    async with started() as emu:
        fields = {**BATCH, "chengshudu": text, "customuuid": text}
        if encoding == "multipart":
            import aiohttp

            with aiohttp.MultipartWriter("form-data") as form:
                for name, value in fields.items():
                    form.append(value).set_content_disposition("form-data", name=name)
            async with emu.client.post(emu.url + "/api/yunhu", data=form) as reply:
                assert (await reply.json())["code"] == 200
        else:
            assert (await post(emu, fields))["code"] == 200
        await emu.settle()
        (record,) = pushed(emu)
        assert record["chengshudu"] == record["ext"] == record["customuuid"] == text
        (bill,) = (await bills(emu, await log_in(emu)))["bills"]
        assert bill["chengshudu"] == bill["customuuid"] == text


async def test_empty_optional_values_count_as_absent() -> None:
    async with started() as emu:
        optional = ("userkey", "chengshudu", "disnumber", "customuuid", "waittime", "conntime", "todayonly")
        assert (await submit(emu, "62811", **dict.fromkeys(optional, "")))["code"] == 200
        assert (await submit(emu, "62811"))["code"] == 200
        await emu.settle()
        one, two = pushed(emu)
        drawn = ("id", "uuid", "disnumber")
        assert {k: v for k, v in one.items() if k not in drawn} == {
            k: v for k, v in two.items() if k not in drawn
        }
        assert (one["chengshudu"], one["ext"], one["customuuid"], one["userkey"]) == ("0", "0", "", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("voicetype", "3"),
        ("voicetype", ""),
        ("voicetype", "abcdefg"),
        ("userkey", "2"),
        ("userkey", "yes"),
        ("todayonly", "0"),
        ("todayonly", "3"),
        ("nationcode", "us"),
        ("nationcode", ""),
        ("voicefile", ""),
        ("waittime", "soon"),
        ("conntime", "1.5"),
    ],
)
async def test_values_out_of_range_are_400(name: str, value: str) -> None:
    async with started() as emu:
        answer = await submit(emu, "62811", **{name: value})
        assert answer["code"] == 400
        assert name in answer["msg"]


@pytest.mark.parametrize("nation", ["in", "id", "ph", "mx", "co", "tha", "vn"])
async def test_all_documented_countries_pass(nation: str) -> None:
    async with started() as emu:
        assert (await submit(emu, "62811", nationcode=nation))["code"] == 200


@pytest.mark.parametrize(
    "url", ["http://a.example/v.mp3", "https://a.example/v.mp3?x=1&y=好", "HTTPS://a.example/"]
)
async def test_an_online_voice_is_a_url(url: str) -> None:
    async with started() as emu:
        assert (await submit(emu, "62811", voicetype="2", voicefile=url))["code"] == 200


@pytest.mark.parametrize(
    "url", ["hello", "ftp://a.example/v.mp3", "http://", "//a.example/v.mp3", "http://a b/"]
)
async def test_online_voice_that_is_no_url_is_refused(url: str) -> None:
    async with started() as emu:
        assert (await submit(emu, "62811", voicetype="2", voicefile=url))["code"] == 400


# --- callers and files -------------------------------------------------------------------------


async def test_an_unconfigured_account_makes_up_a_caller() -> None:
    async with started() as emu:
        for number in range(20):
            await submit(emu, f"6281{number:02}")
        await emu.settle()
        callers = {record["disnumber"] for record in pushed(emu)}
        assert 1 < len(callers) <= 9
        assert all(caller.startswith("219513923") and len(caller) == 12 for caller in callers)


async def test_a_configured_pool_is_picked_from_and_enforced() -> None:
    async with started() as emu:
        emu.change(setting(caller_pool={"2101": "enabled", "2102": "enabled", "2103": "disabled"}))
        for number in range(20):
            assert (await submit(emu, f"6281{number:02}"))["code"] == 200
        assert (await submit(emu, "62811", disnumber="2102"))["code"] == 200
        for wrong in ("2103", "2104", "abcdefg"):
            answer = await submit(emu, "62811", disnumber=wrong)
            assert (answer["code"], answer["data"]) == (400, [])
        await emu.settle()
        assert {record["disnumber"] for record in pushed(emu)} == {"2101", "2102"}
        emu.change(setting(caller_pool={"2101": "disabled", "2102": "missing"}))
        assert (await submit(emu, "62811"))["code"] == 400


async def test_any_file_passes_until_a_catalogue_is_configured() -> None:
    async with started() as emu:
        assert (await submit(emu, "62811", voicefile="whatever"))["code"] == 200
        emu.change(setting(voice_files=["hello.mp3", "bye"]))
        for name, code in (("hello.mp3", 200), ("hello", 200), ("bye", 200), ("bye.mp3", 200), ("ciao", 400)):
            assert (await submit(emu, "62811", voicefile=name))["code"] == code, name
        assert (await submit(emu, "62811", voicetype="2", voicefile="http://a.example/ciao"))["code"] == 200


async def test_an_unknown_file_may_be_accepted_and_fail_the_calls() -> None:
    async with started() as emu:
        emu.change(setting(voice_files=["hello"], unknown_voice_file="fail_calls"))
        assert (await submit(emu, "62811,62812", voicefile="ciao"))["code"] == 200
        await emu.settle()
        assert [(r["hangupcause"], r["billsec"], r["answertime"]) for r in pushed(emu)] == [
            (10020, 0, "")
        ] * 2


async def test_the_2018_body_and_the_form_are_settings() -> None:
    async with started() as emu:
        emu.change(setting(record_version="2018", callback_transport="form"))
        await submit(emu, "62811")
        await emu.settle()
        (push,) = emu.receiver.received
        assert push.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert list(push.fields) == ["detail"]
        assert '"crmid":"0"' in push.fields["detail"]
