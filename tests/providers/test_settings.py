from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from voice_emulator.core.billing import Tariff
from voice_emulator.providers.settings import Setting, SettingTable


def setting(kind: Any, default: Any = None, **options: Any) -> Setting:
    return Setting("it", kind, default, "what it is", **options)


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("boolean", True, True),
        ("boolean", "On", True),
        ("boolean", "no", False),
        ("integer", "-12", -12),
        ("integer", 0, 0),
        ("decimal", "0.036", Decimal("0.036")),
        ("decimal", 0.1, Decimal("0.1")),
        ("text", 5, "5"),
        ("text", "", ""),
        ("texts", "one", ("one",)),
        ("texts", ["a", 1], ("a", "1")),
        ("mapping", {1: "x"}, {"1": "x"}),
        ("tariff", {"price": "0.1"}, Tariff(60, Decimal("0.1"), Decimal(0))),
        ("tariffs", {62: {"cycle": 6}}, {"62": Tariff(6, Decimal(0), Decimal(0))}),
    ],
)
def test_setting_reads_values_of_json_and_texts_of_scenario_files(kind: str, given: Any, value: Any):
    read = setting(kind).read(given)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("boolean", 1, "true or false"),
        ("boolean", "maybe", "true or false"),
        ("integer", True, "whole number"),
        ("integer", 1.5, "whole number"),
        ("integer", "1.5", "whole number"),
        ("integer", "٣", "whole number"),
        ("integer", "9" * 20, "whole number"),
        ("integer", "", "whole number"),
        ("decimal", False, "decimal number"),
        ("decimal", "1,5", "decimal number"),
        ("decimal", "NaN", "decimal number"),
        ("decimal", "Infinity", "decimal number"),
        ("text", None, "null"),
        ("text", True, "must be text"),
        ("texts", {"a": 1}, "list of texts"),
        ("texts", [None], "must be text"),
        ("mapping", [1], "must be a mapping"),
        ("tariff", {"prise": 1}, "did you mean 'price'"),
        ("tariff", {"price": []}, "decimal number"),
        ("tariffs", {"62": 1}, "must be a mapping"),
    ],
)
def test_setting_refuses_with_a_reason(kind: str, given: Any, says: str):
    with pytest.raises(ValueError, match=says):
        setting(kind).read(given)


def test_setting_holds_values_against_choices_bounds_and_its_own_check():
    choice = setting("choice", "result", choices=("result", "message"))
    with pytest.raises(ValueError, match="did you mean 'message'"):
        choice.read("mesage")
    with pytest.raises(ValueError, match="at least 1, not 0"):
        setting("integer", 1, minimum=1).read(0)

    def even(value: int) -> None:
        if value % 2:
            raise ValueError("must be even")

    with pytest.raises(ValueError, match="must be even"):
        setting("integer", 2, check=even).read(3)
    assert setting("integer", optional=True, minimum=1).read(None) is None


def test_table_names_the_setting_that_is_wrong_and_the_nearest_known_one():
    table = SettingTable(
        Setting("batch_limit", "integer", 1000, "", minimum=1), Setting("outage", "text", "none", "")
    )
    assert table.defaults() == {"batch_limit": 1000, "outage": "none"}
    assert table.read({"batch_limit": "5"}) == {"batch_limit": 5}
    with pytest.raises(ValueError, match="batch_limit: must be at least 1"):
        table.read({"batch_limit": 0})
    with pytest.raises(ValueError, match="unknown setting 'batch_limits'; did you mean 'batch_limit'"):
        table.read({"batch_limits": 5})


def test_table_refuses_a_default_that_does_not_read():
    with pytest.raises(ValueError, match="at least 1"):
        SettingTable(Setting("limit", "integer", 0, "", minimum=1))
