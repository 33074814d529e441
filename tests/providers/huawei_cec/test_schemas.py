from __future__ import annotations

import pytest

from voice_emulator.providers.huawei_cec import PROVIDER
from voice_emulator.schemas.validate import SchemaSet

SCHEMAS = SchemaSet.load({"huawei_cec": None})
NAMES = sorted(schema.name for schema in SCHEMAS)
#: What a request may be, beyond its examples: each with the place of the first violation, None when valid.
PLAYED = {"called": "1", "playList": [{"voiceId": None, "templateId": "t"}]}
INSTANCES = [
    ("createVoiceNotification.request", {"called": "+86*#1", "playList": [{"voiceFileName": "a"}]}, None),
    ("createVoiceNotification.request", PLAYED, None),
    ("createVoiceNotification.request", {"called": "1", "playList": [{"voiceId": "1"}], "priority": 3}, None),
    ("createVoiceNotification.request", {"called": "1" * 33, "playList": [{"voiceId": "1"}]}, "/called"),
    ("createVoiceNotification.request", {"called": "1\n", "playList": [{"voiceId": "1"}]}, "/called"),
    ("createVoiceNotification.request", {"called": "1", "playList": [{"voiceId": ""}]}, "/playList/0"),
    ("createVoiceNotificationV1.request", {"called": "1", "voiceContent": "$a~b$~12~$c$"}, None),
    ("createVoiceNotificationV1.request", {"called": "1", "voiceContent": "12~~13"}, "/voiceContent"),
    ("createVoiceNotificationV1.request", {"called": "1", "voiceContent": "$open"}, "/voiceContent"),
    ("release.receipt", {"callSerialNo": "1", "called": "1"}, None),
    ("release.receipt", {"callSerialNo": "1", "called": "1", "nonce": "5"}, ""),
    ("release.receipt", {"callSerialNo": "1", "called": "1", "extra": "5"}, "/extra"),
    ("release.receipt", {"callSerialNo": "1", "called": "1", "releaseReason": "2"}, "/releaseReason"),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_documented_and_its_examples_hold(name: str) -> None:
    schema = SCHEMAS.get(name)
    document = schema.document
    assert document["$id"] == f"voice-emulator:{name}"
    assert document["title"]
    assert document["description"]
    assert "cec_0" in document["$comment"]
    assert schema.examples
    for example in schema.examples:
        assert schema.violations(example) == []
        assert list(schema.explain(example)) == []


@pytest.mark.parametrize("name", NAMES)
def test_requests_admit_more_and_what_we_send_does_not(name: str) -> None:
    schema = SCHEMAS.get(name)
    example = {**schema.examples[0], "somethingNew": "x"}
    assert schema.accepts(example) is name.endswith(".request")


@pytest.mark.parametrize("name", NAMES)
def test_every_property_says_what_it_is_and_how_certain(name: str) -> None:
    def properties(schema):
        if isinstance(schema, dict):
            for field, part in schema.get("properties", {}).items():
                if "type" in part and schema.get("additionalProperties") is not None:
                    yield field, part
            for part in schema.values():
                yield from properties(part)
        elif isinstance(schema, list):
            for part in schema:
                yield from properties(part)

    for field, part in properties(SCHEMAS.get(name).document):
        assert part.get("description"), field
        assert part.get("x-provenance") in ("documented", "inferred", "choice"), field


@pytest.mark.parametrize(("name", "instance", "place"), INSTANCES)
def test_both_validators_agree_on(name: str, instance: object, place: str | None) -> None:
    schema = SCHEMAS.get(f"huawei_cec/{name}")
    explained = [violation.pointer for violation in schema.explain(instance)]
    assert schema.accepts(instance) is (not explained)
    assert explained[0] == place if place is not None else not explained


def test_every_operation_and_receipt_has_its_schemas_and_no_schema_is_left_over() -> None:
    wanted = {
        name for operation in PROVIDER.operations.values() for name in (operation.request, operation.reply)
    }
    wanted |= {kind.schema for kind in PROVIDER.receipts.values()}
    assert wanted == set(NAMES)
