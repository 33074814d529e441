from __future__ import annotations

import pytest

from voice_emulator.core.clock import SECOND
from voice_emulator.providers.huawei_cec.media import (
    FILES_REMEMBERED,
    CecState,
    VoiceFile,
    configured_files,
    fill_template,
    find_by_name,
    template_fault,
    values_fault,
)

SAMPLE = "尊敬的${TXT_8}您的初始密码为${NUM_6}。"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (SAMPLE, None),
        ("On ${DATE} at ${TIME}.", None),
        ("x" * 500, None),
        ("x" * 501, "500 bytes"),
        ("中" * 167, "500 bytes"),
        ("${TXT_8} first", "begin with a variable"),
        ("a ${TXT_32}", None),
        ("a ${TXT_33}", "32 bytes"),
        ("a ${TXT_0}", "32 bytes"),
        ("a ${NAME}", "unknown variable"),
        ("a ${TXT_8", "unknown variable"),
        ("costs $5 {net}", None),
    ],
)
def test_the_rules_on_a_template(text: str, fault: str | None) -> None:
    found = template_fault(text)
    assert found is None if fault is None else fault in (found or "")


@pytest.mark.parametrize(
    ("text", "values", "code"),
    [
        (SAMPLE, ["李先生", "123456"], "13"),
        (SAMPLE, ["李先", "123456"], None),
        (SAMPLE, ["Lee", "1234567"], "13"),
        (SAMPLE, ["Lee", "12345a"], "13"),
        (SAMPLE, ["Lee"], "15"),
        (SAMPLE, [], "15"),
        ("plain", [], None),
        ("a ${DATE} ${TIME}", ["2026/01/05", "09:30"], None),
        ("a ${DATE} ${TIME}", ["2026/01/05", "09:30:59"], None),
        ("a ${DATE} ${TIME}", ["2026-01-05", "09:30"], "13"),
        ("a ${DATE} ${TIME}", ["2026/01/05", "24:00"], "13"),
    ],
)
def test_values_are_held_against_the_variables_by_position(
    text: str, values: list[str], code: str | None
) -> None:
    assert code == values_fault(text, values)


def test_variables_are_filled_by_position() -> None:
    assert fill_template(SAMPLE, ["李", "123456"]) == "尊敬的李您的初始密码为123456。"
    assert fill_template(SAMPLE, ["李"]) == "尊敬的李您的初始密码为${NUM_6}。"
    assert fill_template("a ${TXT_8}", ["${NUM_6}"]) == "a ${NUM_6}"


def test_the_review_is_pending_until_its_instant() -> None:
    file = VoiceFile("1", "n", "audio", "3", "rejected", reviewed_at=5 * SECOND)
    assert file.status(5 * SECOND - 1) == "pending"
    assert file.status(5 * SECOND) == "rejected"


def test_an_approved_recording_wins_over_a_namesake() -> None:
    files = [
        VoiceFile("1", "n", "text", "3", "approved"),
        VoiceFile("2", "n", "audio", "3", "rejected"),
        VoiceFile("3", "n", "audio", "3", "approved"),
    ]
    assert find_by_name(files, "n", 0) is files[2]
    assert find_by_name(files[:2], "n", 0) is files[1]
    assert find_by_name(files, "other", 0) is None


def test_configured_files_take_defaults() -> None:
    (file,) = configured_files({"voice_files": {"100001": {}}})
    assert (file.id, file.name, file.kind, file.scene, file.verdict) == (
        "100001",
        "100001",
        "audio",
        "3",
        "approved",
    )


def test_the_state_is_bounded() -> None:
    state = CecState()
    for number in range(FILES_REMEMBERED + 1):
        state.files[str(number)] = VoiceFile(str(number), "", "audio", "3", "approved")
    assert len(state.files) == FILES_REMEMBERED


def test_uploads_are_counted_over_the_last_second() -> None:
    state = CecState()
    assert all(state.admit_upload(0, 2) for _ in range(2))
    assert not state.admit_upload(SECOND - 1, 2)
    assert state.admit_upload(SECOND, 2)
    assert all(state.admit_upload(SECOND, 0) for _ in range(50))
