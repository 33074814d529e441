from __future__ import annotations

import pytest

from voice_emulator.scenarios.environment import EnvironmentProblem, expand

ENVIRON = {"HOST": "127.0.0.1", "EMPTY": "", "CALLBACK_URL": "http://x"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$HOST costs $5", "$HOST costs $5"),
        ("http://${HOST}:9/", "http://127.0.0.1:9/"),
        ("${HOST}${HOST}", "127.0.0.1127.0.0.1"),
        ("${NOT_SET:-http://127.0.0.1:9000/nx}", "http://127.0.0.1:9000/nx"),
        ("${HOST:-other}", "127.0.0.1"),
        ("${EMPTY}", ""),
        ("${EMPTY:-default}", "default"),
        ("${NOT_SET:-}", ""),
        ("$${HOST}", "${HOST}"),
    ],
)
def test_references(text: str, expected: str):
    assert expand(text, ENVIRON) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${CALBACK_URL}", r"CALBACK_URL is not set \(\$CALLBACK_URL is set\)"),
        ("${ZZZZZZ}", r"ZZZZZZ is not set; \$\{ZZZZZZ:-default\}"),
        ("${1x}", "begins no variable"),
        ("${HOST", "begins no variable"),
        ("${}", "begins no variable"),
    ],
)
def test_what_cannot_be_filled_in(text: str, message: str):
    with pytest.raises(EnvironmentProblem, match=message):
        expand(text, ENVIRON)
