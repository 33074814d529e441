"""Drift: planted differences are named by field, and a provider like the emulator has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.recording.altered import PLANTED, SCENARIO, named, recorded
from tests.recording.taped import READER, taped
from tests.recording.test_distil import evening
from tests.rig import Running, started
from voice_emulator.recording.distil import distil
from voice_emulator.recording.drift import drift
from voice_emulator.wire.machine_time import wall_now


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


async def every_example(running: Running, base: str) -> None:
    """Send every example of every operation twice, with the tenant's credentials."""
    for provider in READER.providers.values():
        paths = {name: route.path for route in provider.routes for name in route.operations}
        for operation in [*provider.operations.values()] * 2:
            for example in READER.schemas.get(operation.request).examples:
                # Receipts come to the configured receiver, through the proxy.
                own = {name: value for name, value in example.items() if "callback" not in name.lower()}
                fields, headers = provider.authorise(running.tenant, operation, own, wall_now())
                body: dict[str, Any] = {"json": fields}
                if "urlencoded" in operation.accepts:
                    body = {
                        "data": {
                            name: str(value) for name, value in fields.items() if isinstance(value, str | int)
                        }
                    }
                async with running.client.post(
                    base + paths[operation.name], headers=headers, **body
                ) as reply:
                    await reply.read()
                await running.advance("15s")
        await running.settle()


async def test_every_operation_of_every_provider_is_replayed_without_a_difference(tmp_path: Path):
    recording = await recorded(SCENARIO, (), tmp_path, every_example)
    requests = [one for one in recording.exchanges if not one.is_push]
    assert {READER.read(one).name for one in requests} >= {
        name for provider in READER.providers.values() for name in provider.operations
    }
    assert (await drift(READER, recording.exchanges)).findings == []


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
