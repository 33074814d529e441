"""Drift: planted differences are named by field, and a provider like the emulator has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recording.altered import PLANTED, SCENARIO, named, recorded
from tests.recording.taped import READER, taped
from tests.recording.test_distil import evening
from tests.rig import started
from voice_emulator.recording.distil import distil
from voice_emulator.recording.drift import drift


@pytest.fixture(autouse=True)
def _apps(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = Path(__file__).parents[2] / "examples"
    for name in ("nxcloud_reminders", "huawei_notifier", "infin8linx_campaign"):
        monkeypatch.syspath_prepend(str(examples / name))


async def test_twelve_planted_differences_are_named_by_field_also_from_a_distilled_recording(tmp_path: Path):
    first = await recorded(SCENARIO, PLANTED, tmp_path)
    assert named(await drift(READER, first.exchanges)) == [each.what for each in PLANTED]
    again = await recorded(distil(READER, first.exchanges, "first").text, PLANTED, tmp_path)
    assert named(await drift(READER, again.exchanges)) == [each.what for each in PLANTED]


async def test_without_differences_a_recording_through_the_proxy_has_none(tmp_path: Path):
    clean = await recorded(SCENARIO, (), tmp_path)
    result = await drift(READER, clean.exchanges)
    assert (result.findings, result.exchanges) == ([], 73)
    assert result.providers == ("huawei_cec", "infin8linx", "nxcloud")
    assert all(each.confirmed for each in result.assumptions)
    assert {each.certainty for each in result.assumptions} == {"choice", "inferred"}


@pytest.mark.parametrize("planted", PLANTED, ids=lambda each: each.what)
async def test_one_planted_difference_alone_is_the_only_field_named(planted, tmp_path: Path):
    result = await drift(READER, (await recorded(SCENARIO, (planted,), tmp_path)).exchanges)
    assert planted.what in named(result)
    last = {each.field.rpartition(".")[2] for each in result.findings}
    assert {each.provider for each in result.findings} == {planted.provider}
    # A renamed field is two, and an id comes again in the receipt.
    assert last - {"extension"} == {planted.field.rpartition(".")[2]}
    contradicted = {each.field for each in result.assumptions if not each.confirmed}
    assert contradicted <= {each.field for each in result.findings}


async def clean(seed: int, calls: int, tmp_path: Path) -> int:
    async with started("evening-peak", seed=seed) as running:
        await evening(running, calls)
        recording = await taped(running, tmp_path)
    result = await drift(READER, recording.exchanges)
    assert result.findings == []
    return result.exchanges


async def test_evening_with_all_three_applications_has_no_differences(tmp_path: Path):
    assert await clean(4711, 180, tmp_path) >= 300


@pytest.mark.long
async def test_no_finding_in_10000_clean_exchanges_with_other_seeds(tmp_path: Path):
    compared = seed = 0
    while compared < 10_000:
        seed += 1
        compared += await clean(seed, 300, tmp_path)
