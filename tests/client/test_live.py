from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from yarl import URL

from voice_emulator.client.live import Attributes, Live


class Account:
    """A stand-in for a tenant: merges patches as the control API does."""

    def __init__(self, **values: Any) -> None:
        self.values: dict[str, Any] = values

    def change(self, patch: Mapping[str, Any]) -> None:
        self.values = merged(self.values, patch)

    @property
    def live(self) -> Live:
        return Live(lambda: self.values, self.change, "settings")


def merged(values: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(values)
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict) and isinstance(found.get(name), dict):
            found[name] = merged(found[name], value)
        else:
            found[name] = value
    return found


def test_credentials_are_a_mapping_and_attributes_all_the_way_down():
    keys = Attributes({"appkey": "a", "agent": {"appkey": "b", "username": "u"}})
    assert (keys["appkey"], keys.appkey, keys.agent.username, keys["agent"]["appkey"]) == ("a", "a", "u", "b")
    assert dict(**keys.agent) == {"appkey": "b", "username": "u"}
    assert list(keys) == ["appkey", "agent"]
    assert {"appkey", "agent"} <= set(dir(keys))


def test_an_unknown_credential_is_told_with_those_there_are():
    with pytest.raises(AttributeError, match="no 'app_key' here; there are 'appkey'"):
        _ = Attributes({"appkey": "a"}).app_key


@pytest.mark.parametrize(
    "act",
    [
        lambda keys: keys.__setitem__("appkey", "b"),
        lambda keys: setattr(keys, "appkey", "b"),
        lambda keys: keys.update(appkey="b"),
        lambda keys: keys.pop("appkey"),
        lambda keys: keys.clear(),
    ],
)
def test_credentials_are_a_copy_that_says_how_to_change_them(act):
    keys = Attributes({"appkey": "a"})
    with pytest.raises(TypeError, match=r"voice_emulator\.change"):
        act(keys)
    assert keys.appkey == "a"


def test_an_assignment_is_a_patch():
    account = Account(nxcloud={"balance": "1", "language": "en"}, infin8linx={})
    account.live["nxcloud"]["balance"] = "0"
    assert account.values == {"nxcloud": {"balance": "0", "language": "en"}, "infin8linx": {}}
    account.live["nxcloud"].update(language="zh")
    account.live["nxcloud"].setdefault("balance", "5")
    assert account.live["nxcloud"]["language"] == "zh"
    assert account.live == {"nxcloud": {"balance": "0", "language": "zh"}, "infin8linx": {}}


def test_deleting_takes_back():
    account = Account(nxcloud="http://a")
    with pytest.raises(KeyError):
        del account.live["huawei_cec"]
    del account.live["nxcloud"]
    assert len(account.live) == 0
    assert "nxcloud" not in account.live


def test_an_address_object_is_written_as_text():
    account = Account()
    account.live["nxcloud"] = URL("http://127.0.0.1:9000/dr")
    assert account.values == {"nxcloud": "http://127.0.0.1:9000/dr"}
    assert repr(account.live) == "<settings: {'nxcloud': 'http://127.0.0.1:9000/dr'}>"
