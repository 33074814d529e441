"""Contract findings: where the client under test, or its receiver, broke the contract.

A finding names a stable rule and the provider page that states it. Findings are kept bounded per
rule, counts are kept for ever (until reset).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]

FINDING_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach: INTERFACE section 7, ``violations``. ``entry`` is the journal entry that shows it."""

    rule: str
    severity: Severity
    provider: str
    operation: str
    message: str
    source: str
    entry: int | None = None
    at: int = 0
    call_id: str | None = None

    @property
    def weight(self) -> int:
        """Bytes held on to, roughly."""
        return 200 + len(self.message)

    def shown(self) -> dict[str, Any]:
        """The finding as the control API shows it."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "provider": self.provider,
            "operation": self.operation,
            "entry": self.entry,
            "call_id": self.call_id,
            "message": self.message,
            "source": self.source,
        }


class Findings:
    """The findings of one tenant, oldest first.

    What is entered stays. ``derived`` works out those that follow from the present state, such as a call whose
    end the client does not know; they go away when that changes. ``memory`` is what the rules remember of the
    tenant; its type is theirs, and it goes with the findings.
    """

    __slots__ = ("_findings", "counts", "derived", "dropped", "memory")

    def __init__(self) -> None:
        """Start with none."""
        self._findings: list[Finding] = []
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.dropped = 0
        self.derived: Callable[[], list[Finding]] = list
        self.memory: object = None

    def all(self) -> list[Finding]:
        """The entered findings, then the derived ones."""
        return [*self._findings, *self.derived()]

    def __len__(self) -> int:
        return len(self._findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def __getitem__(self, index: int) -> Finding:
        return self._findings[index]

    def add(self, finding: Finding) -> None:
        """Keep a finding; past :data:`FINDING_LIMIT` only its count is kept."""
        self.counts[finding.rule, finding.provider, finding.severity] += 1
        if len(self._findings) < FINDING_LIMIT:
            self._findings.append(finding)
        else:
            self.dropped += 1

    def clear(self) -> None:
        """Forget all findings, and what the rules remember."""
        self.memory = None
        self._findings.clear()
        self.counts.clear()
        self.dropped = 0
