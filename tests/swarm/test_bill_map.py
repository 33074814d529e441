"""The map of columns."""

from __future__ import annotations

from decimal import Decimal

import pytest

from voice_emulator.core.billing import Tariff
from voice_emulator.errors import UsageError
from voice_emulator.swarm.bill_map import BillMap, read_map


def test_a_map_is_read():
    found = read_map(
        b"number: Called party\nid: ~\nat: 'when'\nzone: '+08:00'\n"
        b"tariffs:\n  huawei_cec: {cycle: 6, price: 0.0021}\n  infin8linx: {price: '0.15', basic_price: 0.01}\n",
        "map.yaml",
    )
    assert found.columns == {"number": "Called party", "id": None, "at": "when"}
    assert found.zone == 28_800
    assert found.tariffs == {
        "huawei_cec": Tariff(6, Decimal("0.0021")),
        "infin8linx": Tariff(60, Decimal("0.15"), Decimal("0.01")),
    }
    assert found.places["at"] == "map.yaml:3:1"


@pytest.mark.parametrize("text", [b"", b"{}", b"# nothing\n"])
def test_an_empty_map_leaves_all_to_recognition(text):
    assert read_map(text, "m") == BillMap()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"nummber: x\n", "m:1:1: unknown key 'nummber' in the map; did you mean 'number'?"),
        (b"number: [x]\n", "m:1:9: number must be a text, not a list"),
        (b"- number\n", "m:1:1: the map must be a mapping, not a list"),
        (b"number: 'x\n", "m:1:9: "),
        (b"zone: CET\n", "m:1:1: 'CET' is not a time zone"),
        (
            b"number: x\ntariffs: {huawei: {price: 1}}\n",
            "m:2:1: unknown key 'huawei' in tariffs; did you mean 'huawei_cec'?",
        ),
        (
            b"tariffs: {huawei_cec: {prize: 1}}\n",
            "m:1:1: tariffs: unknown key 'prize'; did you mean 'price'?",
        ),
        (b"tariffs: {huawei_cec: {cycle: 0}}\n", "m:1:1: tariffs: a billing cycle is at least 1 second"),
        (b"tariffs: 3\n", "m:1:1: tariffs: must be a mapping"),
        (b"a: 1\n\xff\n", "m:2: not UTF-8"),
        (b"number: x\nnumber: y\n", "m:2:1: duplicate key"),
    ],
)
def test_a_mistake_in_the_map_is_one_line_with_its_place(text, said):
    with pytest.raises(UsageError) as caught:
        read_map(text, "m")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
