from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.accounts import ISSUED
from voice_emulator.core.directory import Directory, KeyTaken
from voice_emulator.core.tenants import Tenant


def holder(name: str) -> Tenant:
    """All that a directory asks of a tenant."""
    return cast("Tenant", SimpleNamespace(id=name))


def key(value: str, space: str = "token"):
    return (ISSUED, space, value)


def test_find_takes_the_first_known_key():
    directory, a, b = Directory(), holder("a"), holder("b")
    directory.enrol(a, [("acme", "key", "1")])
    directory.issue(b, key("t"))
    assert directory.find([("acme", "key", "unknown"), key("t"), ("acme", "key", "1")]) is b
    assert directory.find([key("unknown"), key("t", "another space")]) is None


def test_enrol_replaces_the_credentials_and_refuses_taken_ones_without_a_change():
    directory, a, b = Directory(), holder("a"), holder("b")
    directory.enrol(a, [("acme", "key", "1")])
    directory.enrol(b, [("acme", "key", "2")])
    with pytest.raises(KeyTaken, match="acme key '1' belongs to tenant 'a'"):
        directory.enrol(b, [("acme", "key", "3"), ("acme", "key", "1")])
    assert directory.owner(("acme", "key", "2")) is b
    assert directory.owner(("acme", "key", "3")) is None
    directory.enrol(a, [("acme", "key", "4"), ("acme", "key", "4")])
    assert directory.owner(("acme", "key", "1")) is None
    directory.enrol(b, [("acme", "key", "1")])
    assert directory.owner(("acme", "key", "1")) is b


def test_issue_never_gives_one_value_to_two_until_it_is_withdrawn():
    directory, a, b = Directory(), holder("a"), holder("b")
    assert directory.issue(a, key("t"))
    assert not directory.issue(b, key("t"))
    assert not directory.issue(a, key("t"))
    assert directory.issue(b, key("t", "another space"))
    directory.withdraw(a)
    assert directory.owner(key("t")) is None
    assert directory.issue(b, key("t"))
    assert directory.owner(key("t")) is b


def test_remove_forgets_credentials_and_issued_values_of_one_tenant_only():
    directory, a, b = Directory(), holder("a"), holder("b")
    for tenant in (a, b):
        directory.enrol(tenant, [("acme", "key", tenant.id)])
        directory.issue(tenant, key(tenant.id))
    directory.remove(a)
    assert [directory.owner(key(name)) for name in "ab"] == [None, b]
    assert [directory.owner(("acme", "key", name)) for name in "ab"] == [None, b]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30) | st.none()), min_size=10, max_size=120))
def test_directory_agrees_with_a_simple_one(steps):
    """The bound, the withdrawals and the sweeping together, against a model that forgets nothing by itself."""
    limit = 10
    directory = Directory(issued_limit=limit)
    tenants = {name: holder(name) for name in "abc"}
    model: dict[int, str] = {}
    for name, value in steps:
        if value is None:
            directory.withdraw(tenants[name])
            model = {known: owner for known, owner in model.items() if owner != name}
        else:
            issued = directory.issue(tenants[name], key(str(value)))
            assert issued or value in model, "only what somebody may have is refused"
            if issued:
                model[value] = name
                assert directory.owner(key(str(value))) is tenants[name]
    found = {value: directory.owner(key(str(value))) for value in range(31)}
    owned = {value: owner.id for value, owner in found.items() if owner is not None}
    assert len(owned) <= limit
    # It may have forgotten the oldest, but never errs about whose a value is.
    assert owned.items() <= model.items()
