from __future__ import annotations

from tests.core.accounts import make_tenant
from voice_emulator.contract.memory import Memory, Recent, memory_of


def test_recent_forgets_the_oldest_and_a_repeated_key_becomes_the_newest():
    recent: Recent[str, int] = Recent(limit=2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.put("a", 3)
    recent.put("c", 4)
    assert "b" not in recent
    assert (recent.get("a"), recent.get("b"), list(recent.values()), len(recent)) == (3, None, [3, 4], 2)
    assert recent.forget("a") == 3
    assert recent.forget("a") is None
    recent.clear()
    assert len(recent) == 0


def test_rooms_of_a_memory_are_made_once_per_rule():
    memory = Memory()
    first = memory.room("paces", dict)
    assert memory.room("paces", dict) is first
    assert memory.room("pages", dict) is not first


def test_memory_of_a_tenant_goes_when_the_tenant_is_reset():
    tenant, other = make_tenant(), make_tenant(id="other")
    memory = memory_of(tenant)
    assert memory_of(tenant) is memory
    assert memory_of(other) is not memory
    tenant.reset()
    assert memory_of(tenant) is not memory
