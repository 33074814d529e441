"""What a provider tells the finding rules, and what a rule is, as data.

A rule is a named function. It checks one request (:class:`voice_emulator.providers.rule_context.RuleContext`) or one
push attempt, and yields what the client did wrong. Its docstring is its documentation page (docs/rules/).
Rules for every provider are in :mod:`voice_emulator.contract.rules` and take their numbers from a provider's
:class:`Contract`. A rule for one provider is in that provider's ``finding_rules.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from enum import Enum
from inspect import cleandoc
from typing import Any

from voice_emulator.core.values import plain_value
from voice_emulator.core.vocabulary import Severity
from voice_emulator.providers.grading import Grading


class When(Enum):
    """When a rule runs. An accepted request of an operation that no rule names runs none."""

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
    #: A request of a tenant that has used a refused or expired token before.
    REMEMBERED = "remembered"
    #: A push attempt that was not acknowledged, or in an unusual way, or late.
    PUSHED = "pushed"
    #: Whenever the findings are read: the rule follows from the state at that time.
    DERIVED = "derived"


@plain_value
class Hit:
    """One breach a rule found. ``severity`` and ``source`` override those of the rule."""

    message: str
    call_id: str | None = None
    severity: Severity | None = None
    source: str | None = None


@plain_value
class FindingRule:
    """One contract rule. ``source`` is empty when the page of the operation or receipt states the rule."""

    id: str
    severity: Severity
    when: When
    check: Callable[[Any], Iterable[Hit | str]]
    source: str = ""
    operations: frozenset[str] = frozenset()
    #: Providers it applies to; empty for all.
    providers: frozenset[str] = frozenset()
    #: A header, in lower case: the rule runs only for requests without it. Empty for every request.
    missing: str = ""
    #: A field: the rule runs only for requests with it. Empty for every request.
    present: str = ""
    #: Whether requests of an operation give it something to judge; None when all do.
    judges: Callable[[Contract, Any], bool] | None = None
    #: Whether what it judges is so rare that it is counted as it happens (a refusal, a lost reply).
    occasional: bool = False

    @property
    def text(self) -> str:
        """The rule's documentation."""
        return cleandoc(self.check.__doc__ or "")

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
    return lambda check: FindingRule(
        id,
        severity,
        when,
        check,
        source,
        frozenset(operations),
        frozenset(providers),
        missing,
        present,
        judges,
        occasional,
    )


@plain_value
class Pace:
    """At most ``count`` requests of an operation in ``span`` microseconds; ``source`` states it.

    With ``by_address`` each client address is counted on its own.
    """

    count: int
    span: int
    source: str
    by_address: bool = False


@plain_value
class Pages:
    """How a record query is paged.

    ``page`` is the field with the page number, from 1, or with ``by_row`` the number of the first row.
    ``size`` is the field with the number of rows per page, ``size_default`` its default. ``total`` reads
    the number of all rows from the reply.
    """

    page: str
    size: str
    total: Callable[[Any], int | None]
    size_default: int = 0
    by_row: bool = False


@plain_value
class Contract:
    """A provider's numbers for the general rules, and rules of its own.

    * ``refusals``: errors (by name or wire code) for bad credentials or tokens.
    * ``limited``: errors for a limit that was passed.
    * ``temporary``: other errors after which it makes sense to send the same request again.
    * ``batches``: most numbers in one request, by operation, with the page that says so.
    * ``uses_token``: operations that need a token; ``token_source`` is the page about its lifetime.
    * ``revokes_token``: operations that end a token.
    * ``causes``: the hang-up causes of receipts, each once.
    * ``charge``: reads the cost of a call from a receipt or a row of a record query; None without a price.
    * ``rows``: finds the rows in the reply of a record query.
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
