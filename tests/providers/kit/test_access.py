"""Addresses and secrets."""

from __future__ import annotations

import pytest

from voice_emulator.providers.kit.access import in_networks, same_secret


@pytest.mark.parametrize(
    ("peer", "networks", "allowed"),
    [
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True),
        ("11.1.2.3", ["10.0.0.0/8", "11.1.2.3"], True),
        ("::1", ["10.0.0.0/8"], False),
        ("unknown", ["10.0.0.0/8"], False),
        ("10.1.2.3", [], False),
        ("fe80::1%eth0", ["fe80::/10"], True),
    ],
)
def test_which_addresses_are_in_a_network(peer: str, networks: list[str], allowed: bool):
    assert in_networks(peer, networks) is allowed


@pytest.mark.parametrize(
    ("given", "expected", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("", "", False),
        ("a", "", False),
        ("\ud800", "\ud800", True),
        ("é", "é", True),
    ],
)
def test_an_unset_secret_equals_nothing(given: str, expected: str, same: bool):
    assert same_secret(given, expected) is same
