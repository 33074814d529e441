"""Account settings: read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from voice_emulator.providers.infin8linx import PROVIDER
from voice_emulator.providers.infin8linx.settings import MODULES


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("company_code", "A1", "digits"),
        ("licence_until", "tomorrow", "must be a time such as 2099"),
        ("modules", ["cdr", "ivrs"], "did you mean 'ivr'"),
        ("allowed_ips", ["10.0.0.300"], "10.0.0.300"),
        ("unknown_voice_file", "ignore", "refuse, fail_calls"),
        ("caller_pool", {"2195": "on"}, "enabled, disabled, missing"),
        ("agent_groups", {"extGroup-1": 701005}, "text"),
        ("extension_states", {"701005": "asleep"}, "unregistered"),
        ("unknown_service", "500", "404, 400"),
        ("token_hours", 0, "at least 1"),
        ("dial_concurrency", 0, "at least 1"),
        ("callback_attempts", 101, "at most 100"),
        ("record_version", "2024", "2025, 2018"),
        ("recordngs", True, "did you mean 'recordings'"),
    ],
)
def test_a_bad_setting_is_named_with_its_reason(name: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        PROVIDER.read_settings({name: value})
    assert reason in str(caught.value)


def test_every_module_is_an_operation() -> None:
    assert set(MODULES.values()) <= set(PROVIDER.operations)
