"""Contract findings: where the client under test, or its receiver, broke the contract.

A finding names a stable rule and the provider page that states it. The number of findings kept is bounded; counts are
complete since the last reset.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from voice_emulator.core.listeners import Listeners
from voice_emulator.core.values import plain_value
from voice_emulator.core.vocabulary import Severity

FINDING_LIMIT = 10_000


@plain_value
class Finding:
    """One violation (INTERFACE section 7). ``entry`` is the journal entry that shows it."""

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
        """Bytes in memory, roughly."""
        return 200 + len(self.message)

    def shown(self) -> dict[str, Any]:
        """The finding as the control API shows it."""
        from voice_emulator.core.shapes import Violation

        return Violation.shown(
            rule=self.rule, severity=self.severity, provider=self.provider, operation=self.operation, entry=self.entry,
            call_id=self.call_id, message=self.message, source=self.source, at=self.at or None,
        )  # fmt: skip


class Findings:
    """The findings of one tenant, oldest first.

    Findings that were added stay. Derived ones follow from the present state, such as a call whose end the client
    never learned; they go away when that changes. ``memory`` is what the rules remember of the
    tenant; its type is theirs, and it is cleared with the findings.
    """

    __slots__ = ("_findings", "_listeners", "counts", "memory")

    def __init__(self, listeners: Listeners | None = None) -> None:
        self._listeners = listeners or Listeners()
        self._findings: list[Finding] = []
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.memory: object = None

    def derived(self) -> list[Finding]:
        """The findings that follow from the present state."""
        return [finding for derive in self._listeners.derive_findings for finding in derive()]

    def all(self) -> list[Finding]:
        """The added findings, then the derived ones."""
        return [*self._findings, *self.derived()]

    def __len__(self) -> int:
        return len(self._findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def add(self, finding: Finding) -> None:
        """Keep a finding; past :data:`FINDING_LIMIT` only count it."""
        self.counts[finding.rule, finding.provider, finding.severity] += 1
        if len(self._findings) < FINDING_LIMIT:
            self._findings.append(finding)

    def restore(self, findings: Iterable[Finding], counts: Mapping[tuple[str, str, str], int]) -> None:
        """Set findings and counts, as they were kept."""
        self._findings = list(findings)
        self.counts = Counter(counts)

    def clear(self) -> None:
        """Forget all findings, and what the rules remember."""
        self.memory = None
        self._findings.clear()
        self.counts.clear()
