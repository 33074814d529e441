"""Sentences that the formats share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from voice_emulator.core.vocabulary import Fate
from voice_emulator.core.words import counted

__all__ = ["called", "counted", "fails", "fate_words", "verdict_line", "where"]


def verdict_line(summary: Mapping[str, Any]) -> str:
    """The verdict in one sentence."""
    errors, warnings = summary["errors"], summary["warnings"]
    if errors:
        return f"{counted(errors, 'violation')} of the contract, {counted(warnings, 'warning')}."
    if not summary["judged"]:
        return "No request was judged: this run says nothing about the client."
    if warnings:
        return f"No violation of the contract, {counted(warnings, 'warning')}."
    return "No violation of the contract."


def fails(summary: Mapping[str, Any], fail_on: str = "error", *, allow_empty: bool = False) -> bool:
    """Whether a run fails: a finding at or above ``fail_on`` (error, warning, never), or nothing judged."""
    if not summary["judged"] and not allow_empty:
        return True
    found = summary["errors"] + (summary["warnings"] if fail_on == "warning" else 0)
    return bool(found) and fail_on != "never"


def called(group: Mapping[str, Any], limit: int) -> str:
    """The calls of a group by id, at most ``limit`` of them; empty when it has none."""
    return listed(group["calls"][:limit], group["calls_counted"])


def listed(names: Sequence[str], of: int) -> str:
    """``a, b and 3 more``."""
    return ", ".join(names) + (f" and {of - len(names):,} more" if of > len(names) else "")


def where(finding: Mapping[str, Any]) -> str:
    """Where a finding is: its operation and its journal entry."""
    entry = f"entry {finding['entry']}" if finding["entry"] is not None else ""
    return ", ".join(part for part in (finding["operation"], entry) if part)


#: The columns of :func:`charges`. What was told is compared with the ledger of the same calls, not of all.
CHARGES = (
    "provider", "ledger, all calls", "receipts", "ledger, same calls", "queries", "ledger, same calls", "agree",
)  # fmt: skip


def charges(providers: Mapping[str, Any]) -> list[list[str]]:
    """What calls cost and what the client was told, a row for each provider that charged anything."""
    return [
        [
            name, sums["ledger"], *_told(sums, "receipts"), *_told(sums, "queries"), "yes" if sums["agree"] else "no",
        ]
        for name, sums in ((name, each["charges"]) for name, each in providers.items())
        if sums["ledger"] != "0"
    ]  # fmt: skip


def _told(sums: Mapping[str, Any], by: str) -> tuple[str, str]:
    return ("-", "-") if sums[by] is None else (sums[by], sums[f"{by}_due"])


def by_provider(group: Mapping[str, Any]) -> str:
    """The providers of a group, each with its count."""
    return ", ".join(f"{name} {count:,}" for name, count in group["providers"].items())


def fate_counts(accounts: Mapping[str, Any]) -> str:
    """``60 acknowledged, 5 orphans``: the fates of the accepted numbers that occur."""
    return ", ".join(
        counted(accounts[fate], fate) if fate == Fate.ORPHAN.value else f"{accounts[fate]:,} {fate}"
        for fate in fate_words()
        if accounts[fate]
    )


def fate_words() -> dict[str, str]:
    """Every fate of an accepted number, and what it means."""
    return {
        Fate.ACKNOWLEDGED.value: "a push of its receipt was acknowledged",
        Fate.RECONCILED.value: "no push was acknowledged, but a record query of the client showed the call",
        Fate.PENDING.value: "the call goes on, or a push is still due",
        Fate.UNCERTAIN.value: "a push was on the wire when the emulator stopped",
        Fate.ORPHAN.value: "ended; the client never learned how",
        Fate.DROPPED.value: "taken out of the queue before it was dialled",
    }
