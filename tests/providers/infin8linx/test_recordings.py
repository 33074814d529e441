"""Recordings: named in records, linked by GetRecodeFile, really downloadable for 300 seconds."""

from __future__ import annotations

import io
import re
import wave
from typing import Any

import pytest

from tests.providers.infin8linx.account import BATCH, bills, call, log_in, post, setting
from tests.rig import Running, started


async def recorded_call(emu: Running, **settings: Any) -> dict[str, Any]:
    emu.change(setting(recordings=True, **settings))
    await post(emu, {**BATCH, "disnumber": "219513923001"})
    await emu.settle()
    return emu.receiver.received[-1].fields


async def test_calls_are_not_recorded_by_default() -> None:
    async with started() as emu:
        await post(emu, BATCH)
        await emu.settle()
        record = emu.receiver.received[0].fields
        assert (record["recordfilename"], record["downloadip"], record["recordurl"]) == ("", "", "")


async def test_an_answered_call_names_its_recording() -> None:
    async with started() as emu:
        record = await recorded_call(emu)
        assert record["recordfilename"] == "20260105090000_81351111451_219513923001.mp3"
        assert record["downloadip"] == "127.0.0.1"
        (bill,) = (await bills(emu, await log_in(emu)))["bills"]
        assert (bill["recordfilename"], bill["downloadip"]) == (
            record["recordfilename"],
            record["downloadip"],
        )


async def test_an_unanswered_call_has_none() -> None:
    async with started() as emu:
        emu.change(setting(recordings=True))
        await post(emu, {**BATCH, "destnumber": "6281200000486"})
        await emu.settle()
        assert emu.receiver.received[0].fields["recordfilename"] == ""


async def test_calls_to_one_number_in_one_second_have_files_of_their_own() -> None:
    async with started() as emu:
        emu.change(setting(recordings=True))
        await post(emu, {**BATCH, "destnumber": "135,135,135"})
        await emu.settle()
        assert len({push.fields["recordfilename"] for push in emu.receiver.received}) == 3


async def test_the_link_serves_audio_for_300_seconds_of_the_tenant_s_time() -> None:
    async with started() as emu:
        name = (await recorded_call(emu, recording_format="wav"))["recordfilename"]
        answer = await call(emu, "GetRecodeFile", token=await log_in(emu), filename=name)
        assert (answer["ret"], answer["data"]["desc"]) == (200, "get success")
        result = answer["data"]["result"]
        assert list(result) == ["downurl", "expiredtime"]
        # The call ended at 09:00:13, where the clock now stands.
        assert result["expiredtime"] == "Expiration time:2026-01-05 09:05:13"
        assert result["downurl"].startswith(emu.url + "/")
        assert re.search("[0-9a-f]{32}$", result["downurl"])
        for _ in range(2):
            async with emu.client.get(result["downurl"]) as reply:
                assert (reply.status, reply.headers["Content-Type"]) == (200, "audio/wav")
                assert name in reply.headers["Content-Disposition"]
                with wave.open(io.BytesIO(await reply.read())) as file:
                    assert file.getnframes() == 10 * file.getframerate(), "as long as the talk"
        await emu.advance("299s")
        async with emu.client.get(result["downurl"]) as reply:
            assert reply.status == 200
        await emu.advance("1s")
        async with emu.client.get(result["downurl"]) as reply:
            assert reply.status == 410
            assert "expired" in reply.headers["Emulator-Error"]


async def test_recordurl_serves_the_recording_as_long_as_it_is_kept() -> None:
    async with started() as emu:
        record = await recorded_call(emu, recording_days=2)
        await emu.advance("47h")
        async with emu.client.get(record["recordurl"]) as reply:
            assert (reply.status, reply.headers["Content-Type"]) == (200, "audio/mpeg")
            assert (await reply.read())[:2] == b"\xff\xe3"
        await emu.advance("1h")
        async with emu.client.get(record["recordurl"]) as reply:
            assert reply.status == 410


async def test_after_three_months_the_file_does_not_exist_any_more() -> None:
    async with started() as emu:
        name = (await recorded_call(emu))["recordfilename"]
        await emu.advance(f"{90 * 86400 - 1}s")
        assert (await call(emu, "GetRecodeFile", token=await log_in(emu), filename=name))["data"][
            "status"
        ] == 0
        await emu.advance("1s")
        answer = await call(emu, "GetRecodeFile", token=await log_in(emu), filename=name)
        assert answer["data"]["errors"]["code"] == "1029"


@pytest.mark.parametrize(
    "name",
    [
        "nothing.mp3",
        "20260105090000_81351111452_219513923001.mp3",
        "../../etc/passwd",
        "20261399",
        "录音.mp3",
        "🙂",
    ],
)
async def test_an_unknown_file_is_1029(name: str) -> None:
    async with started() as emu:
        await recorded_call(emu)
        answer = await call(emu, "GetRecodeFile", token=await log_in(emu), filename=name)
        assert (answer["ret"], answer["msg"]) == (200, "")
        assert answer["data"]["status"] == 1
        assert answer["data"]["errors"] == {"code": "1029", "codemsg": "file does not exist"}


@pytest.mark.parametrize("path", ["0" * 32, "", "..", "0" * 32 + ".mp3"])
async def test_a_link_nobody_was_given_is_404(path: str) -> None:
    async with started() as emu, emu.client.get(f"{emu.url}/infin8linx/recordings/{path}") as reply:
        assert reply.status == 404
        assert reply.headers["Emulator-Error"]


async def test_links_of_a_reset_tenant_are_forgotten() -> None:
    async with started() as emu:
        record = await recorded_call(emu)
        emu.tenant.reset()
        async with emu.client.get(record["recordurl"]) as reply:
            assert reply.status == 404


async def test_a_link_works_for_the_tenant_it_was_issued_to() -> None:
    async with started() as emu:
        other = emu.new_tenant("other")
        other.change(setting(recordings=True))
        keys = dict(other.credentials["infin8linx"])
        await post(emu, {**BATCH, **keys})
        await emu.settle(other)
        (push,) = emu.receiver.received
        async with emu.client.get(push.fields["recordurl"]) as reply:
            assert reply.status == 200


@pytest.mark.parametrize(
    "filename", ["", " ", "none", "20260105090000_1_2.mp3", ".mp3", "_", "\u597d", "1" * 5000]
)
async def test_a_file_that_is_none_is_1029_and_data_is_an_object(filename: str) -> None:
    """A job asks for every unanswered call, whose recordfilename is empty."""
    async with started() as emu:
        answer = await call(emu, "GetRecodeFile", token=await log_in(emu), filename=filename)
    assert (answer["ret"], answer["msg"]) == (200, "")
    assert answer["data"]["status"] == 1
    assert answer["data"]["errors"]["code"] == "1029"


async def test_without_filename_it_is_400() -> None:
    async with started() as emu:
        answer = await call(emu, "GetRecodeFile", token=await log_in(emu))
    assert (answer["ret"], answer["msg"]) == (400, "Illegal request: missing required parameter filename")


@pytest.mark.parametrize("outcome", ["answered", "busy", "no_answer"])
async def test_every_bill_s_file_can_be_asked_for(outcome: str) -> None:
    """As that job does, with what the bill says."""
    async with started(f"name: x\nrules:\n  - {{name: x, call: {{outcome: {outcome}}}}}\n") as emu:
        emu.change(setting(recordings=True))
        await post(emu, BATCH)
        await emu.settle()
        token = await log_in(emu)
        (bill,) = (await bills(emu, token))["bills"]
        answer = await call(emu, "GetRecodeFile", token=token, filename=bill["recordfilename"])
        assert answer["data"]["status"] == (0 if outcome == "answered" else 1)


@pytest.mark.parametrize(
    ("caller", "number", "settings"),
    [
        ("823", "18872699215", {}),
        ("87800", "8878880009", {"recording_format": "wav"}),
        ("02566823420", "015029913692", {}),
        ("219513923001", "+6281351111451", {"accept_plus": True}),
        ("", "81351111451", {"company_code": "1"}),
        ("", "81351111451", {"caller_pool": {"9001": "enabled"}}),
    ],
)
async def test_the_called_number_is_the_second_part_of_the_file_s_name(
    caller: str, number: str, settings: dict[str, Any]
) -> None:
    """20200701114016_8878880009_87800.mp3: a client takes part 2 for the customer's number."""
    async with started() as emu:
        emu.change(setting(recordings=True, **settings))
        await post(emu, {**BATCH, "disnumber": caller, "destnumber": number})
        await emu.settle()
        token = await log_in(emu)
        (bill,) = (await bills(emu, token))["bills"]
        stamp, second, third = bill["recordfilename"].partition(".")[0].split("_")
        assert stamp == "".join(sign for sign in bill["starttime"] if sign.isdigit())
        assert second == number.lstrip("+")
        assert third == bill["displaynumber"]
        (push,) = emu.receiver.received
        assert push.fields["recordfilename"] == bill["recordfilename"]
        answer = await call(emu, "GetRecodeFile", token=token, filename=bill["recordfilename"])
        assert answer["data"]["status"] == 0
