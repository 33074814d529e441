from __future__ import annotations

from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.providers.spoiling import spoil

FIELDS = {"id": "ab1", "second": 20, "rate": 0.5, "cause": "BUSY"}


def test_spoiled_fields_are_the_fields_themselves_when_the_effect_spoils_nothing():
    assert spoil(FIELDS, ReceiptEffect(copies=2), {}) is FIELDS


def test_set_keeps_json_types_and_spares_fields_the_receipt_lacks():
    effect = ReceiptEffect(set=(("second", "3"), ("rate", "0.25"), ("cause", "OTHER"), ("unknown", "x")))
    assert spoil(FIELDS, effect, {}) == {"id": "ab1", "second": 3, "rate": 0.25, "cause": "OTHER"}


def test_a_repeat_may_say_something_else():
    effect = ReceiptEffect(copies=3, set=(("cause", "A"),), repeat_set=(("cause", "B"),))
    assert [spoil(FIELDS, effect, {}, copy)["cause"] for copy in (0, 1, 2)] == ["A", "B", "B"]


def test_add_puts_fields_last_and_leaves_those_that_are_there():
    effect = ReceiptEffect(add=(("trace", "7"), ("cause", "OTHER")))
    spoilt = spoil(FIELDS, effect, {})
    assert spoilt == {**FIELDS, "trace": "7"}
    assert list(spoilt)[-1] == "trace"


def test_drop_and_corrupt():
    effect = ReceiptEffect(drop=("cause",), corrupt="wrong_id")
    assert spoil(FIELDS, effect, {"wrong_id": "id"}) == {"id": "bc2", "second": 20, "rate": 0.5}
    assert spoil(FIELDS, ReceiptEffect(corrupt="wrong_id"), {"empty": "id"}) == FIELDS


def test_overcharge_counts_one_cycle_more_in_the_type_of_the_field():
    effect = ReceiptEffect(corrupt="overcharge")
    assert spoil({"size": "2"}, effect, {"overcharge": "size"}) == {"size": "3"}
    assert spoil({"size": 2}, effect, {"overcharge": "size"}) == {"size": 3}
