from __future__ import annotations

from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.verify.model import Options
from voice_emulator.wire.delivery.grader import suite_ids

PROVIDERS = discover()


SCHEMAS = SchemaSet.load(PROVIDERS)


def test_the_ids_of_a_run_can_be_told_beforehand():
    options = Options(callback_url="http://127.0.0.1:9/cb", seed=5)
    ids = suite_ids(PROVIDERS, SCHEMAS, options)
    assert ids == suite_ids(PROVIDERS, SCHEMAS, options)
    assert set(ids) == set(PROVIDERS)
    assert all(len(found) > 40 for found in ids.values())
