from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from voice_emulator.providers.contract import NO_CONTRACT
from voice_emulator.providers.provider import ErrorCode, Provider
from voice_emulator.providers.request import NOTHING, Problem, Reply, Request
from voice_emulator.providers.rule_context import RuleContext

ERRORS = (
    ErrorCode("bad_key", "1", ""),
    ErrorCode("bad_secret", "1", ""),
    ErrorCode("limited", "2", "", operations=frozenset({"send"})),
    ErrorCode("busy", "2", "", operations=frozenset({"query"})),
)


def context(
    *problems: Problem, code: str = "1", refused: bool = True, operation: str | None = "send"
) -> RuleContext:
    known: Any = SimpleNamespace(
        name=operation, order=("1", "2"), identify=lambda request: [("id", "t", "x"), ("p", "k", "y")]
    )
    request = Request("acme", "POST", "/", NOTHING, NOTHING, b"", "", operation=known if operation else None)
    seen: Any = SimpleNamespace(request=request, problems=problems, reply=Reply(200, b"", "", code, refused))
    provider: Any = SimpleNamespace(errors=ERRORS, error_order=(), contract=NO_CONTRACT)
    provider.errors_of = partial(Provider.errors_of, provider)
    tenant: Any = None
    return RuleContext(tenant, seen, provider, None, None)


@pytest.mark.parametrize(
    ("seen", "codes", "refused_for"),
    [
        (context(Problem("2", ""), Problem("1", "")), {"1"}, True),
        (context(Problem("2", ""), Problem("1", "")), {"2"}, False),  # it was not what the client was told
        (context(Problem("1", "", name="bad_key")), {"bad_key"}, True),
        (context(code="1"), {"bad_key", "bad_secret"}, True),
        (context(code="1"), {"bad_key"}, False),  # the code may have meant the other error
        (context(code="2"), {"limited"}, True),  # in this operation it means one error only
        (context(code="9"), {"9"}, False),
        (context(Problem("1", ""), refused=False), {"1"}, False),
        (context(Problem("1", ""), operation=None), {"1"}, False),
    ],
)
def test_rule_context_tells_what_a_request_was_refused_for(
    seen: RuleContext, codes: set[str], refused_for: bool
):
    assert seen.refused_for(frozenset(codes)) is refused_for


def test_rule_context_has_the_tokens_of_a_request_and_no_violations_without_a_schema():
    assert context().tokens() == [("id", "t", "x")]
    assert (context(operation=None).tokens(), context(operation=None).operation) == ([], "")
    assert context().violations == []
