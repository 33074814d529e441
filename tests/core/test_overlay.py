from __future__ import annotations

from voice_emulator.core.overlay import laid_over
from voice_emulator.core.scenario import ReceiptEffect, ReplyEffect, Rule

LOST = Rule("mutant", receipt=ReceiptEffect(lost=True))


def test_a_receipt_is_joined_and_the_overlay_wins():
    below = Rule("own", receipt=ReceiptEffect(copies=2, corrupt="empty", set=(("a", "1"),), drop=("b",)))
    above = Rule("mutant", receipt=ReceiptEffect(corrupt="wrong_id", set=(("c", "2"),)))
    joined = laid_over(below, above)
    assert joined.name == "mutant"
    assert joined.receipt == ReceiptEffect(
        copies=2, corrupt="wrong_id", set=(("a", "1"), ("c", "2")), drop=("b",)
    )


def test_without_a_receipt_below_nothing_is_joined():
    assert laid_over(None, LOST) is LOST
    assert laid_over(Rule("own", reply=ReplyEffect(error="x")), LOST) is LOST
