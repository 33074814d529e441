"""A check of receiver conformance: a named function that plans pushes and says how the replies are judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc

from voice_emulator.core.vocabulary import Severity
from voice_emulator.providers.grading import Grading
from voice_emulator.verify.model import NotApplicable, Plan
from voice_emulator.verify.receipt_factory import ReceiptFactory


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``plan`` raises NotApplicable where something is missing; its docstring says why it matters.

    By ``order``, ``first`` checks run one by one before all others, ``last`` ones one by one after them.
    """

    name: str
    severity: Severity
    sends: str
    expects: str
    plan: Callable[[ReceiptFactory], Plan]
    needs_probe: bool = False
    #: Whether it needs a shared key, at a provider that signs.
    signed: bool = False
    order: str = "any"
    #: Whether the provider has what the check is about.
    applies: Callable[[Grading], bool] = lambda grading: True

    def make(self, factory: ReceiptFactory) -> Plan:
        """What to send, and how to judge it. Raises NotApplicable where something is missing."""
        if self.signed and not factory.options.shared_key:
            raise NotApplicable("--shared-key is not given, so nothing can be signed")
        return self.plan(factory)

    @property
    def why(self) -> str:
        """Why it matters."""
        return " ".join(cleandoc(self.plan.__doc__ or "").split())


def check(
    name: str,
    severity: Severity,
    *,
    sends: str,
    expects: str = "accepted",
    needs_probe: bool = False,
    signed: bool = False,
    order: str = "any",
    applies: Callable[[Grading], bool] = lambda grading: True,
) -> Callable[[Callable[[ReceiptFactory], Plan]], Check]:
    """Make a named function a check."""
    return lambda plan: Check(name, severity, sends, expects, plan, needs_probe, signed, order, applies)
