from __future__ import annotations

from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from voice_emulator.core.billing import Tariff
from voice_emulator.providers.setting_schema import setting_schema
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


@pytest.mark.parametrize(
    ("declared", "good", "bad", "reason"),
    [
        ({"kind": "integer", "minimum": -2, "maximum": 5}, ["-2", 5], 6, "at most 5, not 6"),
        ({"kind": "decimal", "maximum": 5}, ["5.0"], "5.01", "at most 5, not 5.01"),
        ({"kind": "text", "pattern": "[a-z]{2}", "form": "two letters"}, ["ab"], "abc", "must be two letters"),
        ({"kind": "text", "pattern": "[0-9]+", "form": "a text of digits"}, ["12"], 12, "must be a text of digits"),
        ({"kind": "digits"}, ["0", 7.0, "2147483647"], "2147483648", "at most 2147483647"),
        ({"kind": "digits"}, ["007"], "-1", "must be digits"),
        ({"kind": "texts", "choices": ("ivr", "cdr")}, ["ivr", ["cdr"]], ["ivr", "cdt"], "did you mean 'cdr'"),
        ({"kind": "words", "choices": ("on", "off", "1")}, [{"a": "on"}, {"a": 1.0}], {"a": "of"}, "a: 'of' .* 'off'"),
        ({"kind": "words"}, [{"a": "x"}], {"a": 5}, "a: must be text"),
        ({"kind": "entries", "members": {"name": ()}}, [{"1": {"name": "x"}}, {"1": {}}], {"1": "on"}, "1: must be a map"),
        ({"kind": "entries", "members": {"state": ("on",)}}, [{"1": {"state": "on"}}], {"1": {"sate": "on"}}, "mean 'state'"),
        ({"kind": "entries", "members": {"state": ("on",)}}, [{}], {"1": {"state": "om"}}, "1: state: 'om' .* 'on'"),
        ({"kind": "entries", "members": {"name": ()}}, [{}], {"1": {"name": 5}}, "1: name: must be text"),
    ],
)  # fmt: skip
def test_what_a_setting_declares_its_schema_says_too(
    declared: dict[str, Any], good: list[Any], bad: Any, reason: str
):
    declaration = Setting("x", default=None, optional=True, description="X.", **declared)
    schema = jsonschema.Draft202012Validator(setting_schema(declaration))
    for value in good:
        declaration.read(value)
        assert schema.is_valid(value), value
    with pytest.raises(ValueError, match=reason):
        declaration.read(bad)
    assert not schema.is_valid(bad)


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
