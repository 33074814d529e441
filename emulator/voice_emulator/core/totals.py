"""Totals of a tenant, updated as things happen, so that they stay right when entries are forgotten."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from voice_emulator.core.calls import Call
from voice_emulator.core.vocabulary import PushOutcome


class Totals:
    """Counters of everything since the last reset.

    ``calls`` counts by (provider, outcome), ``causes`` by (provider, cause name), ``requests`` by
    (provider, operation), ``codes`` by (provider, operation, wire code), ``pushes`` by (provider,
    outcome), ``faults`` by name; ``charged`` sums charges by provider.
    """

    __slots__ = ("accepted", "calls", "causes", "charged", "codes", "dropped", "faults", "pushes", "requests")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Back to zero."""
        self.accepted: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.calls: Counter[tuple[str, str]] = Counter()
        self.causes: Counter[tuple[str, str]] = Counter()
        self.requests: Counter[tuple[str, str]] = Counter()
        self.codes: Counter[tuple[str, str, str]] = Counter()
        self.pushes: Counter[tuple[str, str]] = Counter()
        self.faults: Counter[str] = Counter()
        self.charged: dict[str, Decimal] = {}

    def placed(self, provider: str, count: int) -> None:
        """``count`` numbers were accepted."""
        self.accepted[provider] += count

    def ended(self, call: Call) -> None:
        """A call ended, or was dropped before it was dialled."""
        provider = call.submission.provider
        if call.dropped:
            self.dropped[provider] += 1
            return
        self.calls[provider, call.plan.outcome] += 1
        if call.bill is not None:
            self.charged[provider] = self.charged.get(provider, Decimal(0)) + call.bill.charge

    def pushed(self, provider: str, outcome: PushOutcome) -> None:
        """An attempt of a push ended."""
        self.pushes[provider, outcome] += 1
