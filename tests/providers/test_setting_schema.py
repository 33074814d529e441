from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from voice_emulator.providers.registry import discover
from voice_emulator.providers.setting_schema import setting_schema
from voice_emulator.providers.settings import Setting

SETTINGS = [
    pytest.param(setting, id=f"{provider.id}.{setting.name}")
    for provider in discover().values()
    for setting in provider.settings.settings.values()
]
#: Values of every kind that JSON and a scenario file may hold.
VALUES: list[Any] = [
    True, False, "true", "No", "on", 0, 1, -1, "7", "-7", "07", 1.5, "1.5", "x", "", [], ["a"], [1], {}, {"cycle": 6},
    {"price": "0.1"}, {"cycle": "x"}, {"unheard": 1}, {"62": {"cycle": 6}}, "2030-01-01 00:00:00",
]  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS)
def test_schema_of_a_setting_refuses_nothing_that_the_setting_reads(setting: Setting):
    """An editor that knows the schema must not complain of a file that loads."""
    schema = jsonschema.Draft202012Validator(setting_schema(setting))
    jsonschema.Draft202012Validator.check_schema(schema.schema)
    assert schema.is_valid(None)
    assert schema.is_valid(setting.default)
    for value in (*VALUES, *setting.choices):
        try:
            setting.read(value)
        except ValueError:
            continue
        # Words of other cases are read too; the schema proposes lower case.
        assert schema.is_valid(
            value.lower() if setting.kind == "boolean" and isinstance(value, str) else value
        ), value


def test_schema_of_a_setting_says_what_it_is_and_where_it_comes_from():
    shown = setting_schema(
        Setting("limit", "integer", 5, "How many.", "documented", minimum=1, source="page")
    )
    assert (shown["description"], shown["default"], shown["x-provenance"], shown["x-source"]) == (
        "How many.", 5, "documented", "page",
    )  # fmt: skip
    assert not jsonschema.Draft202012Validator(shown).is_valid(0)
    assert "x-source" not in setting_schema(Setting("limit", "integer", 5, "How many."))
    numeric = setting_schema(Setting("mode", "choice", "1", "Which.", choices=("1", "2", "01", "x")))
    validator = jsonschema.Draft202012Validator(numeric)
    assert [validator.is_valid(value) for value in (1, 2, "01", "x", 3, "3")] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
