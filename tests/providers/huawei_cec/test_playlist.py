from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.providers.huawei_cec.playlist import segments


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("1001", ["1001"]),
        ("1001~1002", ["1001", "1002"]),
        ("1001~$hello~there$~1002", ["1001", "$hello~there$", "1002"]),
        ("$a$~$b$", ["$a$", "$b$"]),
        ("~", ["", ""]),
        ("", [""]),
        ("$never closed~1001", ["$never closed~1001"]),
        ("10$a~b$01", ["10$a~b$01"]),
    ],
)
def test_segments_are_divided_by_tildes_outside_of_texts(content: str, found: list[str]):
    assert segments(content) == found


@given(st.text("ab~$"))
def test_segments_lose_nothing(content: str):
    assert "~".join(segments(content)) == content
