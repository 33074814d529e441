from __future__ import annotations

from emulator.loading.catalogue import Scope
from tests.loading.made_up import ACME, BELL


def test_a_scope_joins_what_its_providers_know():
    scope = Scope((ACME, BELL))
    assert scope.places_calls
    assert scope.request_fields == {"key", "to", "voice", "secret", "number"}
    assert list(scope.error_names) == ["auth_failed", "no_money", "no_line", "401", "7", "E1", "E2"]
    assert scope.causes == {"16", "NORMAL", "17", "BUSY", "HUNG_UP"}
    assert len(scope.receipts) == 2


def test_operations_narrow_it():
    scope = Scope((ACME,), frozenset({"login"}))
    assert not scope.places_calls
    assert scope.request_fields == {"key", "secret"}
    assert list(scope.error_names) == ["auth_failed", "401"]
    assert scope.receipts == []
