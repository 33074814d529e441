"""What is laid over every scenario of a process: rules and settings that act in addition to it.

The scenario itself stays as it is. Where both have an effect of the same kind, that of the overlay wins; a ``receipt`` is
joined with the scenario's, so that a test which asks for a repeated receipt still gets one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, replace
from typing import Any

from voice_emulator.core.scenario import PLAIN_RECEIPT, ReceiptEffect, Rule
from voice_emulator.core.values import plain_value

#: Members of a receipt effect that are lists: those of both count.
_LISTS = ("set", "repeat_set", "add", "drop")


@plain_value
class Overlay:
    """Rules, and settings by provider id, which win over those of the tenant."""

    rules: tuple[Rule, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


NO_OVERLAY = Overlay()


def laid_over(below: Rule | None, above: Rule) -> Rule:
    """``above`` with the ``receipt`` of ``below`` where its own says nothing; its name and the rest are its own."""
    if below is None or below.receipt is None or above.receipt is None:
        return above
    return replace(above, receipt=_joined(below.receipt, above.receipt))


def _joined(below: ReceiptEffect, above: ReceiptEffect) -> ReceiptEffect:
    own: dict[str, Any] = {
        each.name: getattr(above, each.name)
        for each in fields(above)
        if getattr(above, each.name) != getattr(PLAIN_RECEIPT, each.name)
    }
    for name in _LISTS:
        if name in own:
            own[name] = (*getattr(below, name), *own[name])
    return replace(below, **own)
