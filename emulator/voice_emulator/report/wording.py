"""Sentences that the formats share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.core.vocabulary import Fate


def counted(count: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def verdict_line(summary: Mapping[str, Any]) -> str:
    """The verdict in one sentence."""
    errors, warnings = summary["errors"], summary["warnings"]
    if errors:
        return f"{counted(errors, 'violation')} of the contract, {counted(warnings, 'warning')}."
    if warnings:
        return f"No violation of the contract, {counted(warnings, 'warning')}."
    return "No violation of the contract."


def fate_words() -> dict[str, str]:
    """Every fate of an accepted number, and what it means."""
    return {
        Fate.ACKNOWLEDGED.value: "a push of its receipt was acknowledged",
        Fate.RECONCILED.value: "no push was, but the client's record query showed it",
        Fate.PENDING.value: "it goes on, or a push is still due",
        Fate.UNCERTAIN.value: "a push was on the wire when the emulator stopped",
        Fate.ORPHAN.value: "over, and nobody on the client's side knows how",
        Fate.DROPPED.value: "taken out of the queue undialled",
    }
