"""What a provider accepts and pushes by its rehearsal is what its schemas and its traffic port say."""

from __future__ import annotations

from functools import cache

import pytest

from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.examples import SAMPLE_NUMBER
from voice_emulator.providers.registry import built_in
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.control.document.rehearsal import Rehearsal, leaves

PROVIDERS = built_in()
EACH = pytest.mark.parametrize("provider", PROVIDERS)


@cache
def rehearsal(provider: str) -> Rehearsal:
    return Rehearsal(PROVIDERS[provider], schemas())


@cache
def schemas() -> SchemaSet:
    return SchemaSet.load(PROVIDERS)


@EACH
def test_needed_are_at_least_the_required_fields_of_the_schema(provider: str):
    for operation in PROVIDERS[provider].operations.values():
        required = set(schemas().get(operation.request).document.get("required", ()))
        assert required <= set(rehearsal(provider).needed(operation)), operation.name


@EACH
def test_every_sample_is_accepted_by_post(provider: str):
    for operation in PROVIDERS[provider].operations.values():
        assert "POST" in rehearsal(provider).methods(operation), operation.name


@EACH
def test_every_call_pushes_what_its_schema_says_about_the_sample_number(provider: str):
    played = rehearsal(provider)
    for operation in PROVIDERS[provider].operations.values():
        for outcome in Outcome if operation.places_calls else ():
            play = played.play(operation, outcome)
            assert play is not None
            assert play.call is not None
            assert (play.call.plan.outcome, play.call.number) == (outcome, SAMPLE_NUMBER)
            assert play.pushes
            for kind, (fields, sent) in play.pushes.items():
                schema = schemas().get(PROVIDERS[provider].receipts[kind].schema)
                assert schema.violations(fields) == []
                assert SAMPLE_NUMBER in map(str, fields.values())
                assert sent.method == "POST"


def test_needed_includes_what_only_another_field_makes_necessary():
    operation = PROVIDERS["infin8linx"].operations["PlayVoice"]
    assert {"appid", "accesskey", "nationcode"} <= set(rehearsal("infin8linx").needed(operation))


def test_methods_leave_out_what_a_setting_would_have_to_allow():
    operation = PROVIDERS["infin8linx"].operations["Login"]
    assert operation.methods == {"GET", "POST"}
    assert rehearsal("infin8linx").methods(operation) == ["POST"]


def test_a_push_to_the_receiver_of_an_upload_follows_it():
    assert rehearsal("huawei_cec").pushed["review"].name == "importVoiceFile"


def test_leaves_have_dotted_places():
    assert dict(leaves({"a": {"b": 1, "c": [{"d": 2}]}, "e": None})) == {"a.b": 1, "a.c.0.d": 2, "e": None}
