from __future__ import annotations

from voice_emulator.providers.infin8linx import state
from voice_emulator.providers.infin8linx.state import Account, Link


def test_account_forgets_the_oldest_link_first(monkeypatch):
    monkeypatch.setattr(state, "LINK_LIMIT", 2)
    account = Account()
    for name in "abc":
        account.links[name] = Link(name, None)
    assert list(account.links) == ["b", "c"]
    assert account.links["c"] == Link("c", None)
