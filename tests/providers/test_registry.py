from __future__ import annotations

import pytest

from voice_emulator.errors import UsageError
from voice_emulator.providers.registry import discover, provider_named, receiver_keys


def test_discover_finds_each_folder_that_has_a_provider():
    assert list(discover()) == ["huawei_cec", "infin8linx", "nxcloud"]
    assert all(provider.id == name for name, provider in discover().items())
    # A package of somebody else's; folders without a PROVIDER are passed over.
    assert list(discover("tests.fourth")) == ["tinytel"]
    assert discover("voice_emulator.wire") == {}


def test_provider_named_suggests_the_nearest():
    providers = discover()
    assert provider_named(providers, "nxcloud") is providers["nxcloud"]
    with pytest.raises(UsageError, match="no provider 'nxclod'; did you mean 'nxcloud'"):
        provider_named(providers, "nxclod")


def test_receiver_keys_are_each_given_once():
    keys = list(receiver_keys(discover()))
    assert len(keys) == len(set(keys))
    wanted = {kind.url_key for provider in discover().values() for kind in provider.receipts.values()}
    assert set(keys) == wanted
