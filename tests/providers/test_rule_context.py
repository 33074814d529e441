from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from voice_emulator.providers.contract import NO_CONTRACT
from voice_emulator.providers.provider import ErrorCode
from voice_emulator.providers.request import NOTHING, Problem, Reply, Request
from voice_emulator.providers.rule_context import Look

ERRORS = (
    ErrorCode("bad_key", "1", ""),
    ErrorCode("bad_secret", "1", ""),
    ErrorCode("limited", "2", "", operations=frozenset({"send"})),
    ErrorCode("busy", "2", "", operations=frozenset({"query"})),
)


def look(*problems: Problem, code: str = "1", refused: bool = True, operation: str | None = "send") -> Look:
    known: Any = SimpleNamespace(
        name=operation, order=("1", "2"), identify=lambda request: [("id", "t", "x"), ("p", "k", "y")]
    )
    request = Request("acme", "POST", "/", NOTHING, NOTHING, b"", "", operation=known if operation else None)
    seen: Any = SimpleNamespace(request=request, problems=problems, reply=Reply(200, b"", "", code, refused))
    provider: Any = SimpleNamespace(errors=ERRORS, error_order=(), contract=NO_CONTRACT)
    tenant: Any = None
    return Look(tenant, seen, provider, None, None)


@pytest.mark.parametrize(
    ("seen", "codes", "refused_for"),
    [
        (look(Problem("2", ""), Problem("1", "")), {"1"}, True),
        (look(Problem("2", ""), Problem("1", "")), {"2"}, False),  # it was not what the client was told
        (look(Problem("1", "", name="bad_key")), {"bad_key"}, True),
        (look(code="1"), {"bad_key", "bad_secret"}, True),
        (look(code="1"), {"bad_key"}, False),  # the code may have meant the other error
        (look(code="2"), {"limited"}, True),  # in this operation it means one error only
        (look(code="9"), {"9"}, False),
        (look(Problem("1", ""), refused=False), {"1"}, False),
        (look(Problem("1", ""), operation=None), {"1"}, False),
    ],
)
def test_look_tells_what_a_request_was_refused_for(seen: Look, codes: set[str], refused_for: bool):
    assert seen.refused_for(frozenset(codes)) is refused_for


def test_look_has_the_tokens_of_a_request_and_no_violations_without_a_schema():
    assert look().tokens() == [("id", "t", "x")]
    assert (look(operation=None).tokens(), look(operation=None).operation) == ([], "")
    assert look().violations == []
