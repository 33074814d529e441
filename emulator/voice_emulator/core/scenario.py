"""A scenario: account settings and an ordered list of rules.

Everything here is immutable; counters live with the tenant (:mod:`voice_emulator.core.rules`). For each
kind of effect the first rule that matches wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

from voice_emulator.core.clock import HOUR, MINUTE, SECOND, ClockSpec
from voice_emulator.core.distributions import Distribution
from voice_emulator.core.faults import FaultEffect
from voice_emulator.core.matchers import Match
from voice_emulator.core.values import plain_value
from voice_emulator.core.vocabulary import Outcome, Party


@plain_value
class CallSpec:
    """One way a call may go; None is the default of :mod:`voice_emulator.core.plan`.

    ``hangup`` holds (party, weight) pairs; ``cause`` is a cause name or code of the provider, ``weight`` the share in a
    mix.
    """

    outcome: Outcome
    ring: Distribution | None = None
    talk: Distribution | None = None
    hangup: tuple[tuple[Party, float], ...] = ()
    keys: str = ""
    cause: str | None = None
    weight: float = 1.0


@plain_value
class CallEffect:
    """A rule's ``call``: one way, or a weighted mix."""

    choices: tuple[CallSpec, ...]


@plain_value
class ReplyEffect:
    """A rule's ``reply``: an error of the provider by symbolic name or wire code, or a verbatim reply.

    ``status``, ``headers`` and ``body`` are the verbatim reply if ``error`` is None.
    """

    error: str | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    placed: bool | None = None

    @property
    def places(self) -> bool:
        """Whether the call is placed in spite of this reply (default: for a verbatim reply only)."""
        return self.error is None if self.placed is None else self.placed


@plain_value
class Retry:
    """How often a push is tried: ``waits`` are the microseconds between one attempt and the next.

    A word of one provider applies only there: ``provider`` is its id.
    """

    waits: tuple[int, ...] = ()
    provider: str = ""

    @property
    def attempts(self) -> int:
        """The maximum number of attempts, the first one included."""
        return 1 + len(self.waits)


ONCE = Retry()
#: Presets of ``receipt.retry``.
RETRIES: Mapping[str, Retry] = MappingProxyType(
    {
        "once": ONCE,
        "minute-60": Retry((MINUTE,) * 60),
        "hourly-6": Retry((HOUR,) * 5),
        "fast-ladder": Retry((1 * SECOND, 10 * SECOND, 30 * SECOND, 90 * SECOND)),
    }
)

#: Ways to corrupt a receipt's contents; the provider chooses the field.
CORRUPTIONS = (
    "unknown_enum", "wrong_type", "oversize", "empty", "bad_date", "negative", "wrong_id", "overcharge",
)  # fmt: skip


@plain_value
class ReceiptEffect:
    """A rule's ``receipt``: when and how often the receipt is sent, and what is wrong with it.

    ``copies`` counts all pushes, ``hold`` is the number of later receipts that overtake this one. ``repeat_set`` has the
    fields that differ in every repeat, ``add`` fields that no page documents. ``retry`` is None for the provider's
    default.
    """

    delay: Distribution | None = None
    copies: int = 1
    gap: Distribution | None = None
    lost: bool = False
    before_reply: bool = False
    hold: int = 0
    retry: Retry | None = None
    query_lag: Distribution | None = None
    set: tuple[tuple[str, str], ...] = ()
    repeat_set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    drop: tuple[str, ...] = ()
    corrupt: str | None = None
    reset: bool = False
    slow_body: tuple[int, int] | None = None
    wrong_content_type: bool = False
    encoding: str | None = None
    bad_signature: bool = False
    stale_timestamp: bool = False
    duplicate_nonce: bool = False

    def retry_of(self, provider: str) -> Retry | None:
        """How often a push of ``provider`` is tried; None if this effect does not say."""
        retry = self.retry
        return retry if retry is not None and retry.provider in ("", provider) else None

    @property
    def manner(self) -> tuple[object, ...]:
        """What concerns the push as a whole: receipts that travel together agree in it."""
        return (
            self.reset, self.slow_body, self.wrong_content_type, self.encoding, self.bad_signature,
            self.stale_timestamp, self.duplicate_nonce,
        )  # fmt: skip

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of what this effect changes, for the journal."""
        return tuple([name for name in RECEIPT_FAULTS if getattr(self, name) != getattr(PLAIN_RECEIPT, name)])


PLAIN_RECEIPT = ReceiptEffect()
#: What a receipt effect can change, by field: the names in the journal.
RECEIPT_FAULTS = (
    "lost", "before_reply", "hold", "copies", "delay", "set", "repeat_set", "add", "drop", "corrupt", "reset",
    "slow_body", "wrong_content_type", "encoding", "bad_signature", "stale_timestamp", "duplicate_nonce", "query_lag",
)  # fmt: skip


@plain_value
class Rule:
    """One rule: what it matches, how often it applies, and its effects.

    ``chance`` is a probability in [0, 1], None for always; ``times`` limits how often it applies.
    """

    name: str
    match: Match = field(default_factory=Match)
    reply: ReplyEffect | None = None
    fault: FaultEffect | None = None
    call: CallEffect | None = None
    receipt: ReceiptEffect | None = None
    chance: float | None = None
    times: int | None = None


@plain_value
class Scenario:
    """A whole scenario with ``extends`` resolved. ``text`` is what it was loaded from.

    ``seed`` and ``clock`` are None if the scenario does not set them. ``providers`` maps a provider id to its account
    settings. ``magic`` has the rules of the magic numbers, and is empty if the scenario switches them off.
    """

    name: str
    description: str = ""
    seed: int | None = None
    clock: ClockSpec | None = None
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    magic: tuple[Rule, ...] = ()
    text: str = ""
