"""What a provider says about itself for the finding rules, and what such a rule is, as data.

A rule is a named function that looks at one request (with :class:`voice_emulator.providers.rule_context.Look`), or one
push attempt, and yields what was wrong with the client's side of it. Its documentation page (docs/rules/) is its docstring.
Rules that hold for every provider live in :mod:`voice_emulator.contract.rules` and take their numbers from a provider's
:class:`Contract`; what only one provider asks for is a rule in that provider's own ``finding_rules.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from inspect import cleandoc
from typing import Any

from voice_emulator.core.findings import Severity
from voice_emulator.providers.grading import Grading


class When(Enum):
    """What makes a rule look; a request that went well and names no special operation costs nothing."""

    #: A request with problems, or one that was refused.
    REFUSED = "refused"
    #: Every request of the rule's operations.
    ARRIVED = "arrived"
    #: A request that carried fields in its URL.
    QUERY = "query"
    #: A request with a form in its body.
    FORM = "form"
    #: A request that placed calls.
    PLACED = "placed"
    #: A request of the same tenant after something of it was remembered; see the rule.
    REMEMBERED = "remembered"
    #: A push attempt that was not acknowledged, or acknowledged oddly or late.
    PUSHED = "pushed"
    #: Nothing in particular: worked out whenever the findings are read.
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class Hit:
    """One breach a rule found. ``severity`` stands where this one weighs otherwise than the rule."""

    message: str
    call_id: str | None = None
    severity: Severity | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class FindingRule:
    """One contract rule. ``source`` is empty where the operation's or receipt's own page states it."""

    id: str
    severity: Severity
    when: When
    look: Callable[[Any], Iterable[Hit | str]]
    source: str = ""
    operations: frozenset[str] = frozenset()
    #: Providers it can speak of; empty for all.
    providers: frozenset[str] = frozenset()
    #: A request header, in lower case, without which alone it has anything to say; empty when it always has.
    missing: str = ""
    #: A field without which the rule has nothing to look at; empty for every request.
    present: str = ""
    #: Whether requests of an operation give it something to judge; None when all do.
    judges: Callable[[Contract, Any], bool] | None = None
    #: Whether what it judges is so rare that it is counted as it happens (a refusal, a lost reply).
    occasional: bool = False

    @property
    def text(self) -> str:
        """The rule's documentation."""
        return cleandoc(self.look.__doc__ or "")

    @property
    def title(self) -> str:
        """The rule in one sentence."""
        return self.text.partition("\n")[0]

    @property
    def fix(self) -> str:
        """How to fix what it finds, in one paragraph."""
        return " ".join(self.text.partition("How to fix it: ")[2].partition("\n\n")[0].split())


def finding(
    id: str,
    severity: Severity,
    when: When,
    *,
    source: str = "",
    operations: Iterable[str] = (),
    providers: Iterable[str] = (),
    missing: str = "",
    present: str = "",
    judges: Callable[[Contract, Any], bool] | None = None,
    occasional: bool = False,
) -> Callable[[Callable[[Any], Iterable[Hit | str]]], FindingRule]:
    """Make a named function a rule; its docstring is its documentation page."""
    return lambda look: FindingRule(
        id,
        severity,
        when,
        look,
        source,
        frozenset(operations),
        frozenset(providers),
        missing,
        present,
        judges,
        occasional,
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """At most ``count`` requests of an operation in ``span`` microseconds; ``source`` states it.

    ``by_address`` is whether each address of a client has a pace of its own.
    """

    count: int
    span: int
    source: str
    by_address: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """How a record query is paged.

    ``page`` is the field that says where to begin (a page number from 1, or the number of the first
    row with ``by_row``), ``size`` how many rows are wanted, ``size_default`` when it is absent.
    ``total`` reads from the reply how many rows there are.
    """

    page: str
    size: str
    total: Callable[[Any], int | None]
    size_default: int = 0
    by_row: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """A provider's numbers for the general rules, and rules of its own.

    ``refusals`` are the errors (by name or wire code) that say that credentials or a token are no good,
    ``limited`` those that say that a limit was passed, ``temporary`` further ones after which repeating
    the same request makes sense. ``batches`` are the most numbers per operation, with the page that says
    so; ``uses_token`` the operations that want a token, on whose life ``token_source`` is the page, and
    ``revokes_token`` those that end it.
    ``causes`` are the hang-up causes a receipt can tell, each once.
    ``charge`` reads what a receipt or a row of a
    record query says the call cost, None where no price is told; ``rows`` finds the rows in a reply.
    """

    refusals: frozenset[str] = frozenset()
    limited: frozenset[str] = frozenset()
    temporary: frozenset[str] = frozenset()
    paces: Mapping[str, Pace] = field(default_factory=dict)
    pages: Mapping[str, Pages] = field(default_factory=dict)
    batches: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    uses_token: frozenset[str] = frozenset()
    revokes_token: frozenset[str] = frozenset()
    token_source: str = ""
    causes: tuple[str, ...] = ()
    rules: tuple[FindingRule, ...] = ()
    charge: Callable[[Mapping[str, Any]], Decimal | None] | None = None
    grading: Grading | None = None
    rows: Mapping[str, Callable[[Any], Sequence[Mapping[str, Any]]]] = field(default_factory=dict)


NO_CONTRACT = Contract()
