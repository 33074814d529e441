from __future__ import annotations

from voice_emulator.core.tokens import REMEMBERED, Standing, Token, Tokens


def token(value: str, at: int = 0, holder: str = "h") -> Token:
    return Token(value, "main", holder, at, 100)


def test_a_token_is_good_until_it_expires():
    tokens = Tokens()
    tokens.add(token("a", at=5))
    assert [tokens.check("a", now) for now in (5, 104, 105)] == [
        Standing.GOOD,
        Standing.GOOD,
        Standing.EXPIRED,
    ]
    assert tokens.check("b", 5) is Standing.UNKNOWN


def test_a_revoked_token_is_good_for_nothing_and_revoked_once():
    tokens = Tokens()
    tokens.add(token("a"))
    assert tokens.revoke("a")
    assert not tokens.revoke("a")
    assert not tokens.revoke("b")
    assert tokens.check("a", 1) is Standing.REVOKED


def test_all_tokens_of_one_holder_can_be_revoked():
    tokens = Tokens()
    for value, holder in (("a", "x"), ("b", "x"), ("c", "y")):
        tokens.add(token(value, holder=holder))
    assert tokens.revoke_all("main", "x") == 2
    assert tokens.check("c", 1) is Standing.GOOD
    assert tokens.get("a").revoked
    assert sorted(tokens.clear()) == ["a", "b", "c"]


def test_the_oldest_tokens_are_forgotten():
    tokens = Tokens()
    for number in range(REMEMBERED + 1):
        tokens.add(token(str(number)))
    assert len(tokens) == REMEMBERED
    assert tokens.check("0", 1) is Standing.UNKNOWN
