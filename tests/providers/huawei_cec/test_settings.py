from __future__ import annotations

from pathlib import Path

import pytest

from voice_emulator.providers.huawei_cec import PROVIDER
from voice_emulator.providers.huawei_cec.records import REASONS
from voice_emulator.providers.huawei_cec.settings import SETTINGS, access_codes, shared_key


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("shared_key", "x" * 15, "at least 16"),
        ("allowed_ips", ["10.0.0.0/33"], "10.0.0.0/33"),
        ("token_lifetime", 3601, "at most 3600"),
        ("token_lifetime", 0, "at least 1"),
        ("voice_files", {"1": {"status": "odd"}}, "status: .* is not one of"),
        ("voice_files", {"1": {"colour": "red"}}, "unknown key 'colour'"),
        ("voice_files", {"1": "audio"}, "must be a mapping"),
        ("voice_files", {"1": {"name": 5}}, "name: must be text"),
        ("catalogue", "strct", "strict"),
        ("utc_offset_hours", "15", "at most 14"),
        ("colour", "red", "unknown setting"),
    ],
)
def test_a_bad_setting_is_refused_with_a_reason(name: str, value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SETTINGS.read({name: value})


def test_every_setting_says_what_it_is_and_how_certain() -> None:
    for setting in SETTINGS.settings.values():
        assert len(setting.description) > 20, setting.name
        assert setting.provenance in ("documented", "inferred", "choice")


def test_the_page_tells_of_every_operation_and_reason() -> None:
    page = (Path(__file__).parents[3] / "docs" / "providers" / "huawei_cec.md").read_text(encoding="utf-8")
    for operation in PROVIDER.operations:
        assert f"| {operation} |" in page
    for name, code in REASONS.items():
        assert f"| {code} |" in page
        assert f"`{name}`" in page


def test_key_and_access_codes_may_be_given_as_credentials() -> None:
    settings = SETTINGS.read({**SETTINGS.defaults(), "shared_key": "k" * 16, "access_codes": ["960003"]})
    none = PROVIDER.default_credentials
    assert shared_key(none, settings) == "k" * 16
    assert access_codes(none, settings) == ("960003",)
    own = {"shared_key": "c" * 16, "access_codes": ["1", "2"]}
    assert shared_key(own, settings) == "c" * 16
    assert access_codes(own, settings) == ("1", "2")
    assert access_codes({"access_codes": "3"}, settings) == ("3",)


def test_a_short_shared_key_among_the_credentials_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        PROVIDER.credential_keys({"app_key": "a", "shared_key": "short"})


def test_a_short_key_is_refused_without_being_shown():
    with pytest.raises(ValueError, match="at least 16 characters") as refused:
        SETTINGS.settings["shared_key"].read("tooshort")
    assert "tooshort" not in str(refused.value)
