"""Account settings: read strictly, and every one of them documented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voice_emulator.providers.infin8linx import PROVIDER
from voice_emulator.providers.infin8linx.settings import MODULES, SETTINGS

PAGE = Path(__file__).parents[3] / "docs" / "providers" / "infin8linx.md"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("company_code", "A1", "digits"),
        ("licence_until", "tomorrow", "tomorrow"),
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


@pytest.mark.parametrize("name", list(SETTINGS.settings))
def test_every_setting_stands_in_the_page_with_its_default(name: str) -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |")
    ]
    assert len(rows) == 1
    default = SETTINGS.settings[name].default
    shown = (
        {None: "unset", True: "true", False: "false"}.get(default, default)
        if not isinstance(default, dict)
        else "{}"
    )
    assert f"| `{shown}` |" in rows[0]


def test_every_module_is_an_operation() -> None:
    assert set(MODULES.values()) <= set(PROVIDER.operations)
