"""What a run of a cluster leaves behind: who sent what, what arrived where and when, and what was done to the replicas.

All times are seconds of ``time.time()``, which the emulators' clocks follow too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

#: A rule of the cluster's scenario pushes the receipts of these numbers twice.
TWICE = "77"


def number(index: int, *, twice: bool = False) -> str:
    """A number that nobody else dials; ``twice``: its receipt comes twice, by a rule."""
    return f"6281{index:08d}{TWICE if twice else '19'}"


def pushes_allowed(dialled: str) -> int:
    """How many pushes of its receipt the scenario asks for."""
    return 2 if dialled.endswith(TWICE) else 1


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch, and what the client knows about it: ``accepted``, ``refused`` (by whom, in ``said``), or ``unknown``."""

    tenant: str
    provider: str
    numbers: tuple[str, ...]
    at: float
    result: str
    said: str = ""


@dataclass(slots=True)
class Arrival:
    """One push at the receiver, in the order of arrival: who pushed it, and when it was answered (None: never)."""

    order: int
    at: float
    by: str
    tenant: str
    provider: str
    number: str
    answered: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What was done to a replica: ``SIGKILL``, ``SIGTERM`` or ``SIGSTOP``, and the tenants that it owned then."""

    at: float
    kind: str
    replica: str
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Seconds from a fault to the first reply about a tenant that another replica gave, and how late we were ourselves.

    ``late`` is the longest time in between for which the process that measured did not get the processor.
    """

    tenant: str
    fault: Fault
    seconds: float
    late: float


@dataclass(frozen=True, slots=True)
class Books:
    """Conservation of one provider of one tenant, as ``GET .../report`` has it."""

    accepted: int
    fates: dict[str, int]
    balanced: bool


@dataclass(slots=True)
class History:
    """Everything that happened."""

    sent: list[Sent] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    #: Times at which a replica said that it lost its lease, or could not reach the store.
    lapses: list[float] = field(default_factory=list)
    take_overs: list[TakeOver] = field(default_factory=list)
    #: Sentences about what went wrong at once: a clock that ran back, a traceback.
    complaints: list[str] = field(default_factory=list)

    def numbers(self, result: str) -> dict[str, Sent]:
        """The numbers of all batches with this result."""
        return {each: sent for sent in self.sent if sent.result == result for each in sent.numbers}

    def summary(self) -> Counter[str]:
        """How many numbers there are by result."""
        return Counter(sent.result for sent in self.sent for _ in sent.numbers)


@dataclass(slots=True)
class Outcome:
    """What the replicas say in the end: the books by tenant and provider, all calls, and the uncertain pushes listed.

    ``calls`` are states by number, one for each call; ``uncertain`` are tenants and calls, and when they were sent.
    """

    books: dict[tuple[str, str], Books] = field(default_factory=dict)
    calls: dict[str, list[str]] = field(default_factory=dict)
    uncertain: list[tuple[str, str, float]] = field(default_factory=list)
    #: By replica: how many tenants it lists, the numbers accepted by all of them together, and whether all balance.
    together: dict[str, tuple[int, int, bool]] = field(default_factory=dict)
