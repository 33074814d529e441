from __future__ import annotations

from voice_emulator.core.accounts import derive_credentials

DEFAULTS = {"key": "acme-key", "family": {"login": "me", "password": "secret"}, "unset": None}


def test_derived_credentials_keep_names_and_nesting_and_leave_unset_ones_unset():
    derived = derive_credentials(DEFAULTS, "t-1")
    assert derived.keys() == DEFAULTS.keys()
    assert derived["key"].startswith("acme-key-")
    assert derived["family"].keys() == {"login", "password"}
    assert derived["unset"] is None


def test_derived_credentials_depend_on_the_tenant_and_the_path_alone():
    assert derive_credentials(DEFAULTS, "t-1") == derive_credentials(dict(reversed(DEFAULTS.items())), "t-1")
    assert derive_credentials(DEFAULTS, "t-1")["key"] != derive_credentials(DEFAULTS, "t-2")["key"]
    same = derive_credentials({"key": "x", "family": {"key": "x"}}, "t-1")
    assert same["key"] != same["family"]["key"]
