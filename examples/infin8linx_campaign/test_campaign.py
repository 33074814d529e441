"""Tests of the campaign script against the emulator. There is no receiver; the script uses GetBill."""

from __future__ import annotations

import pytest
from campaign import Account, Refused, main, reconcile, records, submit

pytestmark = pytest.mark.voice_emulator(clock={"mode": "manual", "start": "2026-01-05T09:00:00+08:00"})

DAY = {"since": "2026-01-05 00:00:00", "until": "2026-01-05 23:59:59"}


def numbers(count: int, first: int = 81351100001) -> list[str]:
    """Numbers, one in ten of them busy: the last four digits choose the outcome."""
    return [str(first + index) if index % 10 else f"8135{index:03d}0486" for index in range(count)]


@pytest.fixture
def account(voice_emulator):
    keys = voice_emulator.credentials.infin8linx
    return Account(voice_emulator.url, keys.appid, keys.accesskey)


def test_every_number_of_a_campaign_gets_a_result(account, voice_emulator):
    wanted = numbers(25)
    submit(account, wanted, voice="welcome.mp3", campaign="march")
    voice_emulator.advance(to="idle")

    result = reconcile(wanted, records(account, campaign="march", page_size=10, **DAY))

    assert len(result.reached) == 22
    assert result.missed == {"81350000486", "81350100486", "81350200486"}
    assert not result.open
    voice_emulator.assert_no_violations()


def test_the_emulator_catches_paging_through_records_that_disappear(account, voice_emulator):
    """The bug: the query returns only new records (the documented default), so counting pages skips some."""
    wanted = numbers(25)
    submit(account, wanted, voice="welcome.mp3", campaign="march")
    voice_emulator.advance(to="idle")

    new_records_only = records(account, campaign="march", page_size=10, syncflag=1, **DAY)

    assert len(reconcile(wanted, new_records_only).open) == 10


def test_a_long_list_goes_out_in_batches_of_at_most_5000(account, voice_emulator):
    assert submit(account, numbers(5001), voice="welcome.mp3", campaign="march") == 2
    voice_emulator.verify(operation="PlayVoice", exactly=2)
    assert [request.code for request in voice_emulator.requests(operation="PlayVoice")] == ["200", "200"]
    voice_emulator.assert_no_violations()


def test_calls_in_progress_are_open(account, voice_emulator):
    wanted = numbers(3)
    submit(account, wanted, voice="welcome.mp3", campaign="march")
    found = records(account, campaign="march", **DAY)
    assert reconcile(wanted, found).open == set(wanted)


def test_wrong_credentials_are_reported(account):
    stranger = Account(account.base_url, "nobody", "x")
    with pytest.raises(Refused, match="601"):
        submit(stranger, ["81351111451"], voice="welcome.mp3", campaign="march")


def test_the_command_line_does_both_halves(account, voice_emulator, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("INFIN8LINX_URL", account.base_url)
    monkeypatch.setenv("INFIN8LINX_APPID", account.appid)
    monkeypatch.setenv("INFIN8LINX_ACCESSKEY", account.accesskey)
    path = tmp_path / "numbers.txt"
    path.write_text("\n".join(numbers(20)), encoding="utf-8")

    assert main(["submit", str(path), "--campaign", "march"]) == 0
    voice_emulator.advance(to="idle")
    assert main(["reconcile", str(path), "--campaign", "march"]) == 0

    assert capsys.readouterr().out == "20 numbers in 1 submissions\nreached 18, missed 2, open 0\n"
