"""The contract rules that hold for every provider; a provider's own are in its ``findings.py``."""

from __future__ import annotations

from collections.abc import Iterable

from voice_emulator.contract.rules import credentials, derived, pushes, queries, requests, submissions
from voice_emulator.providers.contract import FindingRule
from voice_emulator.providers.provider import Provider

GENERAL: tuple[FindingRule, ...] = (
    *requests.RULES, *credentials.RULES, *submissions.RULES, *queries.RULES, *pushes.RULES, *derived.RULES,
)  # fmt: skip


def all_rules(providers: Iterable[Provider]) -> tuple[FindingRule, ...]:
    """The general rules, then those of each provider."""
    return (*GENERAL, *(rule for provider in providers for rule in provider.contract.rules))
