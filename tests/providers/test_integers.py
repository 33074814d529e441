"""Every integer that leaves here fits the 32 bits in which typed clients hold it, or its schema says why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from voice_emulator.core.integers import LARGEST, number_or_text
from voice_emulator.core.ledger import FIRST_RECORD
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet

PROVIDERS = discover()
SCHEMAS = SchemaSet.load(PROVIDERS)
#: What the ``$comment`` of an integer begins with that does not fit, and the only ones there are.
EXCUSE = "Not a 32-bit integer"
EXCUSED = {"reqtime", "rsptime", "uploaddate", "auditdate"}


def outgoing(provider: Provider) -> Iterator[str]:
    """Names of the schemas of everything a provider sends."""
    yield from (operation.reply for operation in provider.operations.values())
    yield from (kind.schema for kind in provider.receipts.values())


SENT = sorted({name for provider in PROVIDERS.values() for name in outgoing(provider)})


def integers(schema: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, schema) of every integer in a schema, at any depth."""
    if isinstance(schema, dict):
        kinds = schema.get("type")
        if "integer" in (kinds if isinstance(kinds, list) else [kinds]):
            yield name, schema
        for key, part in schema.items():
            if key not in ("examples", "enum", "const"):
                yield from integers(part, key)
    elif isinstance(schema, list):
        for part in schema:
            yield from integers(part, name)


def values(instance: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(name, value) of every leaf of a JSON value."""
    if isinstance(instance, dict):
        for key, part in instance.items():
            yield from values(part, key)
    elif isinstance(instance, list):
        for part in instance:
            yield from values(part, name)
    else:
        yield name, instance


@pytest.mark.parametrize("name", SENT)
def test_every_integer_is_bounded_by_32_bits_or_says_why_not(name: str) -> None:
    for field, schema in integers(SCHEMAS.get(name).document):
        if schema.get("$comment", "").startswith(EXCUSE):
            assert field in EXCUSED
            continue
        numbers = [
            value for value in schema.get("enum", [schema.get("const", LARGEST)]) if isinstance(value, int)
        ]
        assert max(numbers) <= LARGEST, field
        assert "enum" in schema or "const" in schema or schema["maximum"] <= LARGEST, field


@pytest.mark.parametrize("name", SENT)
def test_the_samples_keep_to_it(name: str) -> None:
    for example in SCHEMAS.get(name).examples:
        for field, value in values(example):
            if isinstance(value, int) and field not in EXCUSED:
                assert -LARGEST - 1 <= value <= LARGEST, field


@pytest.mark.parametrize(
    ("provider", "setting"),
    [
        (name, each.name)
        for name, provider in PROVIDERS.items()
        for each in provider.settings.settings.values()
        if each.kind == "integer"
    ],
)
@pytest.mark.parametrize("value", [2**31, 10**18, "2147483648", "9" * 19])
def test_no_setting_makes_a_larger_one(provider: str, setting: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"{setting}: must (be at most|lie between|.*between)"):
        PROVIDERS[provider].read_settings({setting: value})


@pytest.mark.parametrize("cycle", [2**31, "9999999999"])
def test_no_tariff_does(cycle: object) -> None:
    with pytest.raises(ValueError, match=f"tariff: must be at most {LARGEST}"):
        PROVIDERS["nxcloud"].read_settings({"tariff": {"cycle": cycle, "price": "1"}})


@pytest.mark.parametrize("code", ["2147483648", "99999999999", "", "12a", "-1", "١٢"])
def test_a_company_code_is_a_number_too(code: str) -> None:
    """Text in the newer bodies, a number in the older ones and in Login's table."""
    with pytest.raises(ValueError, match="company_code: must be digits, at most 2147483647"):
        PROVIDERS["infin8linx"].read_settings({"company_code": code})


@pytest.mark.parametrize(
    ("text", "shown"),
    [("0", 0), ("1", 1), ("2147483647", 2147483647), ("2147483648", "2147483648"), ("9" * 5000, "9" * 5000),
     ("", ""), ("00", "00"), ("-1", "-1"), ("1.0", "1.0"), ("*", "*"), ("²", "²"), ("１", "１"), (" 1", " 1")],
)  # fmt: skip
def test_a_number_says_the_same_as_its_text_or_the_text_stays(text: str, shown: object) -> None:
    assert number_or_text(text) == shown
    assert str(number_or_text(text)) == text


def test_two_billion_records_fit() -> None:
    assert len(str(FIRST_RECORD)) == 7
    assert LARGEST - FIRST_RECORD > 2 * 10**9


@pytest.mark.parametrize("name", SENT)
def test_examples_survive_a_reader_that_knows_only_doubles(name: str) -> None:
    for example in SCHEMAS.get(name).examples:
        assert json.loads(json.dumps(example), parse_int=float) == example
