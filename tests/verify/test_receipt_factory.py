"""Pushes are what the providers' own code makes, and satisfy the providers' own schemas."""

from __future__ import annotations

import pytest

from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.verify.model import NotApplicable, Options
from voice_emulator.verify.receipt_factory import ReceiptFactory
from voice_emulator.verify.suite import suite

PROVIDERS = discover()
SCHEMAS = SchemaSet.load(PROVIDERS)
NOW = 1_767_571_200_000_000
#: Checks that send on purpose what the documents do not have.
ODD = {
    "unknown-field", "unknown-cause", "wrong-type", "oversize", "negative-duration", "bad-date", "non-ascii",
    "no-fields", "half-a-body", "wrong-content-type", "wrong-method", "empty-required-field",
    "signature-over-blanks", "signature-case", "unknown-id",
}  # fmt: skip


def factory(provider: str, name: str = "a-check", **options) -> ReceiptFactory:
    given = Options(callback_url="http://127.0.0.1:9/cb", agent_url="http://127.0.0.1:9/agent", **options)
    return ReceiptFactory(PROVIDERS[provider], SCHEMAS, given, name, lambda: NOW)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_receipt_of_every_outcome_satisfies_its_schema(provider, outcome):
    draft = factory(provider).draft(outcome)
    schema = SCHEMAS.get(PROVIDERS[provider].receipts[draft.push.kind].schema)
    assert schema.violations(dict(draft.fields)) == []
    assert draft.call.plan.outcome is outcome


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_letters_of_ordinary_checks_satisfy_their_schemas(provider):
    for check in suite(PROVIDERS[provider]):
        if check.name in ODD:
            continue
        try:
            plan = check.make(
                factory(provider, check.name, shared_key="0123456789abcdef", probe_url="http://x")
            )
        except NotApplicable:
            continue
        for push in (push for stage in plan.stages for push in stage):
            found = SCHEMAS.get(push.kind.schema).violations(dict(push.fields))
            assert found == [], (check.name, found)


def test_ids_depend_on_seed_provider_and_check_alone():
    assert factory("nxcloud").make_id(0) == factory("nxcloud").make_id(0)
    others = [
        factory("nxcloud", seed=2).make_id(0), factory("nxcloud", "b-check").make_id(0), factory("nxcloud").make_id(1),
        factory("infin8linx").make_id(0),
    ]  # fmt: skip
    assert len({factory("nxcloud").make_id(0), *others}) == 5


def test_ids_have_the_form_of_the_provider():
    assert len(factory("nxcloud").make_id(0)) == 32
    serial = factory("huawei_cec").make_id(0)
    assert serial.isdigit()
    assert len(serial) == 19


def test_known_ids_are_used_in_turn():
    known = {"nxcloud": ["a" * 32, "b" * 32]}
    made = factory("nxcloud", known_ids=known)
    assert {made.plain().id, made.plain().id} == set(known["nxcloud"])
    assert made.stranger().plain().id not in known["nxcloud"]


def test_the_repeats_of_a_signed_receipt_have_nonces_of_their_own():
    made = factory("huawei_cec", shared_key="0123456789abcdef")
    draft = made.draft()
    first, second = made.push(draft), made.push(draft)
    assert first.fields["nonce"] != second.fields["nonce"]
    assert first.id == second.id


def test_agent_letters_need_a_receiver():
    made = ReceiptFactory(
        PROVIDERS["nxcloud"], SCHEMAS, Options(callback_url="http://127.0.0.1:9/"), "x", lambda: NOW
    )
    with pytest.raises(NotApplicable, match="agent-url"):
        made.plain(operation="makecall")
