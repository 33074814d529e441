"""The schemas: complete, described, their examples true, and telling right from wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.providers.nxcloud.customer import GOOD
from voice_emulator.providers.nxcloud import PROVIDER
from voice_emulator.schemas.validate import SchemaSet

SCHEMAS = {schema.name: schema for schema in SchemaSet.load({"nxcloud": PROVIDER})}
NAMES = sorted(SCHEMAS)


def test_every_operation_and_receipt_has_its_schemas() -> None:
    wanted = {
        name for operation in PROVIDER.operations.values() for name in (operation.request, operation.reply)
    }
    wanted |= {kind.schema for kind in PROVIDER.receipts.values()}
    assert wanted == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_valid(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema.examples
    for example in schema.examples:
        assert schema.violations(example) == []
        assert list(schema.explain(example)) == []


@pytest.mark.parametrize("name", NAMES)
def test_properties_are_described_and_sourced(name: str) -> None:
    document = SCHEMAS[name].document
    assert document["$id"] == f"voice-emulator:{name}"
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["title"]
    assert document["description"]
    assert "wiki)" in document["$comment"]
    for field, schema in document["properties"].items():
        assert schema["description"], field
        assert schema["x-provenance"] in ("documented", "inferred", "choice"), field


@pytest.mark.parametrize("name", NAMES)
def test_direction_decides_about_unknown_fields(name: str) -> None:
    schema = SCHEMAS[name]
    extended = {**schema.examples[0], "unknown_field": "x"}
    assert schema.accepts(extended) is name.endswith(".request")


def patterns(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for keyword, value in node.items():
            if keyword == "pattern":
                yield value
            elif keyword != "examples":
                yield from patterns(value)
    elif isinstance(node, list):
        for each in node:
            yield from patterns(each)


@pytest.mark.parametrize("name", NAMES)
def test_patterns_are_anchored_and_ascii(name: str) -> None:
    for pattern in patterns(SCHEMAS[name].document):
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        assert pattern.isascii()
        assert not re.search(r"\\[dDwWsSbB]", pattern)


@pytest.mark.parametrize("name", NAMES)
def test_required_fields_are_required(name: str) -> None:
    schema = SCHEMAS[name]
    for example in schema.examples:
        for field in schema.document.get("required", ()):
            assert not schema.accepts({key: value for key, value in example.items() if key != field}), field


REFUSED = [
    ("gpsend", "phone", ["", "1234", "1" * 21, "+6212345678", "6212345678;", "6212345678,",
                         "٦٢١٢٣٤٥٦٧٨", "62123456 78", "6212345678\n"]),
    ("versend", "phone", ["6212345678,6212345679", "", "12"]),
    ("gpsend", "country_code", ["", "+62", "0", "62a", "12345"]),
    ("gpsend", "show_phone", ["", "+1", "anonymous"]),
    ("gpsend", "url", ["", "file:///x.mp3", "nxcloud.com/x.mp3", "http://a b"]),
    ("gpsend", "task_time", ["2026-01-05", "2026-13-05 10:00:00",
                             "2026-01-05T10:00:00", "1999-01-05 10:00:00"]),
    ("gpsend", "time_zone", ["+8", "15", "-15", "8.5", "UTC"]),
    ("gpsend", "sched_hangup", ["-1", "1.5", "100000"]),
    ("versend", "lang", ["", "EN", "zh-CN"]),
    ("conversion", "status", [2, -1, "1", 1.5, True, None]),
    ("getVoiceCdr", "voiceType", ["", "2", "group"]),
    ("getVoiceCdr", "page", ["0", "-1", "1.0", ""]),
    ("getSipCdr", "page_size", ["0", "1001"]),
    ("getSipCdrByOrderid", "orderid", ["", ",", "a,", ",".join(["x"] * 21), None]),
]  # fmt: skip
ACCEPTED = [
    ("gpsend", "phone", ["12345", "1" * 20, ",".join(["6212345678"] * 5000)]),
    ("gpsend", "time_zone", ["8", "08", "-12", "0", "14", ""]),
    ("gpsend", "sched_hangup", ["", "0", "99999"]),
    ("gpsend", "country_code", ["1", "62", "1868"]),
    ("getSipCdr", "page_size", ["1", "999", "1000"]),
    ("getSipCdrByOrderid", "orderid", [1001233, "a-b_c", ",".join(["x"] * 20)]),
    ("notsend", "lang", ["", "zh-yue"]),
]


@pytest.mark.parametrize(("operation", "field", "values"), REFUSED)
def test_refused_values(operation: str, field: str, values: list[Any]) -> None:
    schema = SCHEMAS[f"nxcloud/{operation}.request"]
    for value in values:
        instance = {**GOOD[operation], field: value}
        assert not schema.accepts(instance), value
        assert field in {violation.field for violation in schema.violations(instance)}, value


@pytest.mark.parametrize(("operation", "field", "values"), ACCEPTED)
def test_accepted_values(operation: str, field: str, values: list[Any]) -> None:
    schema = SCHEMAS[f"nxcloud/{operation}.request"]
    for value in values:
        assert schema.violations({**GOOD[operation], field: value}) == [], value


def test_send_replies_have_one_text_and_an_id_exactly_on_success() -> None:
    schema = SCHEMAS["nxcloud/gpsend.reply"]
    good = {"result": "Request succeeded", "messageid": "2" * 32, "code": "0"}
    assert schema.accepts(good)
    for wrong in (
        {**good, "message": "Success"}, {**good, "messageid": ""}, {**good, "code": "2"}, {**good, "code": 0},
        {"messageid": "2" * 32, "code": "0"},
    ):  # fmt: skip
        assert not schema.accepts(wrong)


def test_secrets_are_marked() -> None:
    for operation in PROVIDER.operations.values():
        schema = SCHEMAS[operation.request]
        expected = {"secretkey", "password", "token"} & set(schema.document["properties"])
        assert schema.secrets == expected
    assert SCHEMAS["nxcloud/token.reply"].secrets == {"token"}
